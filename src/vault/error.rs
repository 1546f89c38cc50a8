//! Why a verb could not do what it was asked. Plain facts; the room above finds the words and the way out.

use super::findings::{Finding, Findings, Verdict};
use super::pouch::PouchError;
use super::seal::NewReaders;
use crate::crypto::envelope::EnvelopeError;
use crate::format::card::CardError;
use crate::format::form::FormError;
use crate::format::identity_file::IdentityFileError;
use crate::format::ids::{LogId, VaultId};
use crate::format::listing::ListingError;
use crate::format::payload::PayloadError;
use crate::format::pseudonym::PseudonymError;
use crate::format::receipt::ReceiptError;
use crate::format::record::RecordError;
use crate::format::vault_file::VaultFileError;
use crate::store::StoreError;

/// Why a verb could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what the fields are")]
pub enum VaultError {
    /// There is no `VAULT` file, and no vault that is known here.
    #[error("this folder is not a vault")]
    NotAVault,
    #[error(transparent)]
    VaultFile(#[from] VaultFileError),
    /// The identity opens no key of the vault.
    #[error("no key here opens it")]
    NoKey,
    /// The founding entry is missing or does not hold.
    #[error("the founding entry of this vault is missing or does not hold")]
    NoFounding { findings: Findings },
    #[error("this device does not know the vault yet")]
    NotPinned { vault: VaultId },
    #[error("this is another vault than the one that was named: {vault}")]
    OtherVault { vault: VaultId },
    #[error("{}: {_0}", if _0.weight == Verdict::Invalid { "the vault does not verify" } else { "this copy is not whole" })]
    Unsound(#[from] Finding),
    #[error("this copy is older than what this device has seen or written: log {log}")]
    OlderCopy { log: LogId },
    #[error("two histories of this custody record are signed with one key, and part after {parted} events: log {log}")]
    Contradicted { log: LogId, parted: u64 },
    #[error("this is no copy of a vault")]
    NotACopy,
    #[error("this is a copy of another vault: {}", vault.fingerprint())]
    OtherCopy { vault: VaultId },
    #[error("this is the vault itself, not another copy of it")]
    SameFolder,
    #[error(transparent)]
    Pouch(#[from] PouchError),
    #[error("this identity may not {what} in this vault")]
    NotInRole { what: &'static str, role: String },
    #[error("in this copy this identity is no member of the vault, and may not {what}")]
    NotAMember { what: &'static str },
    #[error("there is no exhibit {id}")]
    NoExhibit { id: String },
    #[error(
        "there is no exhibit {id} in what this identity can see: {name} was removed from this vault, and what was sealed since is closed to her"
    )]
    NoExhibitSince { id: String, name: String },
    #[error("more than one exhibit is called {id}: {}", choices.join(", "))]
    AmbiguousExhibit { id: String, choices: Vec<String> },
    #[error("there is no entry {entry}")]
    NoEntry { entry: String },
    #[error("more than one entry is called {entry}: {}", choices.join(", "))]
    AmbiguousEntry { entry: String, choices: Vec<String> },
    #[error("nobody in this vault is called {name}")]
    NoMember { name: String },
    #[error("more than one member is called {name}: {}", choices.join(", "))]
    AmbiguousMember { name: String, choices: Vec<String> },
    #[error("the handle {handle} is somebody else's in this vault")]
    HandleTaken { handle: String },
    #[error("{name} cannot be removed: {why}")]
    NotRemovable { name: String, why: &'static str },
    #[error("{name} is the only reader of the section {section:?}: nobody could open what is sealed after that")]
    LastReader { name: String, section: String },
    #[error("{entry} stands in no custody record of {name}")]
    NotHers { entry: String, name: String },
    #[error("{entry}: another entry of the same custody record was named too")]
    LogTwice { entry: String },
    #[error("{entry} came too late already: an earlier removal lets less count, and no removal lets more count")]
    CutBefore { entry: String },
    #[error("{entry} cannot be made to count: {why}")]
    NotAdoptable { entry: String, why: String },
    #[error("{}", in_words(keys))]
    NewReaders { keys: Vec<NewReaders> },
    #[error("{name} is no member of this vault any more")]
    RemovedMember { name: String },
    #[error("an offer to oneself is no handover")]
    OfferToOneself,
    #[error("nothing waits for an answer of this identity")]
    NothingOffered,
    #[error("more than one offer waits for an answer: {}", offers.join(", "))]
    SeveralOffers { offers: Vec<String> },
    #[error("the custody event {entry} is no offer that counts")]
    NotAnOffer { entry: String },
    #[error("the offer {offer} was made to {to}, who alone can answer it")]
    NotYourOffer { offer: String, to: String },
    #[error("the offer {offer} was answered before: {status}, in {answer}")]
    Answered { offer: String, status: &'static str, answer: String },
    #[error("this copy is older than what this device has seen: {}", logs.join(", "))]
    OlderThanSeen { logs: Vec<String> },
    #[error("{what}: at most 4096 bytes of text, and no control characters")]
    NotWords { what: &'static str },
    #[error("exhibit {id} is sealed to readers of the section {section:?}, and this identity is none of them")]
    NotReadable { id: String, section: String },
    #[error(
        "exhibit {id} is sealed to readers of the section {section:?}: this identity is one of them and was not handed the key yet; {} could hand it on",
        if from.is_empty() { "nobody who is left".into() } else { from.join(", ") }
    )]
    AwaitsKey { id: String, section: String, from: Vec<String> },
    #[error(
        "exhibit {id} is sealed to readers of the section {section:?}: the key exists in shares alone, and this identity has none; those who have can open it together"
    )]
    NoShareOfKey { id: String, section: String, is_newest: bool },
    #[error(
        "exhibit {id} is sealed to readers of the section {section:?}: the key file of this identity {}",
        if *is_whole { "does not give the key that was promised" } else { "is missing or damaged in this copy" }
    )]
    KeyLost { id: String, section: String, is_whole: bool },
    #[error(
        "exhibit {id} opens when {needed} readers of the section {section} come together, and {here} {} here; {} could lend theirs",
        if *here == 1 { "share is" } else { "shares are" },
        if able.is_empty() { "nobody".into() } else { able.join(", ") }
    )]
    TooFewShares {
        id: String,
        section: String,
        epoch: u32,
        needed: u8,
        here: usize,
        able: Vec<String>,
        own_name: String,
    },
    #[error("the lent share {file} is damaged, or no lent share")]
    LentDamaged { file: String },
    #[error("the lent share {file} was lent to somebody else")]
    LentToOther { file: String },
    #[error("the lent share {file} is of another vault, or of a key that this copy does not know")]
    LentElsewhere { file: String },
    #[error("the lent share {file} is not the share that was handed to {member}: its bytes are others")]
    LentWrong { file: String, member: String },
    #[error("the lent share {file} is the share of {member}, which is here already")]
    LentTwice { file: String, member: String },
    #[error(
        "the shares of the section {section} are those that were handed out, and do not give its key: whoever split it handed out something else"
    )]
    SharesOfNothing { section: String },
    #[error(
        "this identity holds no share of that key of the section {section}: either it is not split, or it was not handed to you"
    )]
    NoShare { section: String },
    #[error(
        "{name} holds no share of that key of the section {section}: a share is lent to another reader of it, and to nobody else"
    )]
    NoBorrower { name: String, section: String },
    #[error(
        "{needed} of {readers} cannot be asked for in the section {section}: from 2 up to its readers, who are at most 16"
    )]
    Quorum { needed: u8, section: String, readers: usize },
    #[error(
        "the key to the section {section} is handed out in shares, of which there are at most 16: {readers} readers are too many"
    )]
    TooManyShares { section: String, readers: usize },
    /// What was to be said does not fit into an entry.
    #[error(
        "what would be entered has {bytes} bytes, and an entry of the record holds 4 MiB: name fewer exhibits at a time"
    )]
    EntryTooLong { bytes: u64 },
    #[error("nobody awaits a share of a section's newest key, and no section was named")]
    NothingToRotate,
    #[error("only one exhibit of a single file can go to standard output")]
    OneExhibitOnly,
    #[error("the output could not be written: {source}")]
    Output { source: std::io::Error },
    #[error("a source could not be read: {source}")]
    SourceUnreadable { source: std::io::Error },
    #[error("consent to show exhibit {id} was withdrawn")]
    Withdrawn { id: String },
    #[error("what was written is not what can be read back from the disk: {path}")]
    ReadBack { path: String },
    #[error("{path} changed while it was read")]
    SourceChanged { path: String },
    #[error("there is nothing to seal")]
    NothingToSeal,
    #[error("{path} exists already")]
    Exists { path: String },
    #[error("the folder {folder} holds more names than a vault can have")]
    TooMany { folder: String },
    #[error("the vault has no section {section:?}")]
    NoSection { section: String },
    #[error("nobody holds a key that opens the section {section:?}")]
    NoReader { section: String },
    #[error("the same card is given twice for one role")]
    CardTwice,
    #[error("{needed} monitors are to sign each state, and {given} are named")]
    TooFewMonitors { needed: u32, given: usize },
    #[error("stopped before the end, as asked")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    #[error(transparent)]
    Card(#[from] CardError),
    #[error(transparent)]
    IdentityFile(#[from] IdentityFileError),
    #[error(transparent)]
    Pseudonym(#[from] PseudonymError),
    #[error(transparent)]
    Listing(#[from] ListingError),
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

fn in_words(keys: &[NewReaders]) -> String {
    let of = |key: &NewReaders| format!("the section {} by {}", key.section, key.names().join(", "));
    let all: Vec<String> = keys.iter().map(of).collect();
    format!("the key is new to this device, and nobody has agreed here to its readers: {}", all.join("; "))
}
