//! What went wrong, in words, with a way out and an exit code: one place for all of it.

mod pouch;

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use super::call::Call;
use super::output::{Tone, json_text, shown};
use super::{Exit, FAILED, INCOMPLETE, INTERRUPTED, INVALID, LOCKED, NO_KEY, NO_VAULT, UNKNOWN, USAGE, hints};
use crate::crypto::envelope::EnvelopeError;
use crate::crypto::shares::SharesError;
use crate::format::card::CardError;
use crate::format::cosignatures::CosignaturesError;
use crate::format::fields::FieldError;
use crate::format::form::FormError;
use crate::format::identity_file::IdentityFileError;
use crate::format::receipt::ReceiptError;
use crate::format::vault_file::VaultFileError;
use crate::format::words::WordsError;
use crate::store::StoreError;
use crate::vault::VaultError;
use crate::vault::findings::Verdict;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("there is no vault in this folder or above it")]
    NoVault,
    #[error("{} {}", folder.display(), if *exists { "is not a vault" } else { "does not exist" })]
    NotThere { folder: PathBuf, exists: bool },
    #[error("this device does not know the vault yet")]
    UnknownVault,
    #[error("there is no identity in {}", file.display())]
    NoIdentity { file: PathBuf, named: bool },
    #[error("{} cannot be used as an identity: {error}", file.display())]
    Identity { file: PathBuf, error: IdentityFileError },
    #[error("{what} is needed, and nobody can be asked here")]
    Needs { what: &'static str, flag: &'static str },
    #[error("standard input is {}; it can be read once", read_twice(first, second))]
    TwoReaders { first: &'static str, second: &'static str },
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("the form {} cannot be taken: {error}", file.display())]
    Form { file: PathBuf, error: FormError },
    #[error("{} is no card that holds: {error}", file.display())]
    Card { file: PathBuf, error: CardError },
    #[error("these are not the digits of the card that calls itself {name}: it may be somebody else's")]
    OtherCard { name: String },
    #[error("the readers were not accepted; nothing was sealed")]
    ReadersRefused,
    #[error("{} holds no cosignatures that can be read: {error}", file.display())]
    Cosignatures { file: PathBuf, error: CosignaturesError },
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    #[error("{what} is not text in UTF-8")]
    NotText { what: &'static str },
    #[error("{} exists already", path.display())]
    Exists { path: PathBuf },
    #[error("{} is no vault, receipt, signed state or card, and no proof of contradicting histories", path.display())]
    UnknownKind { path: PathBuf },
    #[error("the short form is longer than a QR code can be")]
    TooLongForQr,
    #[error("the statement would not be true: {reason}")]
    NoCard { reason: String, exit: Exit },
    #[error("the result could not be written")]
    Output { source: io::Error },
    #[error("standard input could not be read")]
    Input { source: io::Error },
    #[error("the terminal could not be read")]
    Terminal { source: io::Error },
    #[error("the words are not taken: {0}")]
    Words(WordsError),
    #[error("the shares are not taken: {0}")]
    Shares(SharesError),
    #[error("the backup is NOT DONE: the words were not typed back")]
    BackupNotDone,
    #[error("the backup is NOT DONE: what was typed back restores another identity")]
    BackupOther,
    #[error("this is not its name; the identity on this device is that of {name}, and it was not removed")]
    OtherName { name: String },
    #[error("stopped before the end, as asked")]
    Stopped,
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Vault(error.into())
    }
}

/// What the person is told beside the message.
struct WayOut {
    exit: Exit,
    hint: Option<String>,
}

impl Call<'_, '_> {
    /// Tells what went wrong; the exit code.
    pub(crate) fn tell(&mut self, error: &CliError) -> Exit {
        let WayOut { exit, mut hint } = way_out(error);
        if self.overwrites && matches!(error, CliError::Exists { .. } | CliError::Vault(VaultError::Exists { .. })) {
            hint = hint.map(|hint| format!("{hint}, or give --overwrite"));
        }
        let hint = hint.map(hints::checked);
        if self.global.json {
            let object = serde_json::json!({ "format": 1, "error": error.to_string(), "hint": hint, "code": exit });
            self.talk(json_text(&object).trim_end());
            return exit;
        }
        if is_had_enough(error) {
            return exit;
        }
        let word = self.set_off("error:", Tone::Bad, self.context.terminal.errors);
        self.talk(&format!("{word} {}", shown(&error.to_string())));
        for cause in causes(error) {
            self.talk(&format!("caused by: {}", shown(&cause)));
        }
        if let Some(hint) = hint {
            self.talk(&format!("hint: {hint}"));
        }
        exit
    }
}

