//! What was found, in words: what it is, what it would show to somebody who has it and forces the passphrase, and what
//! to do about it.

use crate::cli::output::{all_of, count, size};
use crate::vault::device::machine::{Encrypted, Leak};
use crate::vault::device::{Fact, Find, Kind, Opens, Reach};

/// What no search by a program can tell; said each time.
pub(super) const NOT_LOOKED_AT: [&str; 8] = [
    "Not told by this check:",
    "  - which readable files were sealed: a vault keeps no mark of its sources that this device could compare",
    "  - deleted files, which a laboratory may bring back from a disk, and all the more from a stick or an SSD",
    "  - the insides of archives, mailboxes, pictures and programs, and all but the beginning of long files",
    "  - temporary folders that all users share (tmp at the top of the disk and in var), unless you name them: programs that \
     showed or printed an opened exhibit may have left it there",
    "  - other disks, other users of this device, phones, and copies on other machines",
    "  - keys of other programs (SSH, PGP, mail, disk encryption)",
    "  - what you know and could be made to say",
];

/// The kind in a word, as it heads a finding.
pub(super) fn kind(find: &Find) -> &'static str {
    match find.kind {
        Kind::Identity => "identity",
        Kind::AgeKey => "secret key",
        Kind::VaultKey => "vault key",
        Kind::Words => "secret words",
        Kind::Share => "share of a key",
        Kind::LockedFile => "locked file",
        Kind::OpenedExhibit => "opened exhibit",
        Kind::Temporary => "left-over",
        Kind::Form => "form",
        Kind::History => "shell history",
        Kind::Recent => "recent files",
        Kind::Thumbnails => "thumbnails",
        Kind::Vault => "vault",
        Kind::State => "device memory",
        Kind::AgeFile => "encrypted file",
        Kind::Card => "card",
        Kind::Receipt | Kind::ShortReceipt => "receipt",
        Kind::Cosignatures => "cosignatures",
        Kind::Report => "report",
        Kind::Document => "amparo file",
        Kind::CoreFile => "core dump",
        Kind::Swap => "swap",
        Kind::Hibernation => "hibernation",
        Kind::CoreDumps => "crash reports",
        Kind::Files => "other files",
    }
}

/// The kind for scripts: fixed.
pub(super) fn machine_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Identity => "identity",
        Kind::AgeKey => "age_key",
        Kind::VaultKey => "vault_key",
        Kind::Words => "words",
        Kind::Share => "share",
        Kind::LockedFile => "locked_file",
        Kind::OpenedExhibit => "opened_exhibit",
        Kind::Temporary => "temporary",
        Kind::Form => "form",
        Kind::History => "history",
        Kind::Recent => "recent",
        Kind::Thumbnails => "thumbnails",
        Kind::Vault => "vault",
        Kind::State => "state",
        Kind::AgeFile => "age_file",
        Kind::Card => "card",
        Kind::Receipt => "receipt",
        Kind::ShortReceipt => "short_receipt",
        Kind::Cosignatures => "cosignatures",
        Kind::Report => "report",
        Kind::Document => "document",
        Kind::CoreFile => "core_file",
        Kind::Swap => "swap",
        Kind::Hibernation => "hibernation",
        Kind::CoreDumps => "core_dumps",
        Kind::Files => "files",
    }
}

/// What it opens, for scripts: fixed.
pub(super) fn machine_opens(opens: Opens) -> &'static str {
    match opens {
        Opens::Nothing => "nothing",
        Opens::Custody => "custody",
        Opens::Content => "content",
        Opens::Unknown => "unknown",
    }
}

