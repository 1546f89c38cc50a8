//! What other programs remember of what was done here: lines that were typed in a shell, lists of recent files, small
//! pictures of pictures. Only how much and where is told; not a word of it is shown, because the report may be read by
//! whoever searches.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::kinds::is_label;
use super::{Fact, Find, Kind, Opens};
use crate::store::{self, Disk, StoreError};

/// Histories and lists are read up to here; what is longer is told as such.
const TRACE_BYTES_MAX: usize = 32 << 20;
/// A thumbnail names its picture among its first chunks (Thumbnail Managing Standard, "Thumb::URI").
const THUMBNAIL_BYTES: usize = 2048;
const THUMBNAILS_MAX: usize = 50_000;
const LINES_SHOWN_MAX: usize = 10;

/// Shell histories, below the home folder: bash, zsh, sh, ksh, ash, fish, Python.
const HISTORIES: [&str; 8] = [
    ".bash_history",
    ".zsh_history",
    ".histfile",
    ".sh_history",
    ".ksh_history",
    ".ash_history",
    ".python_history",
    ".local/share/fish/fish_history",
];

/// What editors and desktops note of files that were opened, below the home folder.
const NOTED: [&str; 6] = [
    ".recently-used.xbel",
    ".viminfo",
    ".local/state/nvim/shada/main.shada",
    ".local/share/nvim/shada/main.shada",
    ".lesshst",
    ".config/libreoffice/4/user/registrymodifications.xcu",
];

/// Where other programs keep what they remember.
#[derive(Clone, Debug)]
pub struct Home {
    /// The home folder.
    pub folder: PathBuf,
    /// Where programs keep data of this user.
    pub data: PathBuf,
    /// Where they keep what can be made again.
    pub cache: PathBuf,
    /// The shell history in use, where it has another name.
    pub history: Option<PathBuf>,
}

/// Looks through a home folder for traces of this program, of `vaults`, and of exhibits that were opened. Returns what
/// could not be looked at beside what was found.
pub(in crate::vault) fn traces(disk: &dyn Disk, home: &Home, vaults: &[PathBuf]) -> (Vec<Find>, Vec<StoreError>) {
    let mut traces = Traces { disk, vaults, finds: Vec::new(), failed: Vec::new() };
    let histories = HISTORIES.iter().map(|name| home.folder.join(name)).chain(home.history.clone());
    let mut seen = std::collections::BTreeSet::new();
    for path in histories.filter(|path| seen.insert(path.clone())) {
        traces.history(&path);
    }
    let documents = home.data.join("RecentDocuments");
    let noted = NOTED.iter().map(|name| home.folder.join(name)).chain([home.data.join("recently-used.xbel")]);
    for path in noted.chain(traces.files_in(&documents)) {
        traces.noted(&path);
    }
    traces.thumbnails(&home.cache.join("thumbnails"));
    (traces.finds, traces.failed)
}

struct Traces<'a> {
    disk: &'a dyn Disk,
    vaults: &'a [PathBuf],
    finds: Vec<Find>,
    failed: Vec<StoreError>,
}

impl Traces<'_> {
    /// The start of a file; `None` where there is none, or it cannot be read, which is noted.
    fn read(&mut self, path: &Path, bytes_max: usize) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = match self.disk.stat(path) {
            Ok(stat) if stat.kind == store::Kind::File => usize::try_from(stat.bytes).unwrap_or(usize::MAX),
            // A link leads elsewhere on purpose: to nowhere, by those who want no history.
            Ok(_) | Err(StoreError::Missing { .. } | StoreError::NotFolder { .. }) => return None,
            Err(error) => {
                self.failed.push(error);
                return None;
            }
        };
        match self.disk.read_start(path, bytes.min(bytes_max)) {
            Ok(start) => {
                if bytes > bytes_max && bytes_max == TRACE_BYTES_MAX {
                    let (bytes, bytes_max) = (bytes as u64, bytes_max as u64);
                    self.failed.push(StoreError::TooLarge { path: path.to_path_buf(), bytes, bytes_max });
                }
                Some(Zeroizing::new(start))
            }
            Err(error) => {
                self.failed.push(error);
                None
            }
        }
    }

    fn history(&mut self, path: &Path) {
        let Some(text) = self.read(path, TRACE_BYTES_MAX) else { return };
        let (mut lines, mut count, mut words) = (Vec::new(), 0_u64, false);
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1_u64..) {
            if !self.concerns(line) {
                continue;
            }
            count += 1;
            if lines.len() < LINES_SHOWN_MAX {
                lines.push(number);
            }
            // What was said of an exhibit on a command line stands there in the clear, as evidence does nowhere else.
            words |= ["--title", "--field"].iter().any(|flag| holds(line, flag.as_bytes()));
        }
        if count > 0 {
            let opens = if words { Opens::Content } else { Opens::Nothing };
            self.finds.push(Find::new(Kind::History, path, opens, Fact::Lines { count, lines, words }));
        }
    }

    fn noted(&mut self, path: &Path) {
        let Some(text) = self.read(path, TRACE_BYTES_MAX) else { return };
        let count = text.split(|byte| matches!(byte, b'\n' | b'\0')).filter(|line| self.concerns(line)).count() as u64;
        if count > 0 {
            self.finds.push(Find::new(Kind::Recent, path, Opens::Nothing, Fact::Places { count }));
        }
    }

    /// Whether a line names this program, a vault, or a file of an exhibit that was opened.
    fn concerns(&self, line: &[u8]) -> bool {
        let names_vault = |vault: &PathBuf| {
            let (path, name) = (vault.as_os_str().as_bytes(), vault.file_name().map(OsStrExt::as_bytes));
            holds(line, path) || name.is_some_and(|name| holds_word(line, name))
        };
        holds(line, b"amparo") || names_opened(line) || self.vaults.iter().any(names_vault)
    }

    fn thumbnails(&mut self, folder: &Path) {
        let (mut opened, mut other) = (0, 0);
        let sizes = self.disk.list_source(folder).unwrap_or_default();
        let folders = sizes.into_iter().filter(|item| item.kind == store::Kind::Folder);
        let pictures: Vec<PathBuf> = folders.flat_map(|item| self.files_in(&folder.join(item.name))).collect();
        for picture in pictures.iter().take(THUMBNAILS_MAX) {
            let Some(start) = self.read(picture, THUMBNAIL_BYTES) else { continue };
            *if names_opened(&start) { &mut opened } else { &mut other } += 1;
        }
        if pictures.len() > THUMBNAILS_MAX {
            let (bytes, bytes_max) = (pictures.len() as u64, THUMBNAILS_MAX as u64);
            self.failed.push(StoreError::TooLarge { path: folder.to_path_buf(), bytes, bytes_max });
        }
        for (count, opens) in [(opened, Opens::Content), (other, Opens::Unknown)] {
            if count > 0 {
                self.finds.push(Find::new(Kind::Thumbnails, folder, opens, Fact::Pictures { count }));
            }
        }
    }

    fn files_in(&self, folder: &Path) -> Vec<PathBuf> {
        let items = self.disk.list_source(folder).unwrap_or_default();
        let files = items.into_iter().filter(|item| item.kind == store::Kind::File);
        files.map(|item| folder.join(item.name)).collect()
    }
}

