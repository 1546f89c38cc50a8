//! The plaintext of a wrapped vault key: a valid age identity file of exactly 512 bytes, so that stock `age` can use
//! what it decrypts, and all wrapped keys have one size. All that its id is made of stands in it.

use zeroize::Zeroizing;

use super::ids::{KeyId, LogId};
use super::role::Scope;
use crate::crypto::recipient::Identity;

/// The length of every wrapped key's plaintext.
pub const KEY_FILE_BYTES: usize = 512;
/// A wrapped key, with all that age puts around it, is a few kilobytes: longer files are refused.
pub const WRAPPED_KEY_BYTES_MAX: u64 = 64 << 10;

const FIRST_LINE: &str = "# amparo.v1/key";

/// The plaintext is not what the format prescribes.
#[derive(Debug, thiserror::Error)]
#[error("it is not a vault key as the format prescribes")]
pub struct KeyFileError;

/// A vault key with all that its id is made of.
#[derive(Clone)]
pub struct KeyFile {
    /// The log whose entry brought it.
    pub log: LogId,
    /// What it opens.
    pub scope: Scope,
    /// Which in the order of its scope's keys.
    pub epoch: u32,
    /// The key.
    pub key: Identity,
}

impl KeyFile {
    /// Its id: nobody else can bring this key under it, nor for something else.
    pub fn id(&self) -> KeyId {
        KeyId::derive(&self.log, &self.scope, self.epoch, &self.key.recipient().to_string())
    }

    /// The plaintext that hands it on: comments, the key, and line feeds up to 512 bytes.
    pub fn print(&self) -> Zeroizing<Vec<u8>> {
        let Self { log, scope, epoch, key } = self;
        let secret = key.to_secret_line();
        let mut text = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES));
        text.extend_from_slice(format!("{FIRST_LINE}\n# log {log}\n# scope {scope}\n# epoch {epoch}\n").as_bytes());
        text.extend_from_slice(secret.as_bytes());
        text.resize(KEY_FILE_BYTES, b'\n');
        text
    }

    /// Reads such a plaintext. Whether anybody brought such a key, the logs tell.
    pub fn parse(plaintext: &[u8]) -> Result<Self, KeyFileError> {
        let text = std::str::from_utf8(plaintext).map_err(|_| KeyFileError)?;
        let file = Self::read(text).ok_or(KeyFileError)?;
        if file.print().as_slice() == plaintext { Ok(file) } else { Err(KeyFileError) }
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return None;
        }
        let mut comment =
            |name: &str| lines.next().and_then(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(' '));
        let log = LogId::from_hex(comment("log")?)?;
        let scope = comment("scope")?.parse().ok()?;
        let epoch = comment("epoch")?.parse().ok()?;
        let key = lines.next()?.parse().ok()?;
        Some(Self { log, scope, epoch, key })
    }
}
