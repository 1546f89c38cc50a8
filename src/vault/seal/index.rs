//! What a walk has found, small enough for a million files: names in one stretch of bytes, folders that share their
//! beginnings, and a few numbers for each file. Paths are put together one at a time, when their turn comes.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::sources::{Piece, SourceFile};

/// A folder of an [`Index`], by its place there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FolderRef(u32);

/// Where a name stands among the names.
#[derive(Clone, Copy)]
struct Name {
    at: usize,
    bytes: u32,
}

struct Folder {
    /// `None` for one that the person named, whose name is then the whole path.
    above: Option<FolderRef>,
    name: Name,
}

/// A file: its name within its folder, or the whole path as the person named it.
#[derive(Clone, Copy)]
struct File {
    bytes: u64,
    name: Name,
    within: Option<FolderRef>,
}

/// What becomes one exhibit.
enum Found {
    File(File),
    /// Rare, and in a box, so that the many files stay small.
    Together(Box<Together>),
    Input,
}

/// A folder sealed as one: its files are a stretch of those set aside.
struct Together {
    folder: FolderRef,
    bytes: u64,
    files: Range<usize>,
    skipped: u64,
}

impl Found {
    fn bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.bytes,
            Self::Together(together) => together.bytes,
            Self::Input => u64::MAX,
        }
    }
}

/// How much had been found at some moment.
pub(super) struct Mark(usize);

/// Everything that a run is to seal, in order.
#[derive(Default)]
pub(super) struct Index {
    names: Vec<u8>,
    folders: Vec<Folder>,
    found: Vec<Found>,
    /// Files of folders that are sealed as one, in the order in which they were found.
    together: Vec<File>,
}

impl Index {
    /// How many exhibits it makes.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// About how many bytes the content of all has; `None` with a stream whose end nobody knows.
    pub(super) fn bytes(&self) -> Option<u64> {
        let known = self.found.iter().all(|found| !matches!(found, Found::Input));
        known.then(|| self.found.iter().map(Found::bytes).fold(0, u64::saturating_add))
    }

    /// What stands at a place.
    ///
    /// # Panics
    ///
    /// When nothing does; places are below [`Index::len`].
    pub(super) fn piece(&self, place: usize) -> Piece {
        match &self.found[place] {
            Found::Input => Piece::Input,
            Found::File(file) => {
                let path = self.path(file.within, file.name);
                let name = path.file_name().unwrap_or(path.as_os_str()).as_bytes().to_vec();
                Piece::File(SourceFile { name, bytes: file.bytes, path })
            }
            Found::Together(together) => {
                let Together { folder, files, skipped, .. } = &**together;
                let path = self.folder_path(*folder);
                let name = path.file_name().unwrap_or(OsStr::new("folder")).as_bytes().to_vec();
                let files = self.together[files.clone()].iter().map(|file| self.below(*folder, file)).collect();
                Piece::Folder { path, name, files, skipped: *skipped }
            }
        }
    }

    /// What the person would call what stands at a place, raw.
    pub(super) fn shown(&self, place: usize) -> Vec<u8> {
        match &self.found[place] {
            Found::Input => b"-".to_vec(),
            Found::File(file) => self.path(file.within, file.name).as_os_str().as_bytes().to_vec(),
            Found::Together(together) => self.folder_path(together.folder).as_os_str().as_bytes().to_vec(),
        }
    }

    /// Standard input.
    pub(super) fn add_input(&mut self) {
        self.found.push(Found::Input);
    }

    /// A file by the path that the person named.
    pub(super) fn add_named_file(&mut self, path: &Path, bytes: u64) {
        let name = self.name(path.as_os_str().as_bytes());
        self.found.push(Found::File(File { bytes, name, within: None }));
    }

    /// A file in a folder.
    pub(super) fn add_file(&mut self, within: FolderRef, name: &[u8], bytes: u64) {
        let name = self.name(name);
        self.found.push(Found::File(File { bytes, name, within: Some(within) }));
    }

    /// A folder by the path that the person named.
    pub(super) fn named_folder(&mut self, path: &Path) -> FolderRef {
        self.add_folder(None, path.as_os_str().as_bytes())
    }

    /// A folder in a folder.
    pub(super) fn folder(&mut self, above: FolderRef, name: &[u8]) -> FolderRef {
        self.add_folder(Some(above), name)
    }

