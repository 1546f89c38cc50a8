//! Examining this device as somebody would who searched it: what lies where, by its content, and what each thing could
//! open. Two verbs rest on it: `border-check` and `doctor`. Nothing is changed here, and no secret leaves.
//!
//! - this file: what can be found, and [`Opens`]: what a thing opens
//! - [`kinds`]: what a file is, by its first bytes
//! - [`walk`]: through folders of any size, bounded, never through a link
//! - [`gather`]: everything that lies in the places that were named
//! - [`reach`]: what a key opens in the vaults that lie here
//! - [`together`]: shares of one key that meet here
//! - [`traces`]: what other programs remember
//! - [`machine`]: what the system writes to the disk of what was in memory

pub(super) mod gather;
mod kinds;
pub mod machine;
pub(super) mod reach;
mod together;
pub(super) mod traces;
mod walk;

use std::path::{Path, PathBuf};

use super::VaultError;
use crate::format::ids::VaultId;
use machine::Leak;
pub use traces::Home;
pub use walk::NotLooked;

/// What a thing opens for whoever has it, with the passphrase where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// Nothing.
    Nothing,
    /// The custody story: who, when, how many; no content.
    Custody,
    /// Content that was sealed, or words of it; or it is such content, in the clear.
    Content,
    /// It cannot be told from here.
    Unknown,
}

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A person's secret.
    Identity,
    /// Another secret key of `age`.
    AgeKey,
    /// A key of a vault, unwrapped.
    VaultKey,
    /// Words of a passphrase, or of a paper copy.
    Words,
    /// A share of a key, made out to a key that lies here.
    Share,
    /// Something under a passphrase.
    LockedFile,
    /// An exhibit that was opened.
    OpenedExhibit,
    /// What an interrupted opening, or an editor, left.
    Temporary,
    /// A form.
    Form,
    /// Lines in the history of a shell.
    History,
    /// Lists of recent files.
    Recent,
    /// Small pictures of pictures.
    Thumbnails,
    /// A vault.
    Vault,
    /// What a device remembers.
    State,
    /// A pouch, or another age file to keys.
    AgeFile,
    /// A card.
    Card,
    /// A receipt.
    Receipt,
    /// A receipt in its short form, as a line or as a QR code.
    ShortReceipt,
    /// A text of cosignatures, or another signed state.
    Cosignatures,
    /// A report of a check.
    Report,
    /// Another text of this program.
    Document,
    /// A core dump.
    CoreFile,
    /// Swap on a disk.
    Swap,
    /// Sleep that writes memory to a disk.
    Hibernation,
    /// Where crashes go.
    CoreDumps,
    /// Files of any other kind in a place that was named.
    Files,
}

impl Kind {
    /// Whether it is a secret that opens things. If nobody can tell what, it counts as one that opens content.
    pub fn is_key(self) -> bool {
        matches!(self, Self::Identity | Self::AgeKey | Self::VaultKey | Self::Words | Self::Share | Self::LockedFile)
    }
}

/// What one key opens in one vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The vault's folder.
    pub vault: PathBuf,
    /// What it opens there.
    pub opens: Opens,
    /// Sections whose content it opens.
    pub sections: Vec<String>,
    /// Sections of which it has a share of the key: with the shares of others it opens them.
    pub shares: Vec<String>,
    /// How many people the custody story names.
    pub members: u64,
    /// How many exhibits it counts.
    pub exhibits: u64,
    /// Why it could not be told.
    pub trouble: Option<String>,
}

