//! What lies on the model: as the system shows it, and as the medium holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::content::Content;
use super::crash::{Change, Pending, apply, rename};
use super::{Rules, refused};
use crate::store::{FileTime, Item, Kind, Stat, StoreError};

/// Characters that exFAT refuses in a name, beside control characters.
const REFUSED_ON_EXFAT: &[u8] = b"\"*/:<>?\\|";

/// One thing on the disk.
#[derive(Clone, Hash)]
pub(super) struct Node {
    pub(super) shown: PathBuf,
    pub(super) kind: Kind,
    /// What the system answers from memory.
    pub(super) bytes: Arc<Content>,
    /// What the medium holds, where that differs.
    pub(super) medium: Option<Arc<Content>>,
    pub(super) inode: u64,
    pub(super) changed: u64,
}

impl Node {
    pub(super) fn of(kind: Kind) -> Self {
        Self { shown: PathBuf::new(), kind, bytes: Arc::default(), medium: None, inode: 0, changed: 0 }
    }

    pub(super) fn file(bytes: Vec<u8>) -> Self {
        Self { bytes: Arc::new(bytes.into()), ..Self::of(Kind::File) }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn stat(&self) -> Stat {
        let changed = FileTime { seconds: i64::try_from(self.changed).unwrap_or(0), nanoseconds: 0 };
        Stat {
            kind: self.kind,
            bytes: self.bytes.len() as u64,
            modified: changed,
            changed,
            device: 1,
            inode: self.inode,
            permissions: if self.kind == Kind::Folder { 0o700 } else { 0o600 },
        }
    }
}

/// What lies where, by the bytes of its path: comparing paths part by part took a tenth of what is done on a model.
pub(super) type Nodes = BTreeMap<OsString, Node>;

/// The disk as it is seen, as it is on the medium, and what lies between.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) rules: Rules,
    seen: Nodes,
    pub(super) durable: Nodes,
    pub(super) pending: Vec<Pending>,
    /// What appeared, as it was last written: the change itself names only the path.
    pub(super) appeared: Nodes,
    pub(super) locked: BTreeSet<PathBuf>,
    ticks: u64,
}

impl Tree {
    pub(super) fn new(rules: Rules) -> Self {
        let root = Nodes::from([("/".into(), Node::of(Kind::Folder))]);
        Self::durably(rules, root)
    }

    pub(super) fn durably(rules: Rules, nodes: Nodes) -> Self {
        Self {
            rules,
            ticks: nodes.values().map(|node| node.inode.max(node.changed)).max().unwrap_or(0),
            seen: nodes.clone(),
            durable: nodes,
            pending: Vec::new(),
            appeared: BTreeMap::new(),
            locked: BTreeSet::new(),
        }
    }

    /// How this disk tells names apart; one spelling for each path.
    pub(super) fn key(&self, path: &Path) -> PathBuf {
        let full = Path::new("/").join(path);
        let bytes = full.as_os_str().as_bytes();
        let is_spelled_so = !bytes.ends_with(b"/") && !bytes.windows(2).any(|pair| pair == b"//" || pair == b"/.");
        let full = if is_spelled_so { full } else { full.components().collect() };
        match self.rules {
            Rules::Ext4 => full,
            Rules::ExFat => OsString::from_vec(full.as_os_str().as_bytes().to_ascii_lowercase()).into(),
        }
    }

    /// What lies at a path, reached through folders alone.
    pub(super) fn find(&self, path: &Path) -> Result<&Node, StoreError> {
        let key = self.key(path);
        if key.components().any(|part| part == Component::ParentDir) {
            return Err(StoreError::BadPath { path: path.to_path_buf() });
        }
        let mut above: Vec<&Path> = key.ancestors().skip(1).collect();
        above.reverse();
        for folder in above {
            match self.seen.get(folder.as_os_str()).map(Node::kind) {
                Some(Kind::Folder) => {}
                Some(Kind::Link) => return Err(refused(path, Errno::LOOP)),
                Some(_) => return Err(refused(path, Errno::NOTDIR)),
                None => return Err(refused(path, Errno::NOENT)),
            }
        }
        self.seen.get(key.as_os_str()).ok_or_else(|| refused(path, Errno::NOENT))
    }

    pub(super) fn folder(&self, path: &Path) -> Result<(), StoreError> {
        match self.find(path)?.kind {
            Kind::Folder => Ok(()),
            Kind::Link => Err(refused(path, Errno::LOOP)),
            _ => Err(refused(path, Errno::NOTDIR)),
        }
    }

