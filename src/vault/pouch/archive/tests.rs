use super::*;
use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Identity;
use crate::format::tar;
use crate::store::Mode;
use crate::store::faulty::{FaultyDisk, Rules};
use crate::vault::pouch::PouchError;
use crate::vault::pouch::pieces::Pieces;

/// An archive on its way.
#[derive(Clone, Default)]
struct Made {
    bytes: Vec<u8>,
    members: u32,
    /// Where each member stands, header included.
    places: Vec<(String, Range<usize>, Vec<u8>)>,
}

impl Made {
    /// One of each kind, in order, and then blobs of these sizes.
    fn with(blobs: &[usize]) -> Self {
        let mut made = Self::default();
        made.add("VAULT", b"amparo.v1\n");
        made.add(&key(), b"a wrapped key");
        made.add(&state(), b"a signed state");
        for (number, size) in (0..).zip(blobs) {
            let content: Vec<u8> = (0..241).cycle().take(*size).map(|at: u8| at ^ number).collect();
            made.add(&blob(number), &content);
        }
        made
    }

    fn add(&mut self, path: &str, content: &[u8]) {
        let header = pouch::member_header(path, content.len() as u64, self.members);
        self.place(path, &header, content);
    }

    fn place(&mut self, path: &str, header: &[u8], content: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend(header);
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK), 0);
        self.members += 1;
        self.places.push((path.into(), start..self.bytes.len(), content.to_vec()));
    }

    fn ended(mut self) -> Self {
        let (header, zeros) = pouch::end_at(self.bytes.len() as u64, POUCH_BYTES_MIN);
        self.bytes.extend(header);
        self.bytes.resize(self.bytes.len() + usize::try_from(zeros).expect("small"), 0);
        self
    }
}

fn key() -> String {
    format!("keys/{}/{}.age", "1".repeat(64), "2".repeat(64))
}

fn state() -> String {
    format!("logs/{}/checkpoints/0000000001-{}", "3".repeat(32), "4".repeat(64))
}

fn blob(number: u8) -> String {
    format!("blobs/{number:02x}/{number:02x}{}", "0".repeat(62))
}

fn me() -> Identity {
    Identity::from_seed(&[1; 32])
}

fn read_file(file: &[u8]) -> Result<Archive, VaultError> {
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/p"), file);
    let opened = Opened::open(Pieces::whole(&disk, Path::new("/p")).expect("a file"), &[&me()]).expect("opened");
    Archive::read(opened, Path::new("p"))
}

fn sealed(archive: &[u8]) -> Vec<u8> {
    envelope::seal(archive, &[&me().recipient()]).bytes
}

fn read(archive: &[u8]) -> Result<Archive, VaultError> {
    read_file(&sealed(archive))
}

#[track_caller]
fn malformed(archive: &[u8], what: &str) {
    assert!(matches!(read(archive), Err(VaultError::Pouch(PouchError::Malformed { .. }))), "{what}");
}

fn at(path: &str) -> RelPath {
    RelPath::parse(path).expect("a path")
}

/// The header block at `start` with one byte changed, and a checksum that says so.
fn changed(archive: &[u8], start: usize, place: usize, byte: u8) -> Vec<u8> {
    let mut archive = archive.to_vec();
    let block = &mut archive[start..start + BLOCK];
    block[place] = byte;
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive
}

