//! Every kind of damage to a small pouch (rows 4 and 5 of the list of risks): whatever becomes of its bytes, it is noticed, it is
//! placed in the right files, and no wrong byte comes out. The same judge is shown programs with a planted fault, and sees it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use amparo::crypto::envelope::{self, PLAIN_CHUNK_BYTES, PayloadKey, SEALED_CHUNK_BYTES};
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::format::pouch::{self, POUCH_BYTES_MIN};
use amparo::format::tar::padding;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::{Folder, RelPath};
use amparo::vault::pouch::archive::Archive;
use amparo::vault::pouch::opened::Opened;
use amparo::vault::pouch::pieces::Pieces;

fn me() -> Identity {
    Identity::from_seed(&[1; 32])
}

/// A pouch, and where each of its files stands in its archive, header included.
struct Made {
    bytes: Vec<u8>,
    payload_at: usize,
    /// Where in the archive nothing but zeros follows, of which nothing is needed.
    zeros_at: usize,
    files: BTreeMap<String, (Range<usize>, Vec<u8>)>,
}

/// Six blobs over many chunks.
fn made(seed: u8) -> Made {
    let (mut archive, mut files) = (Vec::new(), BTreeMap::new());
    let mut add = |path: String, content: Vec<u8>, index: u32| {
        let start = archive.len();
        archive.extend(pouch::member_header(&path, content.len() as u64, index));
        archive.extend(&content);
        archive.resize(archive.len() + usize::try_from(padding(content.len() as u64)).expect("small"), 0);
        files.insert(path, (start..archive.len(), content));
    };
    add("VAULT".into(), b"amparo.v1/vault\n".to_vec(), 0);
    for (index, length) in (1..).zip([1, 70_000, 512, 200_000, 65_536, 300_000]) {
        let content: Vec<u8> =
            (0..length).map(|n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ seed).collect();
        let hash = Hash::of(&content).to_string();
        add(format!("blobs/{}/{hash}", &hash[..2]), content, index);
    }
    let (header, zeros) = pouch::end_at(archive.len() as u64, POUCH_BYTES_MIN);
    archive.extend(header);
    let zeros_at = archive.len();
    archive.resize(archive.len() + usize::try_from(zeros).expect("small"), 0);
    let bytes = envelope::seal(&archive, &[&me().recipient()]).bytes;
    let payload_at = bytes.len() - usize::try_from(envelope::sealed_bytes(archive.len() as u64)).expect("small");
    Made { bytes, payload_at, zeros_at, files }
}

/// What a program says of a pouch.
struct Said {
    /// That nothing of it is damaged or missing.
    whole: bool,
    /// The files that it gave out.
    files: BTreeMap<String, Vec<u8>>,
}

type Program = fn(&[u8]) -> Option<Said>;

/// This one. `None`: it refuses to read it.
fn ours(bytes: &[u8]) -> Option<Said> {
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/p"), bytes);
    let opened = Opened::open(Pieces::whole(&disk, Path::new("/p")).ok()?, &[&me()]).ok()?;
    let ends = opened.end_holds();
    let archive = Archive::read(opened, Path::new("p")).ok()?;
    let (mut files, mut lost) = (BTreeMap::new(), false);
    let mut folders = vec![None];
    while let Some(folder) = folders.pop() {
        for item in archive.list(folder.as_ref()).expect("listed") {
            let name = item.name.to_str().expect("ASCII");
            let path = folder.as_ref().map_or_else(|| name.to_string(), |folder: &RelPath| format!("{folder}/{name}"));
            let path = RelPath::parse(path).expect("a path");
            if item.bytes == 0 && archive.list(Some(&path)).is_ok() {
                folders.push(Some(path));
            } else {
                match archive.read(&path, 1 << 24) {
                    Ok(content) => drop(files.insert(path.to_string(), content)),
                    Err(_) => lost = true,
                }
            }
        }
    }
    Some(Said { whole: !lost && !archive.has_gaps() && ends, files })
}

