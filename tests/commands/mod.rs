//! The command line as people and scripts meet it: one file a command, each run in-process in a world of its own.

mod border_check;
mod custody;
mod doctor;
mod form;
mod harness;
mod identity;
mod init;
mod list;
mod open;
mod seal;
mod show;
mod status;
mod usage;
mod util;
mod verify;
