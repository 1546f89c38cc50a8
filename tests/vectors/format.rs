//! The vectors of FORMAT.md: small files that a verifier in any language can read, each with its outcome. They were
//! written once. Here they are evaluated again and compared; nothing regenerates a file that is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use amparo::crypto::commit::{Secret, commitment};
use amparo::crypto::hash::{Hash, frame, hex, unhex};
use amparo::crypto::merkle::{consistency_proof, inclusion_proof, leaf_hash, root};
use amparo::crypto::pad::padded_length;
use amparo::crypto::recipient::Identity;
use amparo::crypto::seed::Seed;
use amparo::format::document::Document;
use amparo::format::entry::{Entry, entry_leaf, is_time};
use amparo::format::fork_proof::ForkProof;
use amparo::format::ids::{KeyId, LogId, MemberId, VaultId};
use amparo::format::inventory::{Row, blobs_root};
use amparo::format::names::is_safe_member;
use amparo::format::note::{LineType, key_id};
use amparo::format::payload::{member_header, tail};
use amparo::format::pseudonym::Pseudonym;
use amparo::format::record::Record;
use amparo::format::{fingerprint, paragraphs};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::format_inputs;

/// One vector: what is evaluated, on what, and what comes of it.
pub(super) struct Vector {
    pub(super) name: String,
    /// `check`, then its inputs, in the order of the file.
    pub(super) header: Vec<(String, String)>,
    /// Bytes that are evaluated, if any.
    pub(super) body: Vec<u8>,
}

#[test]
fn every_vector_of_the_format_holds() {
    let _row = crate::soak::row(11);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/format");
    let mut files: Vec<String> = fs::read_dir(&folder)
        .expect("the vectors are part of the project")
        .map(|item| item.expect("a name").file_name().into_string().expect("text"))
        .collect();
    let vectors = format_inputs::all();
    let write = std::env::var_os("AMPARO_VECTORS").is_some_and(|word| word == "write");
    for vector in &vectors {
        let path = folder.join(&vector.name);
        if write && !path.exists() {
            fs::write(&path, print(vector)).expect("a new vector");
            files.push(vector.name.clone());
        }
        let text = fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", vector.name));
        let (header, body, expected) = parse(&text);
        assert_eq!((&header, &body), (&vector.header, &vector.body), "{}: its inputs changed", vector.name);
        assert_eq!(evaluate(&header, &body), expected, "{}", vector.name);
    }
    let known: Vec<&String> = vectors.iter().map(|vector| &vector.name).collect();
    assert!(files.iter().all(|file| known.contains(&file)), "a vector that nothing evaluates: {files:?}");
}

/// Everything that is evaluated, be it right or wrong.
pub(crate) fn bodies() -> impl Iterator<Item = Vec<u8>> {
    format_inputs::all().into_iter().map(|vector| vector.body).filter(|body| !body.is_empty())
}

fn print(vector: &Vector) -> Vec<u8> {
    let expected = ("expect".to_string(), evaluate(&vector.header, &vector.body));
    let lines = vector.header.iter().chain([&expected]).flat_map(|(key, value)| [key, ": ", value, "\n"]);
    let mut bytes = lines.collect::<String>().into_bytes();
    if !vector.body.is_empty() {
        bytes.push(b'\n');
        bytes.extend(if is_hex(&vector.header) { hex(&vector.body).into_bytes() } else { vector.body.clone() });
    }
    bytes
}

/// Whether the body stands there as hex.
fn is_hex(header: &Header) -> bool {
    header.iter().any(|(key, value)| key == "body" && value == "hex")
}

type Header = Vec<(String, String)>;

fn parse(text: &[u8]) -> (Header, Vec<u8>, String) {
    let blank = text.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = blank.map_or((text, &b""[..]), |at| (&text[..at], &text[at + 2..]));
    let head = std::str::from_utf8(head).expect("a header is text");
    let mut header: Header = head
        .lines()
        .map(|line| line.split_once(": ").expect("a key and a value"))
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    let (_, expected) = header.pop().filter(|(key, _)| key == "expect").expect("the outcome is the last line");
    let body = if is_hex(&header) { bytes_of(std::str::from_utf8(body).expect("hex")) } else { body.to_vec() };
    (header, body, expected)
}

