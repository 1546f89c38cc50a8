//! *The customs officer*: has many pouches in hand, knows the format, and has no key. What she can compare tells her
//! neither how many they are for, nor what kind of thing is in them, nor how much but roughly.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use age_core::format::Stanza;
use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::pad::padded_length;
use amparo::crypto::recipient::Identity;
use amparo::format::parity::{Grid, HEADER_BYTES, Layout, PacketHeader};
use amparo::format::volume::{PAGE_BYTES, PouchId, VolumePage};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use super::{joins, types};
use crate::commands::harness::World;

const MEMBERS: [&str; 9] =
    ["Red Kite", "Grey Owl", "Grey Tern", "Gull", "Plover", "Sparrow", "White Crane", "Small Wren", "Merlin"];

/// All that is visible of a pouch.
#[derive(Debug)]
struct Seen {
    stanzas: Vec<Stanza>,
    grease: usize,
    /// How long what follows the header is, and how much of that is plaintext.
    payload: u64,
    plain: u64,
    modified: (i64, i64),
    mode: u32,
}

impl Seen {
    fn of(world: &World, name: &str, is_text: bool) -> Self {
        let mut bytes = world.read(name);
        if is_text {
            let text = String::from_utf8(bytes).expect("text");
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines[0], "-----BEGIN AGE ENCRYPTED FILE-----");
            assert!(lines[1..lines.len() - 2].iter().all(|line| line.len() == 64));
            let body = lines[1..lines.len() - 1].concat();
            bytes = base64::prelude::BASE64_STANDARD.decode(body).expect("base64");
        }
        let stat = std::fs::metadata(world.path(name)).expect("there");
        Self::of_bytes(&bytes, &stat)
    }

    /// The same of a pouch whose bytes came in files like this one.
    fn of_bytes(bytes: &[u8], stat: &std::fs::Metadata) -> Self {
        let (header, payload) = header(bytes);
        let (stanzas, grease): (Vec<Stanza>, Vec<Stanza>) =
            header.into_iter().partition(|stanza| stanza.tag == "mlkem768x25519");
        assert!(grease.iter().all(|stanza| stanza.tag.ends_with("-grease")), "{grease:?}");
        let sealed = payload - 16;
        let plain = sealed - sealed.div_ceil(65_552) * 16;
        let modified = (stat.mtime(), stat.mtime_nsec());
        Self { stanzas, grease: grease.len(), payload, plain, modified, mode: stat.mode() }
    }
}

/// The stanzas of an age file, and how many bytes follow its header.
fn header(bytes: &[u8]) -> (Vec<Stanza>, u64) {
    let mut stanzas: Vec<Stanza> = Vec::new();
    let mut at = 0;
    let mut body = String::new();
    loop {
        let end = at + bytes[at..].iter().position(|byte| *byte == b'\n').expect("a line");
        let line = std::str::from_utf8(&bytes[at..end]).expect("text").to_string();
        at = end + 1;
        if (line.starts_with("-> ") || line.starts_with("--- "))
            && let Some(last) = stanzas.last_mut()
        {
            last.body = BASE64_STANDARD_NO_PAD.decode(std::mem::take(&mut body)).expect("base64");
        }
        if line.starts_with("--- ") {
            return (stanzas, (bytes.len() - at) as u64);
        }
        match line.strip_prefix("-> ") {
            Some(rest) => {
                let mut words = rest.split(' ').map(String::from);
                let tag = words.next().expect("a word");
                stanzas.push(Stanza { tag, args: words.collect(), body: Vec::new() });
            }
            None if stanzas.is_empty() => assert_eq!(line, "age-encryption.org/v1"),
            None => body.push_str(&line),
        }
    }
}

/// A vault of many members, with a page and a film in it.
fn founded() -> World {
    let world = World::new();
    joins(&world, "heron", "Blue Heron");
    let mut init = vec!["init".to_string(), "evidence".into(), "--handle".into(), "K7".into()];
    for (number, name) in MEMBERS.iter().enumerate() {
        joins(&world, &format!("m{number}"), name);
        let flag = if number == 1 { "--reader" } else { "--monitor" };
        init.extend([flag.into(), format!("../m{number}.card")]);
    }
    world.run("heron", &init.iter().map(String::as_str).collect::<Vec<_>>()).exits(0);
    world.write("heron/page.txt", b"a page");
    world.write("heron/film.bin", &vec![7; 3 << 20]);
    for name in ["page.txt", "film.bin"] {
        types(&world, "heron", &["seal", name, "--kind", "other"]).exits(0);
    }
    world
}

