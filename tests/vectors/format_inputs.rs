//! The fixed inputs of the format's vectors.

use std::collections::BTreeMap;

use amparo::crypto::commit::Secret;
use amparo::crypto::hash::{Hash, hex};
use amparo::crypto::merkle::{consistency_proof, leaf_hash, root};
use amparo::format::checkpoint::{Checkpoint, Origin};
use amparo::format::document::Document;
use amparo::format::entry::{Begins, Entry};
use amparo::format::event::{Event, Head};
use amparo::format::fork_proof::{ForkProof, State};
use amparo::format::ids::{KeyId, LogId, MemberId, VaultId};
use amparo::format::inventory::Row;
use amparo::format::note::{Note, SignatureLine};
use amparo::format::record::{Binding, Record};
use amparo::format::role::{Scope, Section};

use super::format::Vector;
use super::format_events;

pub(super) fn all() -> Vec<Vector> {
    let mut all = hashes();
    all.extend(trees());
    all.extend(records());
    all.extend(entries());
    all.extend(payloads());
    all.extend(words());
    all
}

fn vector(name: &str, header: &[(&str, &str)], body: &[u8]) -> Vector {
    let header = header.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
    Vector { name: name.into(), header, body: body.to_vec() }
}

fn binary(name: &str, check: &str, body: &[u8]) -> Vector {
    vector(name, &[("check", check), ("body", "hex")], body)
}

fn vector_of_key(name: &str, seed: &str, scope: &str, epoch: &str) -> Vector {
    let log = hex(&[2; 16]);
    let given = [("check", "vault-key-id"), ("log", &*log), ("scope", scope), ("epoch", epoch), ("age-seed", seed)];
    vector(name, &given, b"")
}

fn hashes() -> Vec<Vector> {
    let seed = hex(&[1; 32]);
    let (vault, member) = (Hash::of(b"vault").to_string(), Hash::of(b"member").to_string());
    let (zero, salt, public) = (Hash::ZERO.to_string(), hex(&[9; 16]), hex(&[3; 32]));
    let long_key = hex(&[4; 1312]);
    let mut made = vec![
        vector("frame-two-parts", &[("check", "frame"), ("domain", "d"), ("part", "6162"), ("part", "63")], b""),
        vector("frame-an-empty-part", &[("check", "frame"), ("domain", "d"), ("part", "61"), ("part", "")], b""),
        vector("tagged", &[("check", "tagged"), ("domain", "amparo.v1/row"), ("part", "00ff")], b""),
        vector_of_key("vault-key-id", &seed, "main", "1"),
        vector_of_key("vault-key-id-custody", &seed, "custody", "0"),
        vector("fingerprint", &[("check", "fingerprint"), ("hash", &vault)], b""),
        vector("log-id", &[("check", "log-id"), ("vault", &vault), ("member", &member), ("salt", &salt)], b""),
        vector("log-id-founding", &[("check", "log-id"), ("vault", &zero), ("member", &member), ("salt", &salt)], b""),
    ];
    for want in ["age-secret", "age-recipient", "log-key", "cosign-key", "ml-dsa-44-key", "member-id"] {
        let header = [("check", "identity"), ("want", want), ("seed", &seed)];
        made.push(vector(&format!("identity-{want}"), &header, b""));
    }
    for (kind, public) in [("01", &public), ("04", &public), ("06", &long_key), ("ff", &long_key)] {
        let header = [("check", "note-key-id"), ("name", "amparo.v1/member/00"), ("type", kind), ("public", public)];
        made.push(vector(&format!("note-key-id-{kind}"), &header, b""));
    }
    made
}