/// What it is and shows, in a sentence without its end.
pub(super) fn what(find: &Find) -> String {
    match &find.fact {
        Fact::Key { bare, reaches, elsewhere, together } => key(*bare, reaches, *elsewhere, together),
        Fact::Share { sections: names, enough: true } => format!("a share of a key; {}", meeting(names)),
        Fact::Share { sections: names, enough: false } => format!(
            "a share of the key of {}, made out to a key that lies on this device; with the shares of enough other readers \
             it opens content",
            sections(names)
        ),
        Fact::Locked { tried: true } => {
            "the passphrase that was given does not open it, so what it opens was not seen".into()
        }
        Fact::Locked { tried: false } => "under a passphrase; what it opens was not seen".into(),
        Fact::Encrypted { bytes, here: Some(true), .. } if find.opens == Opens::Custody => {
            format!(
                "{} of custody records and keys, made out to a key that lies on this device; no content",
                size(*bytes)
            )
        }
        Fact::Encrypted { bytes, here, is_part: true } => part(*bytes, *here),
        Fact::Encrypted { bytes, here, .. } => encrypted(find.kind, *bytes, *here),
        Fact::Vault { known } => {
            let known = if *known { "known to this device" } else { "not known to this device" };
            format!(
                "{known}; without a key it tells its id, the numbers and padded sizes of sealed files, no word more"
            )
        }
        Fact::State { vaults } => {
            format!(
                "it ties this device to {} and to the work done on them from here",
                count(vaults.len() as u64, "vault")
            )
        }
        Fact::Form { answered: true } => {
            "a form with answers in it: what was sealed from it stands here in the clear".into()
        }
        Fact::Form { answered: false } => "a blank form; it tells that evidence is taken down here".into(),
        Fact::Lines { count: number, lines, words } => history(*number, lines, *words),
        Fact::Places { count: number } => {
            format!("{} amparo, a vault or an opened exhibit", count_names(*number, "place"))
        }
        Fact::Pictures { count: number } => match find.opens {
            Opens::Content => format!("{} opened exhibits, in small", counted(*number, "picture of", "pictures of")),
            _ => format!(
                "{}; if one of those was sealed, it can still be seen here in small",
                counted(*number, "small copy of another picture", "small copies of other pictures")
            ),
        },
        Fact::Files { count: number } => {
            format!("{} that anybody can read; if one was sealed, its source lies here", count(*number, "other file"))
        }
        Fact::Leak(leak) => leaking(leak),
        Fact::Nothing => plain(find.kind).into(),
    }
}

fn key(bare: bool, reaches: &[Reach], elsewhere: usize, together: &[String]) -> String {
    let mut told: Vec<String> = reaches.iter().map(reach).collect();
    if reaches.is_empty() {
        told.push("no vault was found here to try it on; what it opens elsewhere cannot be told".into());
    }
    if elsewhere > 0 {
        let verb = if elsewhere == 1 { "lies" } else { "lie" };
        told.push(format!(
            "{} that this device knows {verb} in none of the places looked at, so it was not tried there",
            count(elsewhere as u64, "vault")
        ));
    }
    if !together.is_empty() {
        told.push(meeting(together));
    }
    let how = if bare { "without any passphrase" } else { "with its passphrase" };
    format!("{how}: {}", told.join("; "))
}

fn meeting(names: &[String]) -> String {
    format!("enough of these shares lie on this device: together they open content ({})", sections(names))
}

fn reach(reach: &Reach) -> String {
    let vault = reach.vault.to_string_lossy();
    if let Some(trouble) = &reach.trouble {
        return format!("what it opens in {vault} could not be seen ({trouble})");
    }
    let story = || {
        format!(
            "the custody record of {vault}: {} under pseudonyms, {}, when and by whom each was sealed and handed over, \
             notes",
            count(reach.members, "member"),
            count(reach.exhibits, "exhibit")
        )
    };
    match reach.opens {
        Opens::Content if reach.sections.is_empty() => format!("content of {vault}"),
        Opens::Content if reach.members == 0 => format!("content of {vault} ({})", sections(&reach.sections)),
        Opens::Content => format!("content of {vault} ({}), and {}", sections(&reach.sections), story()),
        Opens::Custody if reach.members == 0 => format!("the custody record of {vault}, and no content"),
        Opens::Custody if !reach.shares.is_empty() => {
            format!("{}; no content alone, but with other readers' shares the {}", story(), sections(&reach.shares))
        }
        Opens::Custody => format!("{}; no content", story()),
        Opens::Nothing | Opens::Unknown => {
            format!("nothing in {vault}; in a fuller copy of that vault it may open more")
        }
    }
}

fn sections(names: &[String]) -> String {
    format!("{} {}", if names.len() == 1 { "section" } else { "sections" }, all_of(names))
}

fn encrypted(kind: Kind, bytes: u64, here: Option<bool>) -> String {
    let bytes = size(bytes);
    match (kind, here) {
        (Kind::LockedFile, _) => {
            format!("{bytes} under a passphrase; it is too large for a key, and what it holds was not seen")
        }
        (_, Some(true)) => format!("{bytes}, made out to a key that lies on this device"),
        (_, Some(false)) => format!("{bytes}, made out to keys that are not here; it tells its size and nothing else"),
        (_, None) => format!("{bytes}; it tells its size, and a key here that was not seen may open it"),
    }
}

/// A volume of a pouch, or its parity.
fn part(bytes: u64, here: Option<bool>) -> String {
    let bytes = size(bytes);
    match here {
        Some(true) => format!("{bytes} of a pouch, made out to a key that lies on this device"),
        Some(false) => {
            format!(
                "{bytes}, a part of a pouch, or what restores one; it tells its size, and which files belong together"
            )
        }
        None => {
            format!("{bytes}, a part of a pouch, or what restores one; with the other parts a key here may open it")
        }
    }
}