#[test]
fn a_pouch_is_read_as_the_folder_that_tar_would_make() {
    let made = Made::with(&[0, 1, 70_000]).ended();
    let archive = read(&made.bytes).expect("read");
    assert_eq!((archive.files(), archive.has_gaps()), (6, false));
    for (path, _, content) in &made.places {
        assert_eq!(&archive.read(&at(path), 1 << 20).expect("there"), content);
        assert_eq!(archive.stat(&at(path)).expect("there").bytes, content.len() as u64);
        let too_large = archive.read(&at(path), content.len() as u64 - u64::from(!content.is_empty()));
        assert!(content.is_empty() || matches!(too_large, Err(StoreError::TooLarge { .. })));
    }
    let names = |below: Option<&str>| {
        let below = below.map(at);
        let items = archive.list(below.as_ref()).expect("listed");
        items.into_iter().map(|item| (item.name.to_string_lossy().into_owned(), item.kind)).collect::<Vec<_>>()
    };
    let root = [("VAULT", Kind::File), ("blobs", Kind::Folder), ("keys", Kind::Folder), ("logs", Kind::Folder)];
    assert_eq!(names(None), root.map(|(name, kind)| (name.to_string(), kind)));
    assert_eq!(names(Some("blobs")).len(), 3);
    assert_eq!(names(Some("blobs/01")), [(blob(1)[9..].to_string(), Kind::File)]);
    for path in ["blobs/ff", "nothing", "VAUL", "blobs/0"] {
        assert!(matches!(archive.stat(&at(path)), Err(StoreError::Missing { .. })), "{path}");
        assert!(matches!(archive.list(Some(&at(path))), Err(StoreError::Missing { .. })), "{path}");
    }
    // It can only be read.
    assert!(archive.create(&at("x"), b"", Mode::Open).is_err() && archive.remove(&at("VAULT")).is_err());
    assert!(archive.create_folder(&at("x"), Mode::Open).is_err() && archive.lock(&at("VAULT")).is_err());
    assert!(
        archive.rename_new(&at("VAULT"), &at("x")).is_err() && archive.create_stream(&at("x"), Mode::Open).is_err()
    );
    assert_eq!(read(&Made::default().ended().bytes).expect("of nothing").files(), 0);
}

#[test]
fn names_that_no_vault_has_are_refused_and_told_harmlessly() {
    let upper = format!("blobs/AB/AB{}", "0".repeat(62));
    let elsewhere = format!("blobs/ab/cd{}", "0".repeat(62));
    let inside = format!("{}/x", blob(1));
    let names = [
        "evil.sh",
        "../VAULT",
        "/etc/passwd",
        "blobs/../VAULT",
        "VAULT/x",
        "logs",
        "keys/x",
        "blobs",
        "./VAULT",
        "vault",
        "VAULT ",
        ".pad/x",
        "record.json",
        "content/t.txt",
        &upper,
        &elsewhere,
        &inside,
        "a\u{1b}[2J",
        "",
    ];
    for name in names {
        let mut made = Made::default();
        made.add("VAULT", b"amparo.v1\n");
        made.add(name, b"x");
        match read(&made.ended().bytes) {
            Err(VaultError::Pouch(PouchError::Stranger { name: told })) => {
                assert!(!told.contains('\u{1b}') && (told == name || name.contains('\u{1b}')), "{told:?}");
            }
            other => panic!("{name:?}: {:?}", other.map(|archive| archive.files())),
        }
    }
}

#[test]
fn links_devices_and_all_else_that_tar_knows_are_refused() {
    let made = Made::with(&[5]).ended();
    for start in [made.places[0].1.start, made.places[3].1.start] {
        for kind in b"12345679gxLKSDMNVX\0 " {
            malformed(&changed(&made.bytes, start, 156, *kind), &format!("type {:?}", char::from(*kind)));
        }
    }
}

#[test]
fn a_header_has_one_form() {
    let made = Made::with(&[5]).ended();
    let start = made.places[0].1.start;
    // Behind the name; the checksum and the size are lies of their own.
    for place in (0..BLOCK).filter(|at| *at >= 5 && !(124..136).contains(at) && !(148..156).contains(at)) {
        let byte = made.bytes[start + place];
        let archive = changed(&made.bytes, start, place, if byte == 0 { b'7' } else { 0 });
        let refused = matches!(
            read(&archive),
            Err(VaultError::Pouch(PouchError::Malformed { .. } | PouchError::Stranger { .. }))
        );
        assert!(refused, "byte {place}");
    }
    for place in 148..156 {
        let mut archive = made.bytes.clone();
        archive[start + place] ^= 1;
        malformed(&archive, "checksum");
    }
    // The same size in other words.
    for octal in [b"12         \0", b"0000000012 \0", b"00000000012 ", b"+0000000012\0", b"           \0"] {
        let mut archive = made.bytes.clone();
        archive[start + 124..start + 136].copy_from_slice(octal);
        malformed(&changed(&archive, start, 0, b'V'), "size in other words");
    }
}