fn trees() -> Vec<Vector> {
    let mut made = Vec::new();
    for size in [0, 1, 2, 3, 7, 8, 65] {
        let header = [("check", "merkle-root"), ("size", &size.to_string()[..])];
        made.push(vector(&format!("merkle-root-{size:02}"), &header, b""));
    }
    for (index, size) in [(0, 1), (0, 7), (5, 7), (6, 7), (64, 65)] {
        let header = [("check", "merkle-path"), ("index", &format!("{index}")), ("size", &format!("{size}"))];
        made.push(vector(&format!("merkle-path-{index:02}-of-{size:02}"), &header, b""));
    }
    for (first, size) in [(1, 1), (1, 8), (3, 7), (4, 7), (6, 8), (8, 65)] {
        let header = [("check", "merkle-consistency"), ("first", &format!("{first}")), ("size", &format!("{size}"))];
        made.push(vector(&format!("merkle-consistency-{first:02}-of-{size:02}"), &header, b""));
    }
    made.extend(fork_proofs());
    let lengths =
        [(0, 0), (1, 0), (9, 0), (100, 4096), (4097, 4096), (16_385, 16_384), (1 << 24, 0), ((1 << 24) + 1, 0)];
    for (length, floor) in lengths {
        let header = [("check", "padded-length"), ("length", &format!("{length}")), ("floor", &format!("{floor}"))];
        made.push(vector(&format!("padded-length-{length:08}-{floor:05}"), &header, b""));
    }
    let row = Row {
        log: LogId([7; 16]),
        number: 12,
        key: KeyId(Hash::of(b"key")),
        record_root: Hash::of(b"record"),
        record_leaves: 64,
        blobs: 2,
        blobs_root: Hash::of(b"blobs"),
    };
    made.push(binary("row", "row", &row.to_bytes()));
    let (one, two) = (Hash::of(b"one").to_string(), Hash::of(b"two").to_string());
    made.push(vector("blobs-root", &[("check", "blobs-root"), ("blob", &one), ("blob", &two)], b""));
    made
}

fn records() -> Vec<Vector> {
    let secret = hex(&[5; 32]);
    let mut record = Record::new(Secret([5; 32]));
    record.bind(&Binding { vault: VaultId(Hash::of(b"vault")), log: LogId([7; 16]), number: 12 });
    let plain = [("identity/kind", "testimony"), ("identity/title", "“Día”\t\"\\\n\u{7f}x")];
    let mut made = vec![
        vector("salt", &[("check", "salt"), ("secret", &secret), ("path", "identity/kind")], b""),
        vector("commitment", &[("check", "commitment"), ("salt", &secret), ("path", "a/b")], "Día".as_bytes()),
        vector("decoy-0", &[("check", "decoy"), ("secret", &secret), ("number", "0")], b""),
        vector("decoy-62", &[("check", "decoy"), ("secret", &secret), ("number", "62")], b""),
    ];
    for (path, value) in plain {
        record.set(path, value.replace('\u{7f}', "")).expect("a field");
    }
    let json = String::from_utf8(record.print().expect("a record")).expect("text");
    let mut add = |name: &str, json: &str| made.push(vector(name, &[("check", "record")], json.as_bytes()));
    add("record", &json);
    for (name, from, to) in [
        ("record-refused-binding", "/12\"", "/012\""),
        ("record-refused-compact", "{\n  \"format\"", "{\"format\""),
        ("record-refused-control", "testimony", "testi\\u007fmony"),
        ("record-refused-escape", "testimony", "testi\\u006dony"),
        ("record-refused-format", "amparo.v1/record", "amparo.v2/record"),
        ("record-refused-no-newline", "}\n}\n", "}\n}"),
        ("record-refused-order", "  \"format\": \"amparo.v1/record\",\n", ""),
        ("record-refused-paragraph", "identity/kind", "content/paragraph/000001"),
        ("record-refused-path", "identity/kind", "identity/Kind"),
        ("record-refused-secret", "0505", "05FF"),
        ("record-refused-twice", "\"identity/title\"", "\"identity/kind\""),
        ("record-refused-unbound", "\"exhibit\"", "\"exhibits\""),
        ("record-refused-unknown", "\"fields\"", "\"more\": 1,\n  \"fields\""),
    ] {
        assert!(json.contains(from), "{name}");
        add(name, &json.replacen(from, to, 1));
    }
    made
}

/// An entry with everything fixed but its event.
pub(super) fn entry(seq: u64, event: Event) -> Entry {
    let member = MemberId(Hash::of(b"member"));
    let head = Head { log: LogId([8; 16]), size: 300, root: Hash::of(b"other log") };
    Entry {
        format: Entry::FORMAT.into(),
        vault: if seq == 0 { VaultId::UNFOUNDED } else { VaultId(Hash::of(b"vault")) },
        log: LogId([7; 16]),
        seq,
        previous: Hash::of(b""),
        nonce: [9; 16],
        time: "2031-05-04T23:10:00-03:00".into(),
        clock: "device".into(),
        heads: if seq == 0 { Vec::new() } else { vec![head] },
        tool: "amparo 0.1.0".into(),
        begins: (seq == 0).then(|| Begins { member, salt: [9; 16], handle: "K7".into(), continues: None }),
        event,
    }
}

