//! The command line as people and scripts meet it: one file a command, each run in-process in a world of its own.

mod border_check;
mod clock;
mod cosign;
pub(crate) mod custody;
mod doctor;
mod examples;
mod form;
pub(crate) mod harness;
mod identity;
mod init;
mod lend;
mod list;
pub(crate) mod member;
mod merge;
mod open;
pub(crate) mod pack;
mod report;
mod seal;
mod show;
mod status;
mod tour;
mod unfinished;
mod unpack;
mod usage;
mod util;
mod verify;