fn history(number: u64, lines: &[u64], words: bool) -> String {
    let shown = lines.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let more = if number > lines.len() as u64 { " and on" } else { "" };
    let said = if words { "; titles or fields of exhibits stand among them" } else { "" };
    format!("{} amparo or a vault (line {shown}{more}){said}", count_names(number, "line"))
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn count_names(number: u64, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "names" } else { "name" })
}

fn leaking(leak: &Leak) -> String {
    match leak {
        Leak::Swap(_, Encrypted::Yes) => "the system may write memory there, encrypted".into(),
        Leak::Swap(_, Encrypted::No) => "the system may write there, readably, what was on the screen or typed".into(),
        Leak::Swap(_, Encrypted::Unknown) => {
            "the system may write there what was on the screen or typed; whether it is encrypted cannot be told".into()
        }
        Leak::Hibernation => "this machine can sleep by writing all its memory to that swap".into(),
        Leak::CoreFiles => "a program that crashes leaves its memory as a file; amparo itself never does".into(),
        Leak::CoreProgram(program) => {
            format!("a program that crashes hands its memory to {program}, which may keep it; amparo itself never does")
        }
    }
}

fn plain(kind: Kind) -> &'static str {
    match kind {
        Kind::Words => {
            "words of the kind that restore an identity, open one as its passphrase, or are a share of a key"
        }
        Kind::OpenedExhibit => "an exhibit that was opened, or its record, readable by anyone",
        Kind::Temporary => "left by an interrupted opening or by an editor",
        Kind::State => "the memory of a device: it ties whoever has it to a vault",
        Kind::Card => "the public half of an identity: it tells a pseudonym",
        Kind::Receipt => "it proves that something was sealed, when, and in which vault; not what",
        Kind::ShortReceipt => {
            "the short form of a receipt, in the clear: it tells that something was sealed, in which vault and custody record; \
             not what"
        }
        Kind::Cosignatures => {
            "signed states of custody records, in the clear: they tell of which vault, how many events each record has and, where \
             it is cosigned, by whom and when, by the digits of that person's card; no content"
        }
        Kind::Report => {
            "a report of a check, readable by anyone: it tells of which vault, and may tell the members by their pseudonyms, \
             which exhibits were sealed, when and by whom they were handed over, and what members wrote about it"
        }
        Kind::AgeKey => "a key of age that could not be tried here; what it opens cannot be told",
        Kind::Document => "a text of this program: it tells that amparo is used, and may name a vault",
        Kind::CoreFile => "the memory of a program that crashed",
        _ => "it could not be looked into",
    }
}

/// What to do about it: a command or an act.
pub(super) fn advice(find: &Find) -> Option<&'static str> {
    let bare = matches!(find.fact, Fact::Key { bare: true, .. });
    let together = match &find.fact {
        // A key that opens content alone is not helped by leaving others behind.
        Fact::Key { together, reaches, .. } => {
            !together.is_empty() && reaches.iter().all(|reach| reach.opens != Opens::Content)
        }
        fact => matches!(fact, Fact::Share { enough: true, .. }),
    };
    Some(match (find.kind, find.opens) {
        _ if together => "do not carry these shares together: leave them with different people",
        (Kind::Identity, Opens::Custody) if bare => {
            "put it under a passphrase: whoever takes the device reads the custody record at once"
        }
        (Kind::Identity, Opens::Custody) => "if you can do without it on this journey, leave it at home",
        (Kind::Identity | Kind::LockedFile, Opens::Unknown) if matches!(find.fact, Fact::Locked { .. }) => {
            "run border-check again and type its passphrase, or do not carry it"
        }
        (Kind::Identity, _) => "do not carry it: leave it, or its paper copy, with somebody on the other side",
        (Kind::AgeKey | Kind::VaultKey | Kind::Words | Kind::Share | Kind::LockedFile, _) => "do not carry it",
        (Kind::Report, _) => "delete it here once it is kept elsewhere",
        (Kind::OpenedExhibit, _) => {
            "delete it here once it is kept elsewhere, and travel with another device if you can"
        }
        (Kind::Temporary | Kind::CoreFile, _) => "look at it, and delete it",
        (Kind::Form, Opens::Content) => "seal what it says, then delete it",
        (Kind::History, _) => "delete these lines in an editor, then close all shells",
        (Kind::Recent, _) => "clear the list of recent files in the settings of the desktop",
        (Kind::Thumbnails, Opens::Content) => "delete the folder; the desktop makes it again",
        (Kind::AgeFile, Opens::Content) => "carry the file or the key, not both",
        (Kind::Swap, Opens::Unknown) => "turn swap off (swapoff -a) or encrypt it before evidence is opened here",
        (Kind::Hibernation, _) => "shut down; do not let the machine sleep",
        (Kind::CoreDumps, _) => "turn crash reports off on machines where evidence is opened",
        _ => return None,
    })
}