fn entries() -> Vec<Vector> {
    let mut made = Vec::new();
    for event in format_events::all() {
        let seq = u64::from(!matches!(event, Event::Found(_)));
        let encoding = entry(seq, event.clone()).encode();
        made.push(binary(&format!("entry-{}", event.name()), "entry", &encoding));
    }
    made.push(binary("entry-pack-everything", "entry", &entry(1, format_events::pack_of_everything()).encode()));
    let note = entry(1, Event::Note { text: "a".into(), exhibit: None, reconstructed: false });
    let mut padded = note.encode_padded();
    made.push(binary("padded-entry", "padded-entry", &padded));
    *padded.last_mut().expect("padding") = 1;
    made.push(binary("padded-entry-refused-not-zero", "padded-entry", &padded));
    made.push(binary("padded-entry-refused-unpadded", "padded-entry", &note.encode()));
    made.extend(refused(&note));
    made
}

/// Encodings that differ from a good one in one thing each.
fn refused(note: &Entry) -> Vec<Vector> {
    let good = note.encode();
    let replaced = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|window| window == from).expect("something to replace");
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    let changed = |change: &dyn Fn(&mut Entry)| {
        let mut entry = note.clone();
        change(&mut entry);
        entry.encode()
    };
    let own = Head { log: note.log, size: 1, root: Hash::ZERO };
    let main = format_events::new_key(Scope::Content(Section::main()), 1);
    let bodies: BTreeMap<&str, Vec<u8>> = BTreeMap::from([
        ("trailing", [good.as_slice(), b"\0"].concat()),
        ("long-number", replaced(b"\xa3seq\x01", b"\xa3seq\xcc\x01")),
        ("long-string", replaced(b"\xa6device", b"\xd9\x06device")),
        ("long-bytes", replaced(b"\xa5nonce\xc4\x10", b"\xa5nonce\xc5\x00\x10")),
        ("bytes-as-text", replaced(b"\xa5clock\xa6device", b"\xa5clock\xc4\x06device")),
        ("unknown-field", replaced(b"\xa3seq\x01", b"\xa4seqq\x01")),
        ("fields-swapped", replaced(b"\xa3seq\x01", b"\xa3log\x01")),
        ("array-for-map", replaced(b"\x83\xa4text", b"\x93\xa4text")),
        ("unknown-event", replaced(b"\xa4note\x83", b"\xa4tone\x83")),
        ("other-format", replaced(b"amparo.v1/entry", b"amparo.v2/entry")),
        ("cut", good[..good.len() - 1].to_vec()),
        ("begins-missing", changed(&|entry| entry.seq = 0)),
        ("time", changed(&|entry| entry.time = "2031-05-04T23:10:00Z".into())),
        ("control", changed(&|entry| entry.tool = "amparo\r".into())),
        ("own-head", changed(&|entry| entry.heads = vec![own])),
        ("scope-twice", changed(&|entry| entry.event = Event::Rotate { keys: vec![main.clone(), main.clone()] })),
        ("heads-unsorted", changed(&|entry| entry.heads.push(Head { log: LogId([1; 16]), ..own }))),
        (
            "long-text",
            changed(&|entry| {
                entry.event = Event::Note { text: "a".repeat(4097), exhibit: None, reconstructed: false };
            }),
        ),
    ]);
    bodies.iter().map(|(name, body)| binary(&format!("entry-refused-{name}"), "entry", body)).collect()
}

fn payloads() -> Vec<Vector> {
    let long = format!("content/{}", "a".repeat(120));
    let mut made = Vec::new();
    for (name, member, size) in [
        ("plain", "content/letter.pdf", "41235"),
        ("not-ascii", "content/carta de Día.txt", "7"),
        ("long", &long, "0"),
        ("large", "content/film.mp4", "8589934592"),
        ("record", "record.json", "1500"),
    ] {
        let header = [("check", "payload-header"), ("name", member), ("size", size), ("index", "3")];
        made.push(vector(&format!("payload-header-{name}"), &header, b""));
    }
    for (offset, listing) in
        [("0", None), ("1536", None), ("16777216", Some("[]")), ("99999999488", None), ("1099511628288", None)]
    {
        let mut header = vec![("check", "payload-tail"), ("offset", offset)];
        header.extend(listing.map(|listing| ("listing", listing)));
        made.push(vector(&format!("payload-tail-{offset}"), &header, b"{}\n"));
    }
    made
}