/// Whether a path into the folder of an opened exhibit stands in a text: `…/K7-0012/content/…`.
fn names_opened(text: &[u8]) -> bool {
    const INSIDE: &[u8] = b"/content/";
    let at = |place: usize| {
        let above = &text[..place];
        let name = above.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        is_label(name)
    };
    text.windows(INSIDE.len()).enumerate().any(|(place, window)| window == INSIDE && at(place))
}

fn holds(text: &[u8], what: &[u8]) -> bool {
    !what.is_empty() && text.windows(what.len()).any(|window| window == what)
}

/// Whether a name stands in a line as a word or as a part of a path, and not within another word.
fn holds_word(text: &[u8], name: &[u8]) -> bool {
    text.split(|byte| byte.is_ascii_whitespace() || b"/'\"=;&|<>():".contains(byte)).any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::faulty::{FaultyDisk, Rules};

    fn home() -> Home {
        Home { folder: "/h".into(), data: "/h/.local/share".into(), cache: "/h/.cache".into(), history: None }
    }

    #[test]
    fn lines_are_counted_and_none_is_shown() {
        let disk = FaultyDisk::new(Rules::Ext4);
        disk.put(Path::new("/h/.bash_history"), b"ls\namparo verify\ncd /home/x/evidence\nls evidence-of-love\n");
        disk.put(Path::new("/h/.zsh_history"), b": 1700000000:0;amparo seal t.txt --title \"Ana saw it\"\n");
        disk.put(Path::new("/h/.python_history"), b"import os\n");
        let (finds, failed) = traces(&disk, &home(), &["/media/stick/evidence".into()]);
        assert!(failed.is_empty() && !format!("{finds:?}").contains("Ana"));
        let told: Vec<_> = finds.iter().map(|find| (find.opens, &find.fact)).collect();
        let (bash, zsh) = (
            Fact::Lines { count: 2, lines: vec![2, 3], words: false },
            Fact::Lines { count: 1, lines: vec![1], words: true },
        );
        assert_eq!(told, [(Opens::Nothing, &bash), (Opens::Content, &zsh)]);
    }

    #[test]
    fn pictures_and_lists_of_opened_exhibits_are_told_from_others() {
        let disk = FaultyDisk::new(Rules::Ext4);
        let picture = |uri: &str| format!("\u{89}PNG tEXtThumb::URI\0file://{uri}").into_bytes();
        disk.put(Path::new("/h/.cache/thumbnails/normal/a.png"), &picture("/h/opened/K7-0001/content/x.jpg"));
        disk.put(Path::new("/h/.cache/thumbnails/large/b.png"), &picture("/h/cat.jpg"));
        disk.put(
            Path::new("/h/.local/share/recently-used.xbel"),
            b"<xbel>\n<bookmark href=\"file:///h/opened/K7-0001/content/x.jpg\">\n<bookmark href=\"file:///h/cat.jpg\">\n",
        );
        let (finds, _) = traces(&disk, &home(), &[]);
        let told: Vec<_> = finds.iter().map(|find| (find.kind, find.opens)).collect();
        assert_eq!(
            told,
            [(Kind::Recent, Opens::Nothing), (Kind::Thumbnails, Opens::Content), (Kind::Thumbnails, Opens::Unknown)]
        );
    }
}