/// Which arguments read standard input.
fn read_twice(first: &str, second: &str) -> String {
    if first == second { "named twice".into() } else { format!("read by {first} and by {second}") }
}

/// Whether whoever read the output has had enough of it: `amparo list | head` is no failure to tell of.
fn is_had_enough(error: &CliError) -> bool {
    let (CliError::Output { source } | CliError::Vault(VaultError::Output { source })) = error else { return false };
    source.kind() == io::ErrorKind::BrokenPipe
}

/// What lies behind an error, as far as it says more than the error itself.
fn causes(error: &CliError) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !said.contains(&text) {
            causes.push(text.clone());
            said = text;
        }
        next = cause.source();
    }
    causes
}

/// Every kind of failure of this room.
fn way_out(error: &CliError) -> WayOut {
    let told = |exit, hint: &str| WayOut { exit, hint: Some(hint.to_string()).filter(|hint| !hint.is_empty()) };
    match error {
        CliError::Vault(error) => vault(error),
        CliError::NoVault => told(NO_VAULT, "name the vault's folder with --vault DIR, or found one: amparo init DIR"),
        CliError::NotThere { exists: false, .. } => told(NO_VAULT, "compare the name with what lies there"),
        CliError::NotThere { .. } => {
            told(NO_VAULT, "name the folder in which the file VAULT lies; amparo init DIR founds a vault")
        }
        CliError::UnknownVault => unknown_vault(),
        CliError::NoIdentity { named: false, .. } => told(NO_KEY, "amparo identity new"),
        CliError::NoIdentity { .. } => {
            told(NO_KEY, "name its file with --identity FILE, or make one: amparo identity new")
        }
        CliError::Identity { .. } => {
            told(FAILED, "name the file that amparo identity new made; a card is not the identity")
        }
        CliError::Needs { flag, .. } => told(USAGE, &format!("give it with {flag}")),
        CliError::TwoReaders { .. } => told(USAGE, "put one of them into a file"),
        CliError::Usage { hint, .. } => WayOut { exit: USAGE, hint: hint.clone() },
        CliError::Field(error) | CliError::Form { error: FormError::Field { error, .. }, .. } => field(error),
        CliError::Form { .. } => told(USAGE, "amparo form testimony"),
        CliError::Card { .. } => told(INVALID, "ask for the card again; amparo identity card prints one"),
        CliError::OtherCard { .. } => told(UNKNOWN, "ask whoever gave you the card for its digits, by another road"),
        CliError::ReadersRefused => told(FAILED, "amparo member list"),
        CliError::Cosignatures { .. } => told(
            INVALID,
            "ask for the file again, as a file and not within a message; take away what is written around it",
        ),
        CliError::NoCard { exit, .. } => told(*exit, "amparo border-check"),
        CliError::EmptyPassphrase => told(USAGE, "an identity without a passphrase is made with --no-passphrase"),
        CliError::PassphrasesDiffer => told(USAGE, ""),
        CliError::Exists { .. } => told(FAILED, "choose another name"),
        CliError::UnknownKind { .. } => told(FAILED, "amparo verify --help"),
        CliError::TooLongForQr => told(FAILED, "amparo custody receipt --help"),
        CliError::NotText { .. } => told(FAILED, "save it again as plain text in UTF-8"),
        CliError::Output { .. } | CliError::Input { .. } | CliError::Terminal { .. } => told(FAILED, ""),
        CliError::Words(_) | CliError::Shares(_) => {
            told(FAILED, "compare with the paper, then amparo identity restore")
        }
        CliError::BackupNotDone | CliError::BackupOther => told(FAILED, "amparo identity backup"),
        CliError::OtherName { .. } => told(FAILED, "amparo identity show"),
        CliError::Stopped => told(INTERRUPTED, ""),
    }
}

/// Where content stays closed: who opens it, or from whom a key comes.
fn keyless(error: &VaultError) -> WayOut {
    let hint = match error {
        VaultError::AwaitsKey { from, .. } if from.is_empty() => "amparo member list".into(),
        VaultError::AwaitsKey { .. } => "by amparo member grant on that device; then merge that copy here".into(),
        VaultError::NoShareOfKey { is_newest: true, .. } => {
            "an owner gives a share of a new key, for what is sealed from then on: amparo member rotate".into()
        }
        VaultError::NoShareOfKey { .. } => "amparo member list".into(),
        VaultError::KeyLost { is_whole: true, .. } => "amparo verify".into(),
        VaultError::KeyLost { .. } => "merge a copy that has it: amparo merge DIR".into(),
        VaultError::TooFewShares { section, epoch, own_name, .. } => {
            // What a lender types, so that it can be told over a telephone.
            let to = hints::word(own_name);
            format!("amparo identity lend --to {to} --section {section} --epoch {epoch} -o share.txt")
        }
        _ => "one of its readers can open it".into(),
    };
    WayOut { exit: NO_KEY, hint: Some(hint) }
}