    /// How much there is now.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.found.len())
    }

    /// How many files were found since.
    pub(super) fn files_since(&self, mark: &Mark) -> usize {
        self.found.len() - mark.0
    }

    /// Forgets what was found since.
    pub(super) fn give_up_since(&mut self, mark: &Mark) {
        self.found.truncate(mark.0);
    }

    /// Makes one exhibit of the files found since, all of which lie in `folder`.
    pub(super) fn join_since(&mut self, mark: &Mark, folder: FolderRef, skipped: u64) {
        let start = self.together.len();
        let files = self.found.drain(mark.0..).filter_map(|found| match found {
            Found::File(file) => Some(file),
            Found::Together(_) | Found::Input => None,
        });
        self.together.extend(files);
        let files = start..self.together.len();
        let bytes = self.together[files.clone()].iter().map(|file| file.bytes).fold(0, u64::saturating_add);
        self.found.push(Found::Together(Box::new(Together { folder, bytes, files, skipped })));
    }

    /// Puts small ones first; of one size, what was found first.
    pub(super) fn sort(&mut self) {
        self.found.shrink_to_fit();
        self.names.shrink_to_fit();
        self.found.sort_by_key(Found::bytes);
    }

    fn name(&mut self, name: &[u8]) -> Name {
        let at = self.names.len();
        self.names.extend_from_slice(name);
        Name { at, bytes: u32::try_from(name.len()).expect("no system takes a path of 4 GiB") }
    }

    fn add_folder(&mut self, above: Option<FolderRef>, name: &[u8]) -> FolderRef {
        let name = self.name(name);
        self.folders.push(Folder { above, name });
        FolderRef(u32::try_from(self.folders.len() - 1).expect("four billion folders do not fit into memory"))
    }

    fn text(&self, name: Name) -> &OsStr {
        OsStr::from_bytes(&self.names[name.at..name.at + name.bytes as usize])
    }

    fn path(&self, within: Option<FolderRef>, name: Name) -> PathBuf {
        within.map_or_else(PathBuf::new, |folder| self.folder_path(folder)).join(self.text(name))
    }

    fn folder_path(&self, folder: FolderRef) -> PathBuf {
        let Folder { above, name } = self.folders[folder.0 as usize];
        self.path(above, name)
    }

    /// A file of a folder that is sealed as one, with its path below it.
    fn below(&self, root: FolderRef, file: &File) -> SourceFile {
        let mut parts = vec![self.text(file.name).as_bytes()];
        let mut within = file.within;
        while let Some(folder) = within.filter(|folder| *folder != root) {
            let Folder { above, name } = self.folders[folder.0 as usize];
            parts.push(self.text(name).as_bytes());
            within = above;
        }
        parts.reverse();
        SourceFile { path: self.path(file.within, file.name), name: parts.join(&b'/'), bytes: file.bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_as_they_were_named_and_small_files_first() {
        let mut index = Index::default();
        index.add_named_file(Path::new("a//large.bin"), 9);
        let root = index.named_folder(Path::new("case/./7"));
        let below = index.folder(root, b"photos");
        index.add_file(below, b"1.jpg", 5);
        index.add_file(root, b"z\xff", 5);
        index.add_input();
        index.sort();
        let shown: Vec<Vec<u8>> = (0..index.len()).map(|place| index.shown(place)).collect();
        let expected: [&[u8]; 4] = [b"case/./7/photos/1.jpg", b"case/./7/z\xff", b"a//large.bin", b"-"];
        assert_eq!(shown, expected);
        assert!(matches!(index.piece(0), Piece::File(file) if file.name == b"1.jpg" && file.bytes == 5));
        assert_eq!(index.bytes(), None, "nobody knows the end of a stream");
    }

    #[test]
    fn a_folder_sealed_as_one_has_its_files_by_their_paths_below_it() {
        let mut index = Index::default();
        index.add_named_file(Path::new("other"), 1);
        let mark = index.mark();
        let root = index.named_folder(Path::new("/case"));
        let below = index.folder(root, b"photos");
        let deeper = index.folder(below, b"2031");
        index.add_file(deeper, b"1.jpg", 5);
        index.add_file(root, b"a", 6);
        index.join_since(&mark, root, 3);
        let Piece::Folder { path, name, files, skipped } = index.piece(1) else { panic!("a folder") };
        assert_eq!((path.as_path(), name.as_slice(), skipped), (Path::new("/case"), b"case".as_slice(), 3));
        let names: Vec<&[u8]> = files.iter().map(|file| file.name.as_slice()).collect();
        assert_eq!(names, [b"photos/2031/1.jpg".as_slice(), b"a"]);
        assert_eq!(files[0].path, Path::new("/case/photos/2031/1.jpg"));
        assert_eq!((index.len(), index.bytes()), (2, Some(12)));
    }

    #[test]
    fn a_file_takes_thirty_two_bytes_and_its_name() {
        assert_eq!(size_of::<Found>(), 32);
    }
}
