//! After the sealing: what is sealed, what is not, what is still readable here, and the next step.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::live::Sources;
use super::{Args, Run};
use crate::cli::call::{Call, is_dash};
use crate::cli::output::{all_of, count, shown, size};
use crate::format::names::printable;
use crate::store::{Disk, Kind, StoreError};
use crate::vault::seal::Skipped;

/// What can be lost, or was not done: said whatever the flags.
pub(super) fn warn(args: &Args, run: &Run<'_>, call: &mut Call<'_, '_>) {
    let Run { sealed, told, .. } = run;
    for name in &sealed.unable {
        call.warn(&format!("{name} could NOT open it: the key file for {name} is missing or damaged in this copy"));
    }
    if !sealed.removed.is_empty() {
        call.warn(&format!(
            "readable by those removed since: {} still can open it, for there is no newer key; an owner completes the removal with amparo member remove",
            all_of(&sealed.removed)
        ));
    }
    let changed =
        |id: &str| format!("{id} changed while it was read, twice: what was read is sealed, and its record says so");
    for sentence in told.changed.sentences(changed, "they changed while they were read") {
        call.warn(&sentence);
    }
    let empty = |id: &str| format!("{id} is empty: it was made from 0 bytes");
    for sentence in told.empty.sentences(empty, "they are empty") {
        call.warn(&sentence);
    }
    if !sealed.readback {
        call.warn("nothing was read back: whether the disk holds what was written, nobody has looked");
    }
    if let (Some(needed), false) = (sealed.needed, sealed.count == 0)
        && sealed.readers.len() == usize::from(needed)
    {
        let all = all_of(&sealed.readers);
        call.warn(&format!("{all} must all come together to open it: if one of these identities is lost, it is lost"));
    }
    if let ([only], false) = (sealed.readers.as_slice(), sealed.count == 0) {
        call.warn(&format!("only {only} can open it: if that identity is lost, it is lost"));
    }
    if !sealed.skipped.is_empty() {
        let end = if call.global.json { "" } else { ":" };
        call.warn(&format!("{} skipped, NOT sealed{end}", count(sealed.skipped.len() as u64, "path")));
        if !call.global.json {
            for skipped in &sealed.skipped {
                call.talk(&format!("  {}: {}", printable(&skipped.path), shown(&skipped.reason)));
            }
        }
    }
    let file_named = args.form.as_deref().filter(|form| !is_dash(form));
    if let (Some(form), true) = (file_named, call.global.quiet || call.global.json) {
        call.warn(&format!("the form {} is still readable here", shown(&form.to_string_lossy())));
    }
}

/// What was moved away after it was sealed.
#[derive(Default)]
pub(super) struct Moved {
    /// How many named files and folders.
    pub(super) moved: usize,
    /// How many could not be, although they were to be.
    pub(super) failed: usize,
}

/// Moves each file and folder that was named and sealed as a whole.
pub(super) fn move_away(folder: &Path, call: &mut Call<'_, '_>, run: &mut Run<'_>) -> Moved {
    let sources = run.told.sources();
    let target = call.path(folder);
    let mut outcome = Moved::default();
    for path in run.paths.iter().filter(|path| !is_dash(path)) {
        let move_it = |name| call.context.disk.move_source(path, &target.join(name));
        let moved = match whole(path, call.context.disk, &sources, &run.sealed.skipped) {
            Ok(true) => match path.file_name() {
                Some(name) => move_it(name).map_err(|error| reason(&error)),
                None => Err("it has no name of its own".into()),
            },
            Ok(false) => Err("not all of it was sealed".into()),
            Err(error) => Err(reason(&error)),
        };
        match moved {
            Ok(()) => outcome.moved += 1,
            Err(reason) => {
                outcome.failed += 1;
                call.warn(&format!("not moved: {}: {}", shown(&path.to_string_lossy()), shown(&reason)));
            }
        }
    }
    outcome
}

fn reason(error: &StoreError) -> String {
    match error {
        StoreError::Exists { .. } => "something of this name lies there already".into(),
        StoreError::NotDurable { .. } => {
            format!("it lies there by now, and a power cut may undo that or cost it: {error}")
        }
        StoreError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

/// Whether all that lies at a path now is sealed: a file that was put there meanwhile is not, and must not vanish with
/// the others.
fn whole(path: &Path, disk: &dyn Disk, sealed: &Sources, skipped: &[Skipped]) -> Result<bool, StoreError> {
    if sealed.hold(path) {
        return Ok(skipped.iter().all(|skipped| !below(path, &skipped.path)));
    }
    let mut folders: Vec<PathBuf> = vec![path.to_path_buf()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for item in disk.list_source(&folder)? {
            let path = folder.join(&item.name);
            match item.kind {
                Kind::Folder => folders.push(path),
                Kind::File if sealed.hold(&path) => files += 1,
                _ => return Ok(false),
            }
        }
    }
    Ok(files > 0)
}

fn below(folder: &Path, path: &[u8]) -> bool {
    Path::new(OsStr::from_bytes(path)).starts_with(folder)
}

/// What a person must know now.
pub(super) fn tell(args: &Args, moved: &Moved, call: &mut Call<'_, '_>, run: &Run<'_>) {
    let sealed = &run.sealed;
    if sealed.count == 0 {
        call.say("Nothing was sealed.");
        return;
    }
    if sealed.orphans_removed > 0 {
        call.say(&format!("{} of an interrupted run removed first.", count(sealed.orphans_removed, "file")));
    }
    let exhibits = count(sealed.count, "exhibit");
    call.say(&format!("Sealed {exhibits} ({}), signed for in the custody record.", size(sealed.bytes)));
    if let Some(register) = &sealed.register {
        call.say(&format!("Who testified is sealed apart, as {register} in the section register."));
    }
    call.say(&match sealed.needed {
        None => format!("{} can open it.", all_of(&sealed.readers)),
        Some(needed) => format!("Any {needed} of {} together can open it.", all_of(&sealed.readers)),
    });
    if sealed.readback && sealed.from_medium {
        call.say("All of it was read back from the disk and compared.");
    } else if sealed.readback {
        call.say("All of it was read back and compared; the system may have answered from memory, not from the disk.");
    }
    if !sealed.opened_before {
        call.say("No reader has yet shown that this can be opened: ask one to open an exhibit before you rely on it.");
    }
    let named = run.paths.iter().filter(|path| !is_dash(path)).count();
    if named > 0 {
        let where_now = match &args.done {
            Some(done) if moved.moved > 0 => format!(" ({} now in {})", moved.moved, done.display()),
            _ => String::new(),
        };
        call.say(&format!(
            "STILL READABLE here: {} you named{}.",
            count(named as u64, "file or folder"),
            shown(&where_now)
        ));
        if call.global.verbose {
            for path in run.paths.iter().filter(|path| !is_dash(path)) {
                call.say(&format!("  {}", shown(&path.to_string_lossy())));
            }
        }
    }
    if let Some(form) = args.form.as_deref().filter(|form| !is_dash(form)) {
        call.say(&format!("STILL READABLE here: the form {}.", shown(&form.to_string_lossy())));
    }
    call.say("This may be the only copy: copy the vault's folder to another medium.");
    call.suggest("amparo verify");
}
