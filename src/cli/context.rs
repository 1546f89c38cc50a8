//! All that the outside world gives to a run. Nothing else in this program reads the environment, the clock, the
//! terminal or the machine, so that a test can be the world.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use crate::crypto::hash::Hash;
use crate::store::Disk;
use crate::store::confine::{Reach, Unconfined};
use crate::vault::Clock;

/// What one run of the program is given.
pub struct Context<'a> {
    /// The disk.
    pub disk: &'a dyn Disk,
    /// The device's clock.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub rng: &'a mut dyn CryptoRngCore,
    /// Tells this machine from others.
    pub machine: Hash,
    /// Environment variables.
    pub env: BTreeMap<String, OsString>,
    /// The current folder, absolute.
    pub folder: PathBuf,
    /// Whether relative paths must be put behind `folder`: false in a process that stands there.
    pub rebase: bool,
    /// Standard input.
    pub stdin: &'a mut dyn Read,
    /// Results.
    pub stdout: &'a mut dyn Write,
    /// Talk.
    pub stderr: &'a mut dyn Write,
    /// What of these is a terminal.
    pub terminal: Terminal,
    /// The person at the terminal.
    pub ask: &'a mut dyn Ask,
    /// Set when the person wants to stop.
    pub stopped: &'a AtomicBool,
    /// Gives up, for good, what is not within reach.
    pub confine: &'a mut dyn FnMut(&Reach) -> Result<(), Unconfined>,
}

/// What is known of the terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// Standard input is one.
    pub input: bool,
    /// Standard output is one.
    pub output: bool,
    /// Standard error is one.
    pub errors: bool,
    /// Its columns; 0 where unknown.
    pub width: usize,
}

/// The person at the terminal. `None` is the end of input, or that there is no terminal.
pub trait Ask {
    /// Shows the prompt and reads a line, without its end.
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>>;
    /// Shows the prompt and reads a line that is not shown.
    fn passphrase(&mut self, prompt: &str) -> io::Result<Option<Zeroizing<String>>>;
    /// Shows a page and the prompt below it where no scrollback keeps them, reads a line, and takes all of it away.
    fn privately(&mut self, page: &str, prompt: &str) -> io::Result<Option<Zeroizing<String>>>;
}
