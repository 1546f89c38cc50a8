//! How something new takes the place of something old that a person asked to replace: at every moment one of the two
//! is whole and durable under some name. Nothing is renamed over anything, and nothing is removed before what replaces
//! it is durable under its final name: under power loss exFAT can lose both. What else lies there is left alone.

use std::ffi::OsString;

use super::{Folder, Kind, RelPath, StoreError};

/// How the name of what is not finished yet ends.
pub const NEW: &str = ".part";
/// How the name of what is replaced ends, until it goes.
pub const OLD: &str = ".old";
/// So many names are tried: each was left by a run that was cut short, or is a stranger's.
const NAMES_MAX: u32 = 1000;

/// A free name beside another: `NAME.part`, or `NAME.2.part` where something lies there.
pub fn free(folder: &dyn Folder, name: &RelPath, ending: &str) -> Result<RelPath, StoreError> {
    let bad = || StoreError::BadPath { path: folder.shown().join(name) };
    for number in 1..=NAMES_MAX {
        let mut aside = OsString::from(name.as_path());
        if number > 1 {
            aside.push(format!(".{number}"));
        }
        aside.push(ending);
        let aside = RelPath::parse(aside).ok_or_else(bad)?;
        if !folder.exists(&aside)? {
            return Ok(aside);
        }
    }
    Err(StoreError::Exists { path: folder.shown().join(name) })
}

/// What a name was made beside, if [`free`] can have made it.
pub fn beside(name: &[u8]) -> Option<&[u8]> {
    let name = name.strip_suffix(NEW.as_bytes()).or_else(|| name.strip_suffix(OLD.as_bytes()))?;
    let dot = name.iter().rposition(|byte| *byte == b'.');
    match dot.map(|dot| name.split_at(dot)) {
        Some((first, number)) if number.len() > 1 && number[1..].iter().all(u8::is_ascii_digit) => Some(first),
        _ => Some(name),
    }
}

/// Gives what is old another name, from which it goes when what is new has its place; the name. What holds nothing,
/// as a link, is gone at once.
pub fn set(folder: &dyn Folder, name: &RelPath) -> Result<Option<RelPath>, StoreError> {
    if !matches!(folder.stat(name)?.kind, Kind::File | Kind::Folder) {
        folder.remove(name)?;
        return Ok(None);
    }
    let old = free(folder, name, OLD)?;
    folder.rename_new(name, &old)?;
    Ok(Some(old))
}

/// Gives what is new, and durable under a name of its own, the name of what was [`set`] aside. That may go when the folder is
/// synced once more, and not before.
pub fn place(folder: &dyn Folder, new: &RelPath, name: &RelPath, old: Option<&RelPath>) -> Result<(), StoreError> {
    let placed = folder.sync(&[]).and_then(|()| folder.rename_new(new, name));
    if placed.is_err() {
        // As far as that can be had; no sync can tell any more what is durable, so both stay.
        let _ = old.map(|old| folder.rename_new(old, name));
    }
    placed
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::store::faulty::{FaultyDisk, Rules};
    use crate::store::{Disk, Mode};

    fn name(text: &str) -> RelPath {
        RelPath::parse(text).expect("a name")
    }

    fn home(rules: Rules) -> (FaultyDisk, Arc<dyn Folder>) {
        let disk = FaultyDisk::new(rules);
        disk.put(Path::new("/home/a"), b"old");
        let folder = disk.folder(Path::new("/home")).expect("there");
        (disk, folder)
    }

    #[test]
    fn a_name_beside_another_is_free_and_is_known_again() {
        let (disk, folder) = home(Rules::Ext4);
        let next = || free(&*folder, &name("a"), NEW).expect("a name").to_string();
        assert_eq!(next(), "a.part");
        disk.put(Path::new("/home/a.part"), b"a stranger's");
        assert_eq!(next(), "a.2.part");
        for (made, of) in
            [("a.part", "a"), ("a.2.part", "a"), ("a.b.part", "a.b"), ("a.b.31.old", "a.b"), ("a..old", "a.")]
        {
            assert_eq!(beside(made.as_bytes()), Some(of.as_bytes()), "{made}");
        }
        assert_eq!(beside(b"a.2"), None);
    }

    /// Whenever the power fails: the old one or the new one is whole, under some name.
    #[test]
    fn what_is_replaced_is_lost_at_no_moment() {
        for rules in [Rules::Ext4, Rules::ExFat] {
            let (disk, folder) = home(rules);
            disk.put(Path::new("/home/a.part"), b"a stranger's");
            disk.put(Path::new("/home/a.old"), b"a stranger's too");
            disk.keep_moments();
            let new = free(&*folder, &name("a"), NEW).expect("a name");
            folder
                .create(&new, b"new", Mode::Open)
                .and_then(|()| folder.sync(std::slice::from_ref(&new)))
                .expect("made");
            let old = set(&*folder, &name("a")).expect("set aside").expect("a file");
            place(&*folder, &new, &name("a"), Some(&old)).expect("placed");
            folder.sync(&[]).expect("durable");
            folder.remove(&old).expect("removed");
            for moment in 0..=disk.moments() {
                let at = disk.at_moment(moment);
                for seed in 0..300 {
                    let left = at.crash(seed).files();
                    let has = |bytes: &[u8]| left.iter().any(|(_, left)| left == bytes);
                    assert!(has(b"old") || has(b"new"), "{rules:?}, moment {moment}, seed {seed}");
                    assert!(
                        has(b"a stranger's") && has(b"a stranger's too"),
                        "{rules:?}, moment {moment}, seed {seed}"
                    );
                }
            }
            assert_eq!(folder.read(&name("a"), 9).expect("read"), b"new");
        }
    }
}