fn packs(world: &World, name: &str, receivers: usize, more: &[&str]) {
    let file = format!("../{name}");
    let mut pack = vec!["pack", "--no-input", "-o", &file];
    pack.extend(MEMBERS[..receivers].iter().flat_map(|name| ["--to", *name]));
    types(world, "heron", &[&pack, more].concat()).exits(0);
}

#[test]
fn nothing_that_is_seen_tells_what_is_in_it_or_for_how_many() {
    let world = founded();
    let small = [("one", 1), ("two", 2), ("four", 4), ("five", 5), ("eight", 8), ("nine", 9)];
    for (name, receivers) in small {
        packs(&world, name, receivers, &["K7-0001", "--purpose", &"why ".repeat(receivers * 7)]);
    }
    packs(&world, "film", 1, &["K7-0002"]);
    packs(&world, "all", 1, &[]);
    // Logs and keys alone, to somebody who has signed for everything.
    let first = ["unpack", "../all", "-o", "evidence", "--owner", "../heron.card", "--sign", "--answer", "../answer"];
    world.run("m0", &first).exits(0);
    types(&world, "heron", &["merge", "../answer"]).exits(0);
    packs(&world, "bare", 1, &[]);
    let expected = [
        ("one", 4),
        ("two", 4),
        ("four", 4),
        ("five", 8),
        ("eight", 8),
        ("nine", 16),
        ("film", 4),
        ("all", 4),
        ("bare", 4),
    ];
    let seen: Vec<(&str, Seen)> = expected.map(|(name, _)| (name, Seen::of(&world, name, false))).into();
    let encapsulated: BTreeSet<&String> =
        seen.iter().flat_map(|(_, seen)| seen.stanzas.iter().flat_map(|stanza| &stanza.args)).collect();
    assert_eq!(encapsulated.len(), expected.iter().map(|(_, count)| count).sum::<usize>(), "none comes twice");
    let (_, one) = &seen[0];
    for ((name, seen), (_, stanzas)) in seen.iter().zip(expected) {
        assert_eq!(seen.stanzas.len(), stanzas, "{name}");
        assert!(seen.grease <= 1, "{name}");
        for stanza in &seen.stanzas {
            assert_eq!((stanza.args.len(), stanza.args[0].len(), stanza.body.len()), (1, 1494, 32), "{name}");
        }
        assert_eq!((seen.modified, seen.mode), (one.modified, one.mode), "{name}");
        assert_eq!(padded_length(seen.plain, 1 << 20), seen.plain, "{name}: {} is on no grid", seen.plain);
        let is_film = ["film", "all"].contains(name);
        assert_eq!(seen.payload == one.payload, !is_film, "{name}: {} bytes", seen.payload);
    }
    assert_eq!(one.plain, 1 << 20);
}

#[test]
fn answers_look_alike_too() {
    let world = founded();
    let packs = |name: &str, receivers: usize| packs(&world, name, receivers, &["--answers"]);
    packs("one", 1);
    packs("four", 4);
    packs("five", 5);
    types(&world, "heron", &["custody", "note", "a word"]).exits(0);
    packs("more", 3);
    let all = [("one", 4), ("four", 4), ("five", 8), ("more", 4)].map(|(name, stanzas)| {
        let seen = Seen::of(&world, name, true);
        assert_eq!(seen.stanzas.len(), stanzas, "{name}");
        assert_eq!(padded_length(seen.plain, 16 << 10), seen.plain, "{name}");
        (name, seen)
    });
    let [(_, one), rest @ ..] = &all;
    for (name, seen) in rest {
        assert_eq!((seen.modified, seen.mode), (one.modified, one.mode), "{name}: another date or mode");
    }
    assert_eq!((all[1].1.payload, all[2].1.payload), (one.payload, one.payload), "the same, for more people");
}

#[test]
fn the_order_of_the_stanzas_is_chance() {
    let world = founded();
    let identity = String::from_utf8(world.read("m0/.config/amparo/identity.age")).expect("text");
    let line = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-PQ-")).expect("a key");
    let hers: Identity = line.parse().expect("a key");
    let mut places = BTreeSet::new();
    for number in 0..12 {
        let name = format!("pouch-{number}");
        packs(&world, &name, 1, &["K7-0001"]);
        let seen = Seen::of(&world, &name, false);
        let opens = |stanza: &Stanza| matches!(age::Identity::unwrap_stanza(&hers, stanza), Some(Ok(_)));
        let opening: Vec<usize> = (0..4).filter(|at| opens(&seen.stanzas[*at])).collect();
        assert_eq!(opening.len(), 1, "one of four is hers");
        places.insert(opening[0]);
    }
    // All twelve in one of four places by chance: once in four million times.
    assert!(places.len() > 1, "it always stands in place {places:?}");
}

