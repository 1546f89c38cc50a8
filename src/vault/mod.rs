//! What a person can do, one verb a file. A verb takes a [`Setting`] and a request and returns an outcome; it never
//! prints, never reads a clock, a home folder or the environment by itself.
//!
//! Every verb but `create` starts at the same place: [`session`] opens the folder, this device's memory of it and the
//! person's keys, and [`history`] turns the logs into one checked story. What a verb changes goes through [`commit`].

pub mod border_check;
pub(crate) mod change;
mod clock;
pub mod commit;
mod content;
pub mod cosign;
pub mod create;
pub mod custody;
pub mod device;
pub mod doctor;
pub mod exhibits;
pub mod findings;
pub mod history;
pub mod identity;
mod interrupted;
pub mod keyring;
pub mod labels;
pub mod lend;
pub mod list;
pub mod members;
pub mod merge;
mod named;
pub mod open;
mod orphans;
pub mod parallel;
pub mod pouch;
pub mod quorum;
pub mod receipt;
pub mod seal;
pub mod session;
pub mod show;
pub mod survey;
pub mod verify;
pub mod wrap;

mod error;

pub use clock::ClockDoubt;
pub use error::VaultError;

use std::time::Duration;

use rand_core::CryptoRngCore;

use crate::crypto::hash::Hash;
use crate::store::Disk;

/// What every verb is given by the room above: nothing here is global.
pub struct Setting<'a> {
    /// The disk, or a model of one.
    pub disk: &'a dyn Disk,
    /// The time as this device claims it.
    pub clock: &'a dyn Clock,
    /// Randomness (age alone draws its own).
    pub rng: &'a mut dyn CryptoRngCore,
    /// Progress, and the wish to stop.
    pub watch: &'a dyn Watch,
    /// What tells this machine from another: a device memory copied to another machine is not continued.
    pub machine: Hash,
}

/// The device's clock.
pub trait Clock {
    /// The claimed time, with the device's offset.
    fn now(&self) -> jiff::ZonedDateTime;
    /// Time since some fixed moment, never going back.
    fn elapsed(&self) -> Duration;
}

/// What progress advances by for a sealed file whose length is not known before it is read.
const FILE_STEP: u64 = 1 << 20;

/// Who watches a verb at work.
pub trait Watch: Sync {
    /// A stage begins; `bytes` when its length is known.
    fn begin(&self, stage: Stage, bytes: Option<u64>);
    /// So many bytes of the stage are done.
    fn advance(&self, bytes: u64);
    /// Whether the person wants to stop; asked at every safe point.
    fn stopped(&self) -> bool;
    /// Something is being signed, and the clock is plainly wrong.
    fn doubts_clock(&self, _doubt: &ClockDoubt) {}
}

/// What a verb is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading and checking the logs.
    Logs,
    /// Looking through folders.
    Looking,
    /// Reading, encrypting, writing, reading back.
    Sealing,
    /// Decrypting and checking exhibits.
    Opening,
    /// Hashing what is on the disk.
    Checking,
    /// Taking in another copy.
    Merging,
    /// Writing a pouch.
    Packing,
    /// Making a pouch's parity.
    Parity,
    /// Restoring a damaged pouch.
    Repairing,
}

/// `amparo` and its version: stands in every entry.
pub const TOOL: &str = concat!("amparo ", env!("CARGO_PKG_VERSION"));

/// RFC 3339 with whole seconds and a numeric offset.
pub fn claimed_time(clock: &dyn Clock) -> String {
    let now = clock.now();
    now.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Fresh random bytes.
pub(crate) fn random<const N: usize>(rng: &mut dyn CryptoRngCore) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}