/// Every kind of failure of the verbs.
fn vault(error: &VaultError) -> WayOut {
    let told = |exit, hint: &str| WayOut { exit, hint: Some(hint.to_string()).filter(|hint| !hint.is_empty()) };
    match error {
        VaultError::NotAVault => told(NO_VAULT, "amparo init DIR"),
        VaultError::VaultFile(VaultFileError::Newer { .. }) => told(FAILED, "use the newer program for this vault"),
        VaultError::VaultFile(VaultFileError::Malformed)
        | VaultError::LentWrong { .. }
        | VaultError::SharesOfNothing { .. } => told(INVALID, "amparo verify"),
        VaultError::NoKey | VaultError::Envelope(EnvelopeError::NotForThisKey) => told(NO_KEY, "amparo identity show"),
        VaultError::NoFounding { findings } => {
            told(by_weight(findings.verdict().max(Verdict::Incomplete)), "amparo verify")
        }
        VaultError::NotPinned { .. } => unknown_vault(),
        VaultError::OtherVault { .. } => told(UNKNOWN, "compare the digits with whoever founded the vault"),
        VaultError::Unsound(finding) => told(by_weight(finding.weight), "amparo verify"),
        VaultError::OlderCopy { .. } => told(INCOMPLETE, "amparo merge DIR"),
        VaultError::Contradicted { .. } => told(INVALID, "amparo verify --fork-proof FILE"),
        VaultError::NotACopy => told(NO_VAULT, "amparo merge --help"),
        VaultError::OtherCopy { .. } => told(UNKNOWN, "compare the digits with whoever gave you the copy"),
        VaultError::SameFolder => told(USAGE, "amparo merge --help"),
        VaultError::Pouch(error) => pouch::way_out(error),
        VaultError::NotAMember { .. } => told(FAILED, "merge a newer copy, or ask an owner: amparo member add CARD"),
        VaultError::NotInRole { role, .. } => {
            told(FAILED, &format!("an owner of the vault can give you the role: amparo member add CARD --role {role}"))
        }
        VaultError::NoExhibit { .. } | VaultError::AmbiguousExhibit { .. } => told(FAILED, "amparo list"),
        VaultError::NoMember { .. }
        | VaultError::TooManyShares { .. }
        | VaultError::EntryTooLong { .. }
        | VaultError::NoShare { .. }
        | VaultError::NoBorrower { .. }
        | VaultError::AmbiguousMember { .. }
        | VaultError::NotRemovable { .. }
        | VaultError::NoSection { .. }
        | VaultError::NotAdoptable { .. } => told(FAILED, "amparo member list"),
        VaultError::HandleTaken { .. } => told(USAGE, "choose another handle, or leave --handle out"),
        VaultError::NothingToRotate => told(USAGE, "amparo member rotate --section main"),
        VaultError::LastReader { section, .. } => {
            told(FAILED, &format!("amparo member add CARD --role reader --section {section}"))
        }
        VaultError::NotHers { .. } | VaultError::LogTwice { .. } => {
            told(USAGE, "name one entry of each of her custody records: amparo member list shows their handles")
        }
        VaultError::CutBefore { entry } => told(FAILED, &format!("amparo member adopt {entry}")),
        VaultError::NewReaders { .. } => told(USAGE, "if these are the readers you mean, say so with --accept-readers"),
        VaultError::RemovedMember { .. } | VaultError::OfferToOneself => told(FAILED, "amparo custody offer --help"),
        VaultError::NoEntry { .. }
        | VaultError::AmbiguousEntry { .. }
        | VaultError::NothingOffered
        | VaultError::NotAnOffer { .. }
        | VaultError::NotYourOffer { .. }
        | VaultError::Answered { .. } => told(FAILED, "amparo custody log"),
        VaultError::SeveralOffers { offers } => {
            WayOut { exit: USAGE, hint: offers.first().map(|first| format!("amparo custody acknowledge {first}")) }
        }
        VaultError::OlderThanSeen { .. } => told(
            INCOMPLETE,
            "take the newer copy with amparo merge DIR; or sign for this one as it is with amparo custody acknowledge --sign-older",
        ),
        VaultError::NotWords { .. } => told(USAGE, ""),
        VaultError::NoExhibitSince { .. } => told(NO_KEY, "amparo member list"),
        VaultError::NotReadable { .. }
        | VaultError::AwaitsKey { .. }
        | VaultError::NoShareOfKey { .. }
        | VaultError::KeyLost { .. }
        | VaultError::TooFewShares { .. } => keyless(error),
        VaultError::LentDamaged { .. } => told(INVALID, "ask for the file again; amparo identity lend makes one"),
        VaultError::LentToOther { .. } => told(NO_KEY, "amparo identity card"),
        VaultError::LentElsewhere { .. } | VaultError::LentTwice { .. } => {
            told(NO_KEY, "ask another reader of this vault; amparo identity lend makes such a file")
        }
        VaultError::OneExhibitOnly => told(USAGE, "amparo open ID -o DIR"),
        VaultError::Withdrawn { .. } => told(FAILED, "amparo open ID -o DIR --reason \"why\""),
        VaultError::ReadBack { .. } => told(FAILED, "do not use this disk; only what was told as done is done"),
        VaultError::SourceChanged { .. } => told(FAILED, "seal it when nothing else writes to it"),
        VaultError::NothingToSeal => told(FAILED, "amparo seal --help"),
        VaultError::Exists { .. } => told(FAILED, "choose another name"),
        VaultError::NoReader { .. } => told(FAILED, "amparo doctor"),
        VaultError::CardTwice | VaultError::TooFewMonitors { .. } | VaultError::Quorum { .. } => {
            told(USAGE, "amparo init --help")
        }
        VaultError::Stopped => told(INTERRUPTED, ""),
        VaultError::Store(error) => store(error),
        VaultError::Envelope(EnvelopeError::WrongPassphrase) => {
            told(NO_KEY, "type it again; if it is lost, only words on paper help: amparo identity restore")
        }
        VaultError::Receipt(ReceiptError::TooLong) => told(FAILED, "amparo custody receipt ID --qr"),
        VaultError::Envelope(EnvelopeError::Damaged { .. }) | VaultError::Card(_) | VaultError::Receipt(_) => {
            told(INVALID, "")
        }
        VaultError::IdentityFile(_) => told(FAILED, "amparo identity new -o FILE"),
        VaultError::Pseudonym(_) => told(USAGE, "amparo identity new --name \"Blue Heron\""),
        VaultError::Output { .. }
        | VaultError::SourceUnreadable { .. }
        | VaultError::TooMany { .. }
        | VaultError::Envelope(EnvelopeError::TooMuchWork { .. })
        | VaultError::Listing(_)
        | VaultError::Form(_)
        | VaultError::Record(_)
        | VaultError::Payload(_) => told(FAILED, ""),
    }
}