/// One of the files in which a pouch and its parity lie.
struct Part {
    name: String,
    bytes: Vec<u8>,
    stat: std::fs::Metadata,
}

/// The files whose names begin with that of a pouch, in order: those of the pouch, and those of its parity.
fn parts(world: &World, name: &str) -> (Vec<Part>, Vec<Part>) {
    let mut parts: Vec<Part> = std::fs::read_dir(world.path(""))
        .expect("a folder")
        .map(|item| item.expect("an item"))
        .filter_map(|item| {
            let name = item.file_name().to_string_lossy().strip_prefix(&format!("{name}."))?.to_string();
            let (bytes, stat) = (std::fs::read(item.path()).expect("a file"), item.metadata().expect("a file"));
            Some(Part { name, bytes, stat })
        })
        .collect();
    parts.sort_by(|one, other| one.name.cmp(&other.name));
    parts.into_iter().partition(|part| !part.name.starts_with("parity"))
}

/// Whether bytes look like chance: all values equally often, and no block of 16 bytes twice.
fn looks_like_chance(bytes: &[u8], blocks: &mut BTreeSet<[u8; 16]>) -> Result<(), String> {
    let mut counts = [0_u64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let length = bytes.len() as u64;
    // Pearson's sum times `length`; of 255 degrees of freedom it is above 450 once in 10¹² times.
    let sum = counts.iter().map(|count| (256 * count).abs_diff(length).pow(2)).sum::<u64>() / 256;
    if sum > 450 * length {
        return Err(format!("some values are too frequent: {} instead of 255", sum / length));
    }
    let is_new = |block: &[u8]| blocks.insert(block.try_into().expect("16 bytes"));
    if bytes.chunks_exact(16).all(is_new) { Ok(()) } else { Err("a block of 16 bytes comes twice".into()) }
}

/// The pouch that lies in volumes, of which each is two pages that say what they must, and what stands between.
fn joined(name: &str, volumes: &[Part], volume_bytes: usize, blocks: &mut BTreeSet<[u8; 16]>) -> Vec<u8> {
    let mut pouch: Vec<u8> = Vec::new();
    for (number, part) in volumes.iter().enumerate() {
        assert_eq!(part.name, format!("{:03}", number + 1), "{name}");
        assert!(part.bytes.len() <= volume_bytes, "{name}");
        let (before, rest) = part.bytes.split_at(PAGE_BYTES);
        let (data, behind) = rest.split_at(rest.len() - PAGE_BYTES);
        let (page, none) = VolumePage::parse(before).expect("a page");
        assert_eq!((page.part, page.parts), (number as u64 + 1, volumes.len() as u64), "{name}");
        assert_eq!((page.offset, page.length), (pouch.len() as u64, data.len() as u64), "{name}");
        // A page is printed in one way: it holds nothing else.
        assert!(none.is_none() && before == page.print(None) && behind == page.print(Some(Hash::of(data))), "{name}");
        // What stands in the clear of a pouch is its header, in the first.
        let from = if number == 0 { envelope::start_bytes(data).expect("a header") } else { 0 };
        looks_like_chance(&data[from..], blocks).unwrap_or_else(|fault| panic!("{name}, {}: {fault}", part.name));
        pouch.extend(data);
        assert_eq!(page.total, volumes.iter().map(|part| (part.bytes.len() - 2 * PAGE_BYTES) as u64).sum::<u64>());
    }
    let start = envelope::start_bytes(&pouch).expect("a header");
    let id = PouchId::of(&pouch[..start]);
    let pages = volumes.iter().filter_map(|part| VolumePage::parse(&part.bytes[..PAGE_BYTES]));
    assert!(pages.into_iter().all(|(page, _)| page.pouch == id), "{name}");
    pouch
}

/// What parity shows: its packets one behind the other, each with a header that the pouch's length and id and the share make.
fn shows_only_headers(name: &str, parity: &[Part], pouch: &[u8], share: u16, blocks: &mut BTreeSet<[u8; 16]>) {
    let layout = Layout::of(Grid::of(pouch.len() as u64).expect("short"), share).expect("a share");
    let id = PouchId::of(&pouch[..envelope::start_bytes(pouch).expect("a header")]);
    let packet_bytes = usize::try_from(layout.packet_bytes()).expect("short");
    let mut slot = 0;
    for (number, part) in parity.iter().enumerate() {
        assert!(part.name == format!("parity.{:03}", number + 1) || (part.name == "parity" && parity.len() == 1));
        assert!(part.bytes.len().is_multiple_of(packet_bytes), "{name}: more than packets in {}", part.name);
        for packet in part.bytes.chunks_exact(packet_bytes) {
            let (header, body) = packet.split_at(HEADER_BYTES);
            let (row, index) = (slot % layout.grid.rows, slot / layout.grid.rows);
            let expected = PacketHeader { pouch: id, layout, row, index }.print();
            let sum = Hash::of_parts(&[&expected, body]);
            assert_eq!(header, [&expected[..], &sum.0[..16]].concat(), "{name}: packet {slot}");
            looks_like_chance(body, blocks).unwrap_or_else(|fault| panic!("{name}: packet {slot}: {fault}"));
            slot += 1;
        }
    }
    assert_eq!(slot, layout.packets(), "{name}");
}

#[test]
fn parity_and_volumes_tell_the_length_and_the_share_and_nothing_else() {
    let world = founded();
    let (volume_bytes, share) = (400_000, 20);
    let cut = ["--parity", "20", "--volumes", "400000"];
    let packs = |name: &str, receivers: usize, more: &[&str]| packs(&world, name, receivers, &[more, &cut].concat());
    packs("page", 1, &["K7-0001"]);
    packs("again", 1, &["K7-0001"]);
    packs("four", 4, &["K7-0001", "--purpose", &"why ".repeat(50)]);
    packs("bare", 2, &["--no-exhibits"]);
    packs("film", 1, &["K7-0002"]);
    packs("nine", 9, &["K7-0001"]);
    let mut blocks = BTreeSet::new();
    let (mut shapes, mut ids) = (Vec::new(), BTreeSet::new());
    for (name, stanzas) in [("page", 4), ("again", 4), ("four", 4), ("bare", 4), ("film", 4), ("nine", 16)] {
        let (volumes, parity) = parts(&world, name);
        let pouch = joined(name, &volumes, volume_bytes, &mut blocks);
        shows_only_headers(name, &parity, &pouch, share, &mut blocks);
        let seen = Seen::of_bytes(&pouch, &volumes[0].stat);
        assert_eq!(seen.stanzas.len(), stanzas, "{name}");
        assert_eq!(padded_length(seen.plain, 1 << 20), seen.plain, "{name}: {} is on no grid", seen.plain);
        let all = || volumes.iter().chain(&parity);
        let dates: BTreeSet<(i64, i64, u32)> =
            all().map(|part| (part.stat.mtime(), part.stat.mtime_nsec(), part.stat.mode())).collect();
        assert_eq!(
            dates,
            BTreeSet::from([(seen.modified.0, seen.modified.1, seen.mode)]),
            "{name}: one date, one mode"
        );
        // age greases one header in so many, which is chance, and shifts what follows by some bytes.
        let shape: Vec<(String, usize)> = all().map(|part| (part.name.clone(), part.bytes.len() >> 12)).collect();
        ids.insert(pouch[..envelope::start_bytes(&pouch).expect("a header")].to_vec());
        shapes.push((name, seen.modified, seen.mode, shape));
    }
    assert_eq!(ids.len(), shapes.len(), "of the same evidence packed twice nothing is the same");
    let (_, modified, mode, page) = &shapes[0];
    for (name, its_date, its_mode, shape) in &shapes {
        assert_eq!((its_date, its_mode), (modified, mode), "{name}");
        let is_alike = !["film", "nine"].contains(name);
        assert!(
            !is_alike || shape.iter().map(|(name, _)| name).eq(page.iter().map(|(name, _)| name)),
            "{name}: {shape:?}"
        );
        let near = shape.iter().zip(page).all(|((_, one), (_, other))| one.abs_diff(*other) <= 1);
        assert!(!is_alike || near, "{name}: {shape:?} and {page:?}");
    }
}

#[test]
fn a_structure_in_parity_or_a_volume_would_be_seen() {
    let chance: Vec<u8> = (0_u32..3000).flat_map(|number| Hash::of(&number.to_be_bytes()).0).collect();
    assert_eq!(looks_like_chance(&chance, &mut BTreeSet::new()), Ok(()));
    let mut zeros = chance.clone();
    zeros[5000..5064].fill(0);
    assert!(looks_like_chance(&zeros, &mut BTreeSet::new()).is_err(), "a run of zeros");
    let mut text = chance.clone();
    text[..8000].iter_mut().for_each(|byte| *byte &= 0x7f);
    assert!(looks_like_chance(&text, &mut BTreeSet::new()).is_err(), "text");
    let mut blocks = BTreeSet::new();
    assert_eq!(looks_like_chance(&chance, &mut blocks), Ok(()));
    assert!(looks_like_chance(&chance[160..320], &mut blocks).is_err(), "what stands in another file");
}
