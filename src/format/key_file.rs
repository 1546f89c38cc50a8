//! The plaintext of a wrapped vault key: a valid age identity file of exactly 512 bytes, so that stock `age` can use
//! what it decrypts, and all wrapped keys have one size.

use zeroize::Zeroizing;

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

/// The plaintext that hands `key` on: comments, the key, and line feeds up to 512 bytes.
pub fn print(scope: &Scope, epoch: u32, key: &Identity) -> Zeroizing<Vec<u8>> {
    let secret = key.to_secret_line();
    let mut text = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES));
    text.extend_from_slice(format!("{FIRST_LINE}\n# scope {scope}\n# epoch {epoch}\n").as_bytes());
    text.extend_from_slice(secret.as_bytes());
    text.resize(KEY_FILE_BYTES, b'\n');
    text
}

/// Reads such a plaintext; scope and epoch are what the file says, the logs decide.
pub fn parse(plaintext: &[u8]) -> Result<(Scope, u32, Identity), KeyFileError> {
    let text = std::str::from_utf8(plaintext).map_err(|_| KeyFileError)?;
    let mut lines = text.split('\n');
    if lines.next() != Some(FIRST_LINE) {
        return Err(KeyFileError);
    }
    let mut comment =
        |name: &str| lines.next().and_then(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(' '));
    let scope = comment("scope").and_then(|text| text.parse().ok()).ok_or(KeyFileError)?;
    let epoch = comment("epoch").and_then(|text| text.parse().ok()).ok_or(KeyFileError)?;
    let key: Identity = lines.next().and_then(|line| line.parse().ok()).ok_or(KeyFileError)?;
    if print(&scope, epoch, &key).as_slice() == plaintext { Ok((scope, epoch, key)) } else { Err(KeyFileError) }
}
