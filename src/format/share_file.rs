//! The plaintext of a wrapped file that holds a share of a content key instead of the key, and of the small file with
//! which a reader lends her share to another for an opening.

use zeroize::Zeroizing;

use super::event::Share as Described;
use super::ids::{KeyId, MemberId, VaultId};
use super::key_file::KEY_FILE_BYTES;
use super::role::Scope;
use super::words::bytewords;
use crate::crypto::hash::{Hash, hex, unhex};
use crate::crypto::shares::{SHARES_MAX, Share};

/// The length of every lent share's plaintext.
pub const LENT_BYTES: usize = 1024;
/// A lent share, with all that age and its text form put around it: longer files are refused.
pub const LENT_FILE_BYTES_MAX: u64 = 64 << 10;

const FIRST_LINE: &str = "# amparo.v1/share";
const LENT_FIRST_LINE: &str = "# amparo.v1/lent-share";

/// The plaintext is not what the format prescribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a share of a vault key as the format prescribes")]
pub struct ShareFileError;

/// A share of a content key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareFile {
    /// What the key opens.
    pub scope: Scope,
    /// Which in the order of its scope's keys.
    pub epoch: u32,
    /// The same for all shares of one splitting.
    pub split: [u8; 16],
    /// How many shares there are.
    pub total: u8,
    /// The share itself, with its index and how many must come together.
    pub share: Share,
}

/// A share that a reader lends to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LentShare {
    /// Of which vault.
    pub vault: VaultId,
    /// Of which key.
    pub key: KeyId,
    /// Who lends it.
    pub from: MemberId,
    /// To whom.
    pub to: MemberId,
    /// What is lent.
    pub file: ShareFile,
}

/// SHA-256 of a share's 37 bytes: what the entry says of it.
pub fn hash_of(share: &Share) -> Hash {
    Hash::of(share.as_bytes())
}

impl ShareFile {
    /// What the entry that hands it out says of it.
    pub fn described(&self) -> Described {
        let (index, needed) = (self.share.index(), self.share.needed());
        Described { split: self.split, index, needed, total: self.total, hash: hash_of(&self.share) }
    }

    /// The plaintext: comments, the share, and line feeds up to 512 bytes.
    pub fn print(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::with_capacity(LENT_BYTES));
        self.lines(&mut text);
        text.resize(KEY_FILE_BYTES, b'\n');
        text
    }

    /// Reads such a plaintext; what it says of itself is for the logs to confirm.
    pub fn parse(plaintext: &[u8]) -> Result<Self, ShareFileError> {
        let text = std::str::from_utf8(plaintext).map_err(|_| ShareFileError)?;
        let share = Self::read(&mut text.split('\n')).ok_or(ShareFileError)?;
        if share.print().as_slice() == plaintext { Ok(share) } else { Err(ShareFileError) }
    }

    fn lines(&self, text: &mut Vec<u8>) {
        let Described { split, index, needed, total, .. } = self.described();
        let (scope, epoch, split) = (&self.scope, self.epoch, hex(&split));
        let comments = format!(
            "{FIRST_LINE}\n# scope {scope}\n# epoch {epoch}\n# split {split}\n# index {index}\n# needed {needed}\n# total {total}\n"
        );
        text.extend_from_slice(comments.as_bytes());
        text.extend_from_slice(bytewords::ur(&self.share).as_bytes());
    }

    fn read<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        if lines.next() != Some(FIRST_LINE) {
            return None;
        }
        let mut comment =
            |name: &str| lines.next().and_then(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(' '));
        let scope = comment("scope")?.parse().ok()?;
        let epoch = comment("epoch")?.parse().ok()?;
        let split = unhex(comment("split")?)?;
        let (index, needed) = (comment("index")?, comment("needed")?);
        let total: u8 = comment("total")?.parse().ok()?;
        let share = bytewords::from_ur(lines.next()?).ok()?;
        // The numbers stand in the share, too: the print is compared with what was read.
        let agrees = share.index().to_string() == index && share.needed().to_string() == needed;
        let fits = total <= SHARES_MAX && share.index() <= total && share.needed() <= total;
        (agrees && fits && scope != Scope::Custody).then_some(Self { scope, epoch, split, total, share })
    }
}

