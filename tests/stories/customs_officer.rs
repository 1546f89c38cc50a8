//! *The customs officer*: has many pouches in hand, knows the format, and has no key. What she can compare tells her
//! neither how many they are for, nor what kind of thing is in them, nor how much but roughly.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use age_core::format::Stanza;
use amparo::crypto::pad::padded_length;
use amparo::crypto::recipient::Identity;
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
        let (header, payload) = header(&bytes);
        let (stanzas, grease): (Vec<Stanza>, Vec<Stanza>) =
            header.into_iter().partition(|stanza| stanza.tag == "mlkem768x25519");
        assert!(grease.iter().all(|stanza| stanza.tag.ends_with("-grease")), "{grease:?}");
        let stat = std::fs::metadata(world.path(name)).expect("there");
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
    for (name, stanzas) in [("one", 4), ("four", 4), ("five", 8), ("more", 4)] {
        let seen = Seen::of(&world, name, true);
        assert_eq!(seen.stanzas.len(), stanzas, "{name}");
        assert_eq!(padded_length(seen.plain, 16 << 10), seen.plain, "{name}");
    }
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