#[test]
fn twice_and_out_of_order_are_refused() {
    let paths = ["VAULT".to_string(), key(), state(), blob(1)];
    for (one, first) in paths.iter().enumerate() {
        for second in &paths[..=one] {
            let mut made = Made::default();
            made.add(first, b"x");
            made.add(second, b"x");
            malformed(&made.ended().bytes, &format!("{second} after {first}"));
        }
    }
}

#[test]
fn sizes_that_lie_take_nothing_and_allocate_nothing() {
    for size in [BLOB_BYTES_MAX + 1, 8 << 30, 1 << 40, u64::MAX - 1024, u64::MAX] {
        let mut made = Made::with(&[]);
        made.place("x", &pouch::member_header(&blob(1), size, 3), b"x");
        malformed(&made.ended().bytes, &format!("{size} bytes"));
    }
    let mut made = Made::with(&[]);
    made.place("x", &pouch::member_header(&blob(1), BLOB_BYTES_MAX, 3), b"x");
    malformed(&made.ended().bytes, "longer than the archive");
    // Where the end is lost it may have been true; but a size that no member has is a lie all the same.
    for (size, is_lie) in [(BLOB_BYTES_MAX, false), (u64::MAX, true)] {
        let mut made = Made::with(&[]);
        made.place("x", &pouch::member_header(&blob(1), size, 3), &vec![1; 80_000]);
        let mut file = sealed(&made.bytes);
        file.pop();
        match read_file(&file) {
            Ok(archive) => assert!(!is_lie && archive.has_gaps() && archive.files() == 3),
            Err(error) => {
                assert!(is_lie && matches!(error, VaultError::Pouch(PouchError::Malformed { .. })), "{error}");
            }
        }
    }
}

#[test]
fn a_label_tells_its_own_place() {
    for label in [0, 2, 99_999_999] {
        let mut made = Made::default();
        made.add("VAULT", b"x");
        made.place("x", &pouch::member_header(&key(), 1, label), b"x");
        malformed(&made.ended().bytes, &format!("label {label} at place 1"));
    }
    // Nine digits, and none.
    for label in ["000000001", "0000001", "x"] {
        let mut made = Made::default();
        made.add("VAULT", b"x");
        let (header, at) = (pouch::member_header(&key(), 1, 1), 1024);
        let named = changed(&header, 0, 0, b'p');
        let mut header = named;
        header[4..13].fill(0);
        header[4..4 + label.len()].copy_from_slice(label.as_bytes());
        header[at..at + 9].fill(0);
        header[at..at + label.len()].copy_from_slice(label.as_bytes());
        let header = changed(&changed(&header, 0, 0, b'p'), at, 0, label.as_bytes()[0]);
        made.place("x", &header, b"x");
        malformed(&made.ended().bytes, &format!("label {label}"));
    }
}

#[test]
fn an_archive_ends_where_its_length_says_and_nowhere_else() {
    let made = Made::with(&[5]);
    let ended = made.clone().ended().bytes;
    malformed(&made.bytes, "no end");
    malformed(&[&made.bytes[..], &[0; 2 * BLOCK]].concat(), "an end as other programs write it");
    malformed(&[&ended[..], &[0; BLOCK]].concat(), "a block more");
    malformed(&ended[..ended.len() - BLOCK], "a block less");
    malformed(&[&ended[..], &vec![1; 100_000]].concat(), "something behind it");
    malformed(&[&ended[..], &ended[..]].concat(), "two archives");
    let longer = tar::end_at(made.bytes.len() as u64, 2 << 20, "");
    let padded = [&made.bytes[..], &longer.0, &vec![0; usize::try_from(longer.1).expect("small")]].concat();
    malformed(&padded, "padded to another length");
    let answers = tar::end_at(made.bytes.len() as u64, ANSWERS_BYTES_MIN, "");
    let padded = [&made.bytes[..], &answers.0, &vec![0; usize::try_from(answers.1).expect("small")]].concat();
    assert_eq!(read(&padded).expect("answers").files(), 4);
    // Behind `.pad` nothing is a member.
    let mut behind = made.clone().ended().bytes;
    let at = made.bytes.len() + BLOCK;
    behind[at..at + BLOCK].copy_from_slice(&pouch::member_header(&blob(9), 0, 4));
    let archive = read(&behind).expect("read");
    assert!(archive.read(&RelPath::parse(blob(9)).expect("a path"), 9).is_err());
}