/// What a vector comes to: a value, or `refused`.
fn evaluate(header: &Header, body: &[u8]) -> String {
    let all = |key: &'static str| {
        let of_key = header.iter().filter(move |(name, _)| name == key);
        of_key.map(|(_, value)| value.as_str())
    };
    let given: BTreeMap<&str, &str> = header.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let hash = |key: &str| Hash::from_hex(given[key]).expect("a hash");
    let number = |key: &str| given[key].parse::<u64>().expect("a number");
    let parts: Vec<Vec<u8>> = all("part").map(bytes_of).collect();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let refused = || "refused".to_string();
    match given["check"] {
        "frame" => hex(&frame(given["domain"], &parts)),
        "tagged" => Hash::tagged(given["domain"], &parts).to_string(),
        "identity" => identity(given["want"], &unhex(given["seed"]).expect("a seed")),
        "vault-key-id" => {
            let recipient = Identity::from_seed(&unhex(given["age-seed"]).expect("a seed")).recipient().to_string();
            let (log, scope) = (LogId(unhex(given["log"]).expect("an id")), given["scope"].parse().expect("a scope"));
            let epoch = u32::try_from(number("epoch")).expect("an epoch");
            KeyId::derive(&log, &scope, epoch, &recipient).to_string()
        }
        "fingerprint" => fingerprint::fingerprint(&hash("hash")),
        "log-id" => {
            let salt = unhex(given["salt"]).expect("a salt");
            LogId::derive(&VaultId(hash("vault")), &MemberId(hash("member")), &salt).to_string()
        }
        "note-key-id" => hex(&key_id(given["name"], line_type(given["type"]), &bytes_of(given["public"]))),
        "padded-length" => padded_length(number("length"), number("floor")).to_string(),
        "merkle-root" => root(&small_tree(number("size"))).to_string(),
        "merkle-path" => {
            let path = inclusion_proof(&small_tree(number("size")), usize::try_from(number("index")).expect("small"));
            path.expect("the leaf is there").iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        "merkle-consistency" => {
            let first = usize::try_from(number("first")).expect("small");
            let path = consistency_proof(&small_tree(number("size")), first);
            path.expect("it is a beginning").iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        "fork-proof" => match ForkProof::parse(body) {
            Ok(proof) => proof.first.checkpoint.origin.to_string(),
            Err(_) => refused(),
        },
        "salt" => secret(given["secret"]).salts().salt(given["path"]).to_string(),
        "commitment" => commitment(&hash("salt"), given["path"], body).to_string(),
        "decoy" => decoy(given["secret"], u32::try_from(number("number")).expect("small")),
        "record" => record_tree(body).unwrap_or_else(refused),
        "row" => row(body),
        "blobs-root" => {
            blobs_root(&all("blob").map(|blob| Hash::from_hex(blob).expect("a hash")).collect::<Vec<_>>()).to_string()
        }
        "entry" => Entry::decode(body).map_or_else(|_| refused(), |_| entry_leaf(body).to_string()),
        "padded-entry" => Entry::decode_padded(body).map_or_else(|_| refused(), |(_, length)| length.to_string()),
        "payload-header" => {
            let index = u32::try_from(number("index")).expect("small");
            hex(&member_header(given["name"], number("size"), index))
        }
        "payload-tail" => {
            let listing = given.get("listing").map(|listing| listing.as_bytes());
            let tail = tail(number("offset"), listing, body);
            format!("{} {} {}", tail.bytes.len(), Hash::of(&tail.bytes), tail.zeros)
        }
        "member" => (if is_safe_member(text(body)) { "safe" } else { "unsafe" }).into(),
        "paragraphs" => paragraphs::paragraphs(given["media-type"], body).map_or_else(
            || "none".into(),
            |found| found.iter().map(|text| text.len().to_string()).collect::<Vec<_>>().join(" "),
        ),
        "time" => (if is_time(text(body)) { "taken" } else { "refused" }).into(),
        "pseudonym" => Pseudonym::parse(text(body)).map_or_else(|_| refused(), |_| "taken".into()),
        other => panic!("no check is called {other}"),
    }
}

fn identity(want: &str, seed: &[u8; 32]) -> String {
    let keys = Seed::from_bytes(seed).keys();
    let public = keys.public();
    match want {
        "age-secret" => keys.age.to_secret_line().to_string(),
        "age-recipient" => public.age.to_string(),
        "log-key" => hex(&public.log),
        "cosign-key" => hex(&public.cosign),
        "ml-dsa-44-key" => hex(&public.ml_dsa),
        "member-id" => MemberId::of(&public).to_string(),
        other => panic!("an identity has no {other}"),
    }
}

fn line_type(byte: &str) -> LineType {
    match byte {
        "01" => LineType::Ed25519,
        "04" => LineType::Ed25519Cosignature,
        "06" => LineType::MlDsa44Cosignature,
        _ => LineType::MlDsa44Card,
    }
}

/// The leaf hashes of the one-byte inputs 00, 01, 02…
fn small_tree(size: u64) -> Vec<Hash> {
    (0..size).map(|number| leaf_hash(&[u8::try_from(number).expect("a small tree")])).collect()
}

fn secret(digits: &str) -> Secret {
    Secret(unhex(digits).expect("64 digits"))
}

fn decoy(digits: &str, number: u32) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret(digits).0).expect("any length");
    mac.update(&frame("amparo.v1/decoy", &[&number.to_be_bytes()]));
    hex(&mac.finalize().into_bytes())
}

fn record_tree(json: &[u8]) -> Option<String> {
    let tree = Record::parse(json).ok()?.tree(&[]);
    Some(format!("{} {}", tree.root, tree.leaves))
}

fn row(bytes: &[u8]) -> String {
    let row = Row::from_bytes(bytes.try_into().expect("128 bytes"));
    assert_eq!(row.to_bytes(), bytes, "a row prints as it was read");
    row.leaf().to_string()
}

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).expect("UTF-8")
}

fn bytes_of(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| unhex::<1>(std::str::from_utf8(pair).expect("hex")).expect("hex")[0])
        .collect()
}
