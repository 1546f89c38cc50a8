//! The statement that the bearer holds no key: a few plain sentences to show at a border, without a name. It is given only
//! where each of its sentences is true.

use crate::cli::output::{count, size};
use crate::vault::TOOL;
use crate::vault::border_check::Border;
use crate::vault::device::{Fact, Kind, Opens};

/// Why the statement would not be true here, if so.
pub(super) fn refusal(border: &Border) -> Option<String> {
    let keys = border.keys().count() as u64;
    if keys > 0 {
        let are = if keys == 1 { "lies" } else { "lie" };
        return Some(format!("{} {are} on this device", count(keys, "key")));
    }
    if border.finds.iter().any(|find| find.opens == Opens::Content) {
        return Some("something on this device can be read that was sealed, or words of it".into());
    }
    if !border.is_whole() {
        return Some("not everything could be looked at".into());
    }
    None
}

/// The statement.
pub(super) fn text(border: &Border, day: &str) -> String {
    let files = border.finds.iter().filter_map(|find| match find.fact {
        Fact::Encrypted { bytes, .. } if find.kind == Kind::AgeFile => Some(bytes),
        _ => None,
    });
    let (number, bytes) = files.fold((0, 0), |(number, bytes), more| (number + 1, bytes + more));
    let vaults = border.finds.iter().filter(|find| find.kind == Kind::Vault).count() as u64;
    let mut carried = Vec::new();
    if number > 0 {
        carried.push(format!("{} ({})", count(number, "encrypted file"), size(bytes)));
    }
    if vaults > 0 {
        carried.push(count(vaults, "folder") + " of encrypted files");
    }
    let carried = match carried.as_slice() {
        [] => "No encrypted files were found on this device.".to_string(),
        carried => format!(
            "This device carries {}. They are encrypted with age\n(age-encryption.org) to the keys of other people, not \
             under a passphrase.",
            carried.join(" and ")
        ),
    };
    format!(
        "STATEMENT\n\n\
         {carried}\n\n\
         No key was found on this device. With what is on it, the bearer cannot open\n\
         encrypted files of this kind. No passphrase opens them, and nobody can be made\n\
         to open what there is no key for. Only the people whose keys they were made out\n\
         to can open them.\n\n\
         This was checked on {day} by {TOOL}: {looked} looked at.\n\
         The check says what lies on this device. It does not say what is in the files.\n",
        looked = if border.files == 1 { "1 file was".into() } else { format!("{} files were", border.files) },
    )
}