/// Every kind of failure of the disk.
fn store(error: &StoreError) -> WayOut {
    let told = |exit, hint: &str| WayOut { exit, hint: Some(hint.to_string()).filter(|hint| !hint.is_empty()) };
    match error {
        StoreError::Locked { .. } => told(LOCKED, "wait until the other amparo has ended"),
        StoreError::Link { .. } => told(FAILED, "name what the link leads to"),
        StoreError::Full { .. } => told(FAILED, "make room, then run the command again: nothing half done counts"),
        StoreError::ReadOnly { .. } => told(FAILED, "copy the vault to a disk that can be written"),
        StoreError::NotDurable { .. } => told(FAILED, "do not trust this disk; nothing unfinished counts"),
        StoreError::Missing { .. } => {
            told(FAILED, "compare the name with what lies there; a name with spaces stands in quotes")
        }
        StoreError::Denied { .. } => told(FAILED, "see who may read or write it: ls -ld, for it and for its folder"),
        StoreError::Exists { .. }
        | StoreError::NotRegular { .. }
        | StoreError::NotFolder { .. }
        | StoreError::NotEmpty { .. }
        | StoreError::TooLarge { .. }
        | StoreError::BadPath { .. }
        | StoreError::Io { .. } => told(FAILED, ""),
    }
}

fn field(error: &FieldError) -> WayOut {
    let hint = match error {
        FieldError::Unknown { .. } | FieldError::FilledIn { .. } => "amparo form document",
        FieldError::Register { .. } => "type it when seal asks, or write it into a form: a command line is remembered",
        FieldError::Empty { .. }
        | FieldError::TooLong { .. }
        | FieldError::Control { .. }
        | FieldError::NoOffset { .. }
        | FieldError::Form { .. } => "",
    };
    WayOut { exit: USAGE, hint: Some(hint.to_string()).filter(|hint| !hint.is_empty()) }
}

fn unknown_vault() -> WayOut {
    let hint = "give the digits that its founder gave you with --vault-id ID, or the founder's card with --owner CARD";
    WayOut { exit: UNKNOWN, hint: Some(hint.into()) }
}

/// The exit code of a verdict.
pub(crate) fn by_weight(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Valid => super::DONE,
        Verdict::Incomplete => INCOMPLETE,
        Verdict::Invalid => INVALID,
    }
}