#[test]
fn what_is_encrypted_to_me_and_is_no_pouch_is_none() {
    malformed(b"Dear friend\n", "a letter");
    malformed(b"", "nothing");
    malformed(&[0; 4096], "zeros");
    malformed(&vec![b'a'; 200_000], "much");
}

#[test]
fn damage_of_each_chunk_costs_what_lies_there_and_no_wrong_byte_comes() {
    let made = Made::with(&[100_000, 10, 70_000, 200_000, 0, 3, 65_024]).ended();
    let file = sealed(&made.bytes);
    let payload = usize::try_from(envelope::sealed_bytes(made.bytes.len() as u64)).expect("small");
    let payload_at = file.len() - payload;
    let chunks = made.bytes.len().div_ceil(1 << 16);
    for lost in 0..chunks {
        let mut file = file.clone();
        file[payload_at + lost * ((1 << 16) + 16) + 9] ^= 1;
        let archive = read_file(&file).unwrap_or_else(|error| panic!("chunk {lost}: {error}"));
        let range = lost << 16..(lost + 1) << 16;
        let mut any_header = false;
        for (path, place, content) in &made.places {
            // Header and bytes, without the padding behind them.
            let header = usize::try_from(pouch::member_bytes(path, 0)).expect("small");
            let needed = place.start..place.start + header + content.len();
            let touched = needed.start < range.end && range.start < needed.end;
            any_header |= place.start < range.end && range.start < place.start + header;
            match archive.read(&at(path), 1 << 20) {
                Ok(bytes) => assert!(bytes == *content && !touched, "chunk {lost}, {path}"),
                Err(_) => assert!(touched, "chunk {lost}: {path} lies elsewhere"),
            }
        }
        let end = made.places.last().expect("members").1.end;
        any_header |= range.start < end + BLOCK && end < range.end;
        assert_eq!(archive.has_gaps(), any_header, "chunk {lost}");
    }
}

#[test]
fn a_cut_end_costs_what_was_cut_and_the_padding_nothing() {
    let made = Made::with(&[100_000, 10, 70_000, 200_000]);
    let end = made.bytes.len();
    let made = made.ended();
    let file = sealed(&made.bytes);
    let payload = usize::try_from(envelope::sealed_bytes(made.bytes.len() as u64)).expect("small");
    let payload_at = file.len() - payload;
    for kept in (0..payload).step_by(9973).chain([payload - 1, payload - 16, payload - 17]) {
        let archive = read_file(&file[..payload_at + kept]).unwrap_or_else(|error| panic!("{kept}: {error}"));
        let whole_chunks = (kept / ((1 << 16) + 16)) << 16;
        for (path, place, content) in &made.places {
            let header = usize::try_from(pouch::member_bytes(path, 0)).expect("small");
            let is_kept = place.start + header + content.len() <= whole_chunks;
            assert_eq!(archive.read(&at(path), 1 << 20).ok().as_ref(), is_kept.then_some(content), "{kept}: {path}");
        }
        assert_eq!(archive.has_gaps(), whole_chunks < end + BLOCK, "{kept}");
    }
}

#[test]
fn names_tell_which_bytes_would_be_right_whoever_wrote_them() {
    // What the archive promises nothing about, whoever takes a file from it checks.
    let archive = read(&Made::with(&[5]).ended().bytes).expect("read");
    let bytes = archive.read(&at(&blob(0)), 99).expect("there");
    assert!(!layout::is_as_named(&at(&blob(0)), &bytes));
    assert_ne!(Hash::of(&bytes).to_string(), blob(0)[9..]);
}