/// What is known of a thing beyond its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Nothing more.
    Nothing,
    /// Under a passphrase; whether one that does not open it was tried.
    Locked {
        /// A passphrase was tried in vain.
        tried: bool,
    },
    /// A key that could be looked into.
    Key {
        /// Whether it lies there without a passphrase.
        bare: bool,
        /// What it opens in each vault here.
        reaches: Vec<Reach>,
        /// Vaults that this device knows and that lie in none of the places looked at.
        elsewhere: usize,
        /// Sections that it opens with the other shares that lie here, and not alone.
        together: Vec<String>,
    },
    /// A share of a key, outside of the vault.
    Share {
        /// Of which sections' keys.
        sections: Vec<String>,
        /// Whether, with the others that lie here, it opens them.
        enough: bool,
    },
    /// A vault.
    Vault {
        /// Whether this device knows it.
        known: bool,
    },
    /// What a device remembers.
    State {
        /// The vaults.
        vaults: Vec<VaultId>,
    },
    /// An encrypted file.
    Encrypted {
        /// Its length.
        bytes: u64,
        /// Whether a key that lies here opens it; `None` where a key here could not be looked into.
        here: Option<bool>,
        /// Whether it is a volume of a pouch, or parity: it says so.
        is_part: bool,
    },
    /// A form.
    Form {
        /// Whether answers stand in it.
        answered: bool,
    },
    /// Lines that concern this program, a vault or an exhibit.
    Lines {
        /// How many.
        count: u64,
        /// The numbers of the first of them.
        lines: Vec<u64>,
        /// Whether titles or fields stand in them.
        words: bool,
    },
    /// Places in a list.
    Places {
        /// How many.
        count: u64,
    },
    /// Small pictures.
    Pictures {
        /// How many.
        count: u64,
    },
    /// Other files.
    Files {
        /// How many.
        count: u64,
    },
    /// What the system does.
    Leak(Leak),
}

/// One thing that a search would find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Find {
    /// What it is.
    pub kind: Kind,
    /// Where it lies.
    pub path: PathBuf,
    /// What it opens.
    pub opens: Opens,
    /// What else is known of it.
    pub fact: Fact,
}

impl Find {
    fn new(kind: Kind, path: &Path, opens: Opens, fact: Fact) -> Self {
        Self { kind, path: path.to_path_buf(), opens, fact }
    }

    /// Whether it opens content, or could: what nobody can tell of a key is not taken for good.
    pub fn may_open_content(&self) -> bool {
        match self.opens {
            Opens::Content => true,
            Opens::Unknown => self.kind.is_key(),
            Opens::Nothing | Opens::Custody => false,
        }
    }

    /// With the other shares that lie here it opens these sections.
    pub(super) fn open_together(&mut self, sections: Vec<String>) {
        self.opens = Opens::Content;
        match &mut self.fact {
            Fact::Key { together, .. } => *together = sections,
            fact => *fact = Fact::Share { sections, enough: true },
        }
    }

    pub(super) fn leak(leak: Leak) -> Self {
        let (kind, path, opens) = match &leak {
            Leak::Swap(name, machine::Encrypted::Yes) => (Kind::Swap, name.clone(), Opens::Nothing),
            Leak::Swap(name, _) => (Kind::Swap, name.clone(), Opens::Unknown),
            Leak::Hibernation => (Kind::Hibernation, "/sys/power/state".into(), Opens::Unknown),
            Leak::CoreFiles | Leak::CoreProgram(_) => {
                (Kind::CoreDumps, "/proc/sys/kernel/core_pattern".into(), Opens::Unknown)
            }
        };
        Self { kind, path: path.into(), opens, fact: Fact::Leak(leak) }
    }
}

/// How a report of a check begins, by which it is known again.
pub const REPORT_FIRST_LINE: &str = "# Check of an evidence vault";

/// The most bytes of a file that is looked into as a key: no key has more.
const KEY_FILE_BYTES_MAX: u64 = 64 << 10;

/// The whole of a small file, wiped when dropped.
fn read_key_file(disk: &dyn crate::store::Disk, path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, VaultError> {
    let bytes_max = usize::try_from(KEY_FILE_BYTES_MAX).expect("64 KiB");
    Ok(zeroize::Zeroizing::new(disk.read_start(path, bytes_max)?))
}

/// Whether a file is a form with answers in it.
pub(super) fn is_answered_form(disk: &dyn crate::store::Disk, path: &Path, bytes: u64) -> bool {
    let name = path.file_name().unwrap_or_default();
    bytes <= crate::format::form::FORM_BYTES_MAX as u64
        && read_key_file(disk, path).is_ok_and(|text| kinds::shape(name, &text) == Some(kinds::Shape::Form(true)))
}