    pub(super) fn file(&self, path: &Path) -> Result<&Node, StoreError> {
        let node = self.find(path)?;
        match node.kind {
            Kind::File => Ok(node),
            Kind::Link => Err(refused(path, Errno::LOOP)),
            kind => Err(StoreError::NotRegular { path: path.to_path_buf(), kind }),
        }
    }

    pub(super) fn items(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        self.folder(path)?;
        let begin = self.key(path).join("").into_os_string();
        let rest = |other: &OsString| other.as_bytes().strip_prefix(begin.as_bytes()).map(<[u8]>::to_vec);
        let below = self.seen.range(begin.clone()..).map_while(|(other, node)| Some((rest(other)?, node)));
        let mut items: Vec<Item> = below
            .filter(|(name, _)| !name.is_empty() && !name.contains(&b'/'))
            .filter_map(|(_, node)| {
                let name = node.shown.file_name()?.to_owned();
                Some(Item { name, kind: node.kind, bytes: node.bytes.len() as u64, id: Some(node.stat().id()) })
            })
            .collect();
        items.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        Ok(items)
    }

    /// Adds something under a free name in an existing folder; not yet durable.
    pub(super) fn add(&mut self, path: &Path, node: Node) -> Result<(), StoreError> {
        match self.find(path) {
            Err(StoreError::Missing { .. }) => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(refused(path, Errno::EXIST)),
        }
        self.folder(path.parent().unwrap_or(Path::new("/")))?;
        let name = path.file_name().unwrap_or_default().as_bytes();
        if self.rules == Rules::ExFat && name.iter().any(|byte| *byte < 32 || REFUSED_ON_EXFAT.contains(byte)) {
            return Err(StoreError::BadPath { path: path.to_path_buf() });
        }
        let key = self.key(path);
        let node = self.stamped(path, node);
        self.seen.insert(key.clone().into(), node.clone());
        self.appeared.insert(key.clone().into(), node);
        self.pending.push(Pending { change: Change::Appeared(key), doomed: false });
        Ok(())
    }

    /// Adds the folders above a path that are missing; they are returned from the top down.
    pub(super) fn add_above(&mut self, path: &Path) -> Result<Vec<PathBuf>, StoreError> {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        let mut made = Vec::new();
        for folder in above {
            match self.folder(folder) {
                Err(StoreError::Missing { .. }) => {
                    self.add(folder, Node::of(Kind::Folder))?;
                    made.push(folder.to_path_buf());
                }
                found => found?,
            }
        }
        Ok(made)
    }

    /// Gives a file other bytes, and its medium others still where it must lie.
    pub(super) fn write(&mut self, path: &Path, bytes: Vec<u8>, medium: Option<Vec<u8>>) {
        let content = |bytes| Arc::new(Content::from(bytes));
        let (bytes, medium) = (content(bytes), medium.map(content));
        let key = self.key(path);
        self.ticks += 1;
        let ticks = self.ticks;
        for nodes in [&mut self.seen, &mut self.appeared] {
            if let Some(node) = nodes.get_mut(key.as_os_str()) {
                node.bytes = Arc::clone(&bytes);
                node.medium.clone_from(&medium);
                node.changed = ticks;
            }
        }
    }

    pub(super) fn remove(&mut self, path: &Path) -> Result<(), StoreError> {
        if self.find(path)?.kind == Kind::Folder && !self.items(path)?.is_empty() {
            return Err(refused(path, Errno::NOTEMPTY));
        }
        let key = self.key(path);
        self.seen.remove(key.as_os_str());
        self.pending.push(Pending { change: Change::Vanished(key), doomed: false });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.find(from)?;
        match self.find(to) {
            Err(StoreError::Missing { .. }) => self.folder(to.parent().unwrap_or(Path::new("/")))?,
            Err(error) => return Err(error),
            Ok(_) => return Err(refused(to, Errno::EXIST)),
        }
        let (from_key, to_key) = (self.key(from), self.key(to));
        rename(&mut self.seen, &from_key, &to_key, true);
        self.pending.push(Pending { change: Change::Renamed(from_key, to_key), doomed: false });
        Ok(())
    }