/// What is wrong with what a program says of a damaged pouch, if anything is. `hit` are the bytes that were damaged.
fn judged(made: &Made, damaged: &[u8], hit: &Range<usize>, program: Program) -> Result<(), String> {
    let Some(said) = program(damaged) else {
        // Only without its beginning nothing can be had.
        return if hit.start < made.payload_at { Ok(()) } else { Err("all of it was refused".into()) };
    };
    let chunk = |at: usize| at.saturating_sub(made.payload_at) / SEALED_CHUNK_BYTES * PLAIN_CHUNK_BYTES;
    let lost = chunk(hit.start)..chunk(hit.end - 1) + PLAIN_CHUNK_BYTES;
    // Zeros that are lost cost nothing; but for the last chunk, which shows that nothing was cut off.
    let is_harmless = lost.start >= made.zeros_at && lost.end <= chunk(made.bytes.len() - 1);
    if said.whole && !is_harmless {
        return Err("it is said to be whole".into());
    }
    for (path, content) in &said.files {
        if made.files.get(path).is_none_or(|(_, right)| right != content) {
            return Err(format!("a wrong byte of {path}"));
        }
    }
    if hit.start < made.payload_at {
        return Ok(()); // the nonce: no chunk opens
    }
    let apart = |at: &Range<usize>| at.end <= lost.start || lost.end <= at.start;
    match made.files.iter().find(|(path, (at, _))| apart(at) && !said.files.contains_key(*path)) {
        Some((path, _)) => Err(format!("{path} is missing, and was not damaged")),
        None => Ok(()),
    }
}

/// All damage that is done here, each with what is left of the pouch and which bytes were hit. Of each byte that is looked at so many
/// bits turn.
fn for_each_damage(made: &Made, (stride, bits): (usize, usize), mut look: impl FnMut(&str, &[u8], Range<usize>)) {
    let length = made.bytes.len();
    // Bit flips: each byte of a header, then some of each chunk, and the edges of all.
    let edges = (0..).map(|n| made.payload_at + n * SEALED_CHUNK_BYTES).take_while(|edge| *edge < length);
    let edges: Vec<usize> = edges.collect();
    let near = edges.iter().flat_map(|edge| [edge - 1, *edge]).chain([length - 1]);
    for at in (0..made.payload_at).chain(near).chain((made.payload_at..length).step_by(stride)) {
        for bit in (at..at + bits).map(|bit| bit % 8) {
            let mut torn = made.bytes.clone();
            torn[at] ^= 1 << bit;
            look(&format!("bit {bit} of byte {at}"), &torn, at..at + 1);
        }
    }
    // Every chunk's edge, and lengths between.
    let cuts = edges.iter().flat_map(|edge| [edge - 1, *edge, edge + 1, edge + 16, edge + 17]);
    for cut in cuts.chain((made.payload_at..length).step_by(stride * 3)).filter(|cut| *cut < length) {
        look(&format!("cut at {cut}"), &made.bytes[..cut], cut..length);
    }
    // Holes, of zeros and of whatever lay there before.
    for (number, from) in (made.payload_at..length).step_by(stride * 5).enumerate() {
        let hole = from..(from + [512, 4096, 70_000][number % 3]).min(length);
        let mut torn = made.bytes.clone();
        torn[hole.clone()].fill([0, 0xff][number % 2]);
        look(&format!("a hole at {hole:?}"), &torn, hole);
    }
    // Chunks in each other's place, twice, or of another pouch to the same person.
    let (chunks, other) = (edges.len() - 1, self::made(9).bytes);
    let place = |chunk: usize| edges[chunk]..edges[chunk] + SEALED_CHUNK_BYTES;
    for (one, two) in (0..chunks - 1).flat_map(|one| [(one, one + 1), (one, chunks - 1)]) {
        let mut torn = made.bytes.clone();
        let (first, second) = (made.bytes[place(one)].to_vec(), made.bytes[place(two)].to_vec());
        torn[place(two)].copy_from_slice(&first);
        look(&format!("chunk {one} again as {two}"), &torn, place(two));
        torn[place(one)].copy_from_slice(&second);
        look(&format!("chunks {one} and {two} swapped"), &torn, place(one).start..place(two).end);
        let mut torn = made.bytes.clone();
        torn[place(one)].copy_from_slice(&other[place(one)]);
        look(&format!("a foreign chunk {one}"), &torn, place(one));
    }
    // Something behind the end.
    for more in [1, 16, 17, SEALED_CHUNK_BYTES] {
        let longer = [&made.bytes[..], &vec![0; more]].concat();
        look(&format!("{more} more bytes"), &longer, *edges.last().expect("a chunk")..length);
    }
}

/// What the judge finds wrong with a program.
fn faults(program: Program, places: (usize, usize)) -> (usize, Vec<String>) {
    let made = made(0);
    let (mut looked, mut faults) = (0, Vec::new());
    for_each_damage(&made, places, |what, damaged, hit| {
        looked += 1;
        if let Err(fault) = judged(&made, damaged, &hit, program) {
            faults.push(format!("{what}: {fault}"));
        }
    });
    (looked, faults)
}