fn words() -> Vec<Vector> {
    let mut made = Vec::new();
    let mut each = |check: &str, extra: &[(&str, &str)], bodies: &[&str]| {
        for (number, body) in (1..).zip(bodies) {
            let header: Vec<(&str, &str)> = [("check", check)].into_iter().chain(extra.iter().copied()).collect();
            made.push(vector(&format!("{check}-{number:02}"), &header, body.as_bytes()));
        }
    };
    each(
        "member",
        &[],
        &[
            "letter.pdf",
            "a/b/c",
            ".hidden",
            "Día.txt",
            "CON",
            "con.txt",
            "COM1.a.b",
            "COM10",
            "lpt². x",
            "a/../b",
            "/a",
            "a//b",
            "a\\b",
            "a:b",
            "-rf",
            " a",
            "a ",
            "a.",
            "a\u{202e}gpj.exe",
            "a\tb",
            "AUX /x",
            "a\u{200d}b",
        ],
    );
    each(
        "paragraphs",
        &[("media-type", "text/plain")],
        &["one", "one\ntwo\n", "one\n\ntwo", "one\r\n \t\r\n\r\ntwo\r\n\r\n", "\n\none", "\n \n", "a\n\u{a0}\nb"],
    );
    each(
        "time",
        &[],
        &[
            "2031-05-04T23:10:00-03:00",
            "2031-05-04T23:10:00+00:00",
            "2031-05-04T23:10:00Z",
            "2031-02-29T00:00:00+00:00",
            "2028-02-29T00:00:00+00:00",
            "2031-05-04T24:00:00+00:00",
            "2031-05-04T23:59:60+00:00",
            "2031-05-04T23:10:00.5+00:00",
            "2031-05-04t23:10:00+00:00",
            "2031-05-04T23:10:00+23:59",
            "2031-05-04T23:10:00+24:00",
            "2031-05-04T23:10:00-00:00",
            "0000-01-01T00:00:00+00:00",
            "2031-05-04T23:10:00+00:60",
            "9999-12-31T23:59:59+00:00",
        ],
    );
    each(
        "pseudonym",
        &[],
        &[
            "Blue Heron",
            "مرغ",
            "Blue  Heron",
            " Heron",
            "He\u{200d}ron",
            "می\u{200c}خواهم",
            "He\u{202e}ron",
            "a\u{a0}b",
        ],
    );
    made
}

/// Two states of one log, of which the second has another root at the size of the first; and what is no such proof.
/// ML-DSA signatures may be hedged, and nothing here looks at them: the lines are made up.
fn fork_proofs() -> Vec<Vector> {
    let leaves: Vec<Hash> = (0..7_u8).map(|byte| leaf_hash(&[byte])).collect();
    let state = |leaves: &[Hash]| {
        let origin = Origin { vault: VaultId(Hash::of(b"vault")), log: LogId([7; 16]) };
        let checkpoint = Checkpoint { origin, size: leaves.len() as u64, root: root(leaves) };
        let name = origin.to_string();
        let lines = [64_usize, 2428].map(|length| SignatureLine::new(&name, [1, 2, 3, 4], &vec![5; length]));
        State { checkpoint, note: Note::new(checkpoint.text(), lines.to_vec()) }
    };
    let other: Vec<Hash> = [&leaves[..2], &[leaf_hash(b"another")]].concat();
    let path = consistency_proof(&leaves, 3).expect("a beginning");
    let proof = ForkProof::new(state(&other), state(&leaves), root(&leaves[..3]), path).expect("a contradiction");
    let text = proof.print();
    let equal = ForkProof::new(state(&other), state(&leaves[..3]), root(&leaves[..3]), Vec::new());
    let equal = equal.expect("a contradiction").print();
    let honest = ForkProof { first: state(&leaves[..3]), ..proof.clone() }.print();
    let swapped = ForkProof { first: proof.second.clone(), second: proof.first.clone(), ..proof.clone() }.print();
    let mut short = proof.clone();
    short.path.pop();
    let cases = [
        ("fork-proof", text.clone()),
        ("fork-proof-of-one-size", equal),
        ("fork-proof-refused-no-contradiction", honest),
        ("fork-proof-refused-order", swapped),
        ("fork-proof-refused-short-path", short.print()),
        ("fork-proof-refused-trailing", format!("{text}\n")),
    ];
    cases.into_iter().map(|(name, body)| vector(name, &[("check", "fork-proof")], body.as_bytes())).collect()
}