impl LentShare {
    /// The plaintext: comments, the share as it was wrapped, and line feeds up to 1,024 bytes.
    pub fn print(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::with_capacity(LENT_BYTES));
        let Self { vault, key, from, to, file } = self;
        let comments = format!("{LENT_FIRST_LINE}\n# vault {vault}\n# key {key}\n# from {from}\n# to {to}\n");
        text.extend_from_slice(comments.as_bytes());
        file.lines(&mut text);
        text.resize(LENT_BYTES, b'\n');
        text
    }

    /// Reads such a plaintext.
    pub fn parse(plaintext: &[u8]) -> Result<Self, ShareFileError> {
        let text = std::str::from_utf8(plaintext).map_err(|_| ShareFileError)?;
        let lent = Self::read(text).ok_or(ShareFileError)?;
        if lent.print().as_slice() == plaintext { Ok(lent) } else { Err(ShareFileError) }
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        if lines.next() != Some(LENT_FIRST_LINE) {
            return None;
        }
        let mut id =
            |name: &str| lines.next().and_then(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(' '));
        let vault = VaultId::from_hex(id("vault")?)?;
        let key = KeyId::from_hex(id("key")?)?;
        let from = MemberId::from_hex(id("from")?)?;
        let to = MemberId::from_hex(id("to")?)?;
        Some(Self { vault, key, from, to, file: ShareFile::read(&mut lines)? })
    }
}

#[cfg(test)]
mod tests {
    use rand_core::OsRng;

    use super::*;
    use crate::crypto::shares::split;
    use crate::format::role::Section;

    fn share() -> ShareFile {
        let share = split(&[9; 32], 2, 3, &mut OsRng).remove(1);
        ShareFile { scope: Scope::Content(Section::main()), epoch: 4, split: [0xab; 16], total: 3, share }
    }

    fn lent() -> LentShare {
        let id = |text: &[u8]| Hash::of(text);
        let (vault, key) = (VaultId(id(b"v")), KeyId(id(b"k")));
        LentShare { vault, key, from: MemberId(id(b"from")), to: MemberId(id(b"to")), file: share() }
    }

    fn changed(from: &str, to: &str) -> Result<ShareFile, ShareFileError> {
        let text = String::from_utf8(share().print().to_vec()).expect("text");
        assert!(text.contains(from), "nothing to change");
        let mut text = text.replacen(from, to, 1).into_bytes();
        text.resize(KEY_FILE_BYTES, b'\n');
        ShareFile::parse(&text)
    }

    #[test]
    fn both_are_read_as_they_were_written_at_one_length() {
        let (share, lent) = (share(), lent());
        assert_eq!((share.print().len(), lent.print().len()), (KEY_FILE_BYTES, LENT_BYTES));
        assert_eq!(ShareFile::parse(&share.print()), Ok(share.clone()));
        assert_eq!(LentShare::parse(&lent.print()), Ok(lent.clone()));
        assert!(share.print().starts_with(b"# amparo.v1/share\n# scope main\n# epoch 4\n# split abab"));
        assert!(ShareFile::parse(&lent.print()).is_err() && LentShare::parse(&share.print()).is_err());
        let longest = ShareFile { scope: "a234567890123456".parse().expect("16 letters"), epoch: u32::MAX, ..share };
        assert_eq!(ShareFile::parse(&longest.print()), Ok(longest.clone()));
        let longest = LentShare { file: longest, ..lent };
        assert_eq!(LentShare::parse(&longest.print()), Ok(longest));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        assert!(changed("# index 2", "# index 2").is_ok());
        for (from, to) in [
            ("# index 2", "# index 1"),
            ("# needed 2", "# needed 3"),
            ("# total 3", "# total 1"),
            ("# total 3", "# total 17"),
            ("# epoch 4", "# epoch 04"),
            ("# split ab", "# split AB"),
            ("scope main", "scope custody"),
            ("ur:sskr/", "ur:sskr/ae"),
            ("amparo.v1", "amparo.v2"),
        ] {
            assert!(changed(from, to).is_err(), "{to}");
        }
        let bytes = share().print();
        assert!(ShareFile::parse(&bytes[..511]).is_err());
    }
}