#[test]
fn whatever_is_damaged_is_noticed_and_placed() {
    let _row = crate::soak::row(4);
    let whole = ours(&made(0).bytes).expect("read");
    assert!(whole.whole && whole.files.len() == 7);
    // One number makes it closer: from 53 on, a bit of every byte; from eight times that on, every bit.
    let times = usize::try_from(crate::soak::times()).unwrap_or(usize::MAX);
    let (looked, faults) = faults(ours, ((53 / times).max(1), (times / 53).clamp(1, 8)));
    crate::soak::tell(&format!("{looked} damaged pouches"));
    assert!(looked > 30_000, "{looked}");
    assert!(faults.is_empty(), "{} of {looked}: {:#?}", faults.len(), &faults[..faults.len().min(20)]);
}

/// Bits of one sealed chunk that turn unnoticed, among those of so many last bytes; it is looked at past the pouch around it.
fn unnoticed(last: usize, opens: fn(&PayloadKey, &mut [u8]) -> bool) -> usize {
    let made = made(0);
    let (payload_at, key) = envelope::enter(&made.bytes, &[&me()]).expect("mine");
    let chunk = &made.bytes[payload_at..payload_at + SEALED_CHUNK_BYTES];
    assert!(opens(&key, &mut chunk.to_vec()));
    let next = AtomicUsize::new(chunk.len() - last);
    let look = || {
        let (mut torn, mut found) = (chunk.to_vec(), 0);
        while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < chunk.len()) {
            for bit in 0..8 {
                torn[at] ^= 1 << bit;
                found += usize::from(opens(&key, &mut torn));
                torn.copy_from_slice(chunk);
            }
        }
        found
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(look)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

#[test]
fn no_bit_of_a_chunk_turns_unnoticed() {
    let _row = crate::soak::row(4);
    assert_eq!(unnoticed(SEALED_CHUNK_BYTES, |key, chunk| key.open(0, false, chunk).is_some()), 0);
    // Planted: of the tag the last byte is not compared.
    let carelessly = |key: &PayloadKey, chunk: &mut [u8]| {
        (0..=8).any(|bit| {
            let mut chunk = chunk.to_vec();
            *chunk.last_mut().expect("a tag") ^= u8::try_from((1 << bit) >> 1).expect("a byte");
            key.open(0, false, &mut chunk).is_some()
        })
    };
    assert_eq!(unnoticed(32, carelessly), 8);
}

/// Reads chunk by chunk with one rule less than age has.
fn carelessly(bytes: &[u8], any_may_be_last: bool, in_any_order: bool) -> Option<Said> {
    let (payload_at, key) = envelope::enter(bytes, &[&me()]).ok()?;
    let (mut archive, mut whole) = (Vec::new(), true);
    let sealed: Vec<&[u8]> = bytes[payload_at..].chunks(SEALED_CHUNK_BYTES).collect();
    for (index, chunk) in sealed.iter().enumerate() {
        let is_last = index + 1 == sealed.len();
        let indices = if in_any_order { 0..sealed.len() as u64 } else { index as u64..index as u64 + 1 };
        let mut tries = indices.flat_map(|index| [(index, is_last), (index, !is_last)]);
        let allowed = |(_, last): &(u64, bool)| any_may_be_last || *last == is_last;
        let opened = tries.find_map(|attempt| {
            let mut chunk = chunk.to_vec();
            let plain =
                if allowed(&attempt) { key.open(attempt.0, attempt.1, &mut chunk)?.to_vec() } else { return None };
            Some(plain)
        });
        whole &= opened.is_some();
        archive.extend(opened.unwrap_or_else(|| vec![0; PLAIN_CHUNK_BYTES]));
    }
    let mut files = BTreeMap::new();
    for (path, (at, content)) in made(0).files {
        let end = at.end - usize::try_from(padding(content.len() as u64)).expect("small");
        let there = archive.get(end - content.len()..end).map(<[u8]>::to_vec);
        files.extend(there.map(|there| (path, there)));
    }
    Some(Said { whole, files })
}

#[test]
fn planted_faults_are_seen() {
    let _row = crate::soak::row(4);
    let plants: [(&str, Program, &str); 4] = [
        ("the flag of the last chunk is ignored", |bytes| carelessly(bytes, true, false), "said to be whole"),
        ("a chunk may stand anywhere", |bytes| carelessly(bytes, false, true), "said to be whole"),
        ("a damaged chunk is read as zeros", |bytes| carelessly(bytes, false, false), "a wrong byte"),
        (
            "a lost header is passed over",
            |bytes| ours(bytes).map(|said| Said { whole: true, ..said }),
            "said to be whole",
        ),
    ];
    for (plant, program, seen) in plants {
        let (looked, faults) = faults(program, (19_997, 1));
        assert!(faults.iter().any(|fault| fault.contains(seen)), "{plant}: not seen in {looked}: {faults:?}");
    }
}