    /// Makes durable what is named, and the folders above it; what `fails` is taken for durable and is not.
    pub(super) fn sync(&mut self, created: &[PathBuf], fails: bool) -> Result<(), StoreError> {
        for path in created {
            self.find(path)?;
        }
        let named: BTreeSet<OsString> = created
            .iter()
            .flat_map(|path| self.key(path).ancestors().map(OsString::from).collect::<Vec<_>>())
            .collect();
        let is_named = |path: &Path| named.contains(path.as_os_str());
        let covered = |change: &Change| match change {
            Change::Appeared(path) => is_named(path),
            Change::Vanished(path) => path.parent().is_some_and(is_named),
            Change::Renamed(from, to) => [from, to].iter().all(|path| path.parent().is_some_and(is_named)),
        };
        // Data that could not be written are forgotten; of names, which come from a journal or are read anew, the next
        // sync takes care.
        let is_file = |change: &Change| match change {
            Change::Appeared(path) => self.appeared.get(path.as_os_str()).is_some_and(|node| node.kind == Kind::File),
            Change::Vanished(_) | Change::Renamed(..) => false,
        };
        let mut pending = std::mem::take(&mut self.pending);
        if !fails {
            drop_undone(&mut pending, covered);
        }
        let (due, later): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .map(|mut pending| {
                pending.doomed |= fails && is_file(&pending.change) && covered(&pending.change);
                pending
            })
            .partition(|pending| !fails && covered(&pending.change) && !pending.doomed);
        self.pending = later;
        for pending in due {
            apply(&mut self.durable, &self.appeared, &pending.change);
        }
        Ok(())
    }

    /// What the medium answers for a file; `None` while its data are still on the way.
    pub(super) fn on_medium(&self, path: &Path) -> Option<Arc<Content>> {
        let key = self.key(path).into_os_string();
        let node = self.seen.get(&key)?;
        let of_it = |pending: &&Pending| matches!(&pending.change, Change::Appeared(path) if path.as_os_str() == key);
        match self.pending.iter().rev().find(of_it) {
            Some(pending) if pending.doomed => Some(Arc::new(vec![0; node.bytes.len()].into())),
            Some(_) => None,
            None => Some(node.medium.clone().unwrap_or_else(|| Arc::clone(&node.bytes))),
        }
    }

    /// Puts something there at once and durably.
    pub(super) fn put(&mut self, path: &Path, node: Node) {
        for above in path.ancestors().skip(1) {
            let key = self.key(above).into_os_string();
            let folder = self.stamped(above, Node::of(Kind::Folder));
            self.seen.entry(key.clone()).or_insert_with(|| folder.clone());
            self.durable.entry(key).or_insert(folder);
        }
        let (key, node) = (self.key(path).into_os_string(), self.stamped(path, node));
        self.seen.insert(key.clone(), node.clone());
        self.durable.insert(key, node);
    }

    /// All files that can be seen, by full path.
    pub(super) fn hash_files(&self, hasher: &mut impl Hasher) {
        for node in self.seen.values().filter(|node| node.kind == Kind::File) {
            (node.shown.as_os_str(), &node.bytes).hash(hasher);
        }
    }

    pub(super) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = self.seen.values().filter(|node| node.kind == Kind::File);
        files.map(|node| (node.shown.clone(), node.bytes.to_vec())).collect()
    }

    /// All on which it depends what comes of anything that is done here.
    pub(super) fn hash(&self, hasher: &mut impl Hasher) {
        (&self.seen, &self.durable, self.pending.len()).hash(hasher);
        for Pending { change, doomed } in &self.pending {
            (change, doomed).hash(hasher);
            if let Change::Appeared(path) = change {
                self.appeared.get(path.as_os_str()).hash(hasher);
            }
        }
    }

    fn stamped(&mut self, path: &Path, mut node: Node) -> Node {
        self.ticks += 1;
        node.shown = Path::new("/").join(path);
        (node.inode, node.changed) = (self.ticks, self.ticks);
        node
    }
}

/// What appeared and vanished again before its folder was synced never reaches the medium, nor does what was below it.
fn drop_undone(pending: &mut Vec<Pending>, covered: impl Fn(&Change) -> bool) {
    let gone = |change: &Change| match change {
        Change::Vanished(path) if covered(change) => Some(path.clone()),
        _ => None,
    };
    let vanished: Vec<Option<PathBuf>> = pending.iter().map(|pending| gone(&pending.change)).collect();
    let mut at = 0;
    pending.retain(|pending| {
        at += 1;
        let (Change::Appeared(path) | Change::Vanished(path)) = &pending.change else { return true };
        !vanished[at..].iter().flatten().any(|gone| path.starts_with(gone))
    });
}
