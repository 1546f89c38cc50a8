//! The SHA-256 of a pouch: one number for one file, whoever tells it, and what is said where it cannot be told at once.

use std::process::Command;

use serde_json::{Value, json};

use super::harness::World;
use super::pack::{at, events, packs};
use crate::peers;

/// What coreutils say of a file.
fn sha256sum(world: &World, name: &str) -> Option<String> {
    let output = Command::new(peers::program("sha256sum")?).arg(world.path(name)).output().expect("sha256sum starts");
    let line = String::from_utf8(output.stdout).expect("text");
    Some(line.split_whitespace().next().expect("a sum").to_string())
}

/// What a courier is told of it.
fn verified(world: &World, exit: u8, files: &[&str], more: &[&str]) -> Value {
    let files: Vec<String> = files.iter().map(|file| format!("../{file}")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    world.run("courier", &[&["verify"], &files[..], &["--json"], more].concat()).exits(exit).json()
}

#[test]
fn pack_verify_the_custody_log_and_sha256sum_tell_one_number() {
    let world = World::with_testimony();
    let packed = packs(&world, "trip.bin", &["--json"]).exits(0).json();
    let Some(sum) = sha256sum(&world, "trip.bin") else { return };
    let told = events(&world, "lawyer").into_iter().rfind(|entry| entry["event"] == "pack").expect("it was said");
    assert_eq!((&packed["sha256"], &told["sha256"]), (&sum.as_str().into(), &sum.as_str().into()));
    at(&world, "lawyer", &["custody", "log"]).exits(0).says(&sum);
    assert_eq!(verified(&world, 4, &["trip.bin"], &[])["pouch"]["sha256"], sum);
    assert_eq!(verified(&world, 0, &["trip.bin"], &["--sha256", &sum])["pouch"]["is_as_sent"], true);
    // Of volumes it is that of the pouch which they are parts of, as it comes out of them.
    let packed = packs(&world, "cut.bin", &["--volumes", "400kB", "--json"]).exits(0).json();
    let volumes: Vec<&str> =
        packed["files"].as_array().expect("files").iter().map(|file| file.as_str().expect("a name")).collect();
    let parts = volumes.iter().flat_map(|name| {
        let bytes = world.read(name);
        bytes[4096..bytes.len() - 4096].to_vec()
    });
    world.write("joined.bin", &parts.collect::<Vec<u8>>());
    let sum = sha256sum(&world, "joined.bin").expect("it is installed");
    assert_eq!((packed["sha256"].as_str(), volumes.len() > 2), (Some(sum.as_str()), true));
    assert_eq!(verified(&world, 0, &volumes, &[])["pouch"]["sha256"], sum);
    assert_eq!(verified(&world, 0, &volumes, &["--sha256", &sum])["pouch"]["is_as_sent"], true);
}

#[test]
fn of_a_text_it_is_that_of_the_file() {
    let world = World::with_testimony();
    let answers = ["pack", "--answers", "--to", "Grey Owl", "-o", "../a.txt", "--json"];
    let packed = at(&world, "lawyer", &answers).exits(0).json();
    let Some(sum) = sha256sum(&world, "a.txt") else { return };
    let told = at(&world, "lawyer", &["pack", "--answers", "--to", "Grey Owl", "-o", "../told.txt"]).exits(0);
    let of_told = sha256sum(&world, "told.txt").expect("it is installed");
    told.says(&format!("SHA-256 of the text, to be compared by another road: {of_told}"));
    assert_eq!(packed["sha256"], sum);
    assert_eq!(verified(&world, 4, &["a.txt"], &[])["pouch"]["sha256"], sum);
    assert_eq!(verified(&world, 0, &["a.txt"], &["--sha256", &sum])["pouch"]["is_as_sent"], true);
    world.run("courier", &["verify", "../a.txt"]).exits(4).says(&format!("SHA-256 {sum}"));
    // By mail: other line ends, and something around it. It is another file, and the same text.
    let text = String::from_utf8(world.read("a.txt")).expect("text");
    world.write("mailed.txt", format!("\r\n{}\r\n", text.replace('\n', "\r\n")).as_bytes());
    let mailed = sha256sum(&world, "mailed.txt").expect("it is installed");
    assert_ne!(mailed, sum);
    let object = verified(&world, 0, &["mailed.txt"], &["--sha256", &sum]);
    assert_eq!((&object["pouch"]["sha256"], &object["pouch"]["is_as_sent"]), (&mailed.as_str().into(), &true.into()));
    world.run("courier", &["verify", "../mailed.txt", "--sha256", &sum]).exits(0).says("its line ends are others");
    world.run("courier", &["verify", "../mailed.txt", "--sha256", &mailed]).exits(0).never_says("line ends");
    // Another text is another, however it came.
    let other = ["pack", "--answers", "--to", "Grey Owl", "-o", "../b.txt"];
    at(&world, "lawyer", &other).exits(0);
    let object = verified(&world, 3, &["b.txt"], &["--sha256", &sum]);
    assert_eq!((&object["verdict"], &object["pouch"]["is_as_sent"]), (&"invalid".into(), &false.into()));
}

/// Whoever reads such a pouch from front to back meets each row again and again. It is restored once, into the file that was
/// asked for, and that is hashed.
#[test]
fn of_more_damage_than_memory_holds_it_is_compared_when_it_is_repaired() {
    let world = World::with_testimony();
    world.write("lawyer/film.bin", &vec![7; 60 << 20]);
    at(&world, "lawyer", &["seal", "film.bin", "--kind", "video"]).exits(0);
    let packed = packs(&world, "trip.bin", &["--parity", "100%", "--json"]).exits(0).json();
    let (sum, whole) = (packed["sha256"].as_str().expect("a hash"), world.read("trip.bin"));
    let mut torn = whole.clone();
    torn[3 << 20..55 << 20].fill(0);
    world.write("trip.bin", &torn);
    let files = ["trip.bin", "trip.bin.parity"];
    let object = verified(&world, 4, &files, &["--sha256", sum]);
    assert_eq!((&object["pouch"]["sha256"], &object["pouch"]["is_as_sent"]), (&Value::Null, &Value::Null));
    let told = world.run("courier", &["verify", "../trip.bin", "../trip.bin.parity", "--sha256", sum]).exits(4);
    told.says("compared only when it is repaired: give --repair as well").says("changed it on purpose");
    let object = verified(&world, 0, &files, &["--sha256", sum, "--repair", "whole.bin"]);
    assert_eq!((&object["pouch"]["sha256"], &object["pouch"]["is_as_sent"]), (&sum.into(), &true.into()));
    assert!(world.read("courier/whole.bin") == whole);
    let zeros = "0".repeat(64);
    let object = verified(&world, 3, &files, &["--sha256", &zeros, "--repair", "other.bin"]);
    assert_eq!((&object["verdict"], &object["pouch"]["is_as_sent"]), (&"invalid".into(), &false.into()));
    assert_eq!((&object["pouch"]["sha256"], &object["pouch"]["repaired"]), (&sum.into(), &Value::Null));
    assert!(world.files("courier").iter().all(|file| !file.contains("other.bin")), "{:?}", world.files("courier"));
}

/// Whether it is known beforehand that it is another, or only once it was written.
#[test]
fn what_is_not_what_was_sent_is_neither_kept_nor_called_repaired() {
    let world = World::with_testimony();
    packs(&world, "trip.bin", &["--parity", "10%"]).exits(0);
    let verify = ["verify", "../trip.bin", "../trip.bin.parity", "--repair", "other.bin", "--sha256"];
    let wrong = "0".repeat(64);
    for damaged in [false, true] {
        if damaged {
            let mut pouch = world.read("trip.bin");
            pouch[20_000] ^= 1;
            world.write("trip.bin", &pouch);
        }
        let told = world.run("courier", &[&verify[..], &[wrong.as_str()]].concat()).exits(3);
        told.says("INVALID: it has not the SHA-256")
            .says("not repaired: it is not what was sent, and nothing was kept")
            .never_says("\nrepaired:");
        assert!(world.files("courier").iter().all(|file| !file.contains("other.bin")), "{:?}", world.files("courier"));
    }
}

/// Of one row of it, damaged and restorable, the parity is here; of the other nothing that would tell how it is.
#[test]
fn what_cannot_be_checked_is_not_called_lost() {
    let world = World::with_testimony();
    world.write("lawyer/film.bin", &vec![7; 17 << 20]);
    at(&world, "lawyer", &["seal", "film.bin", "--kind", "video"]).exits(0);
    packs(&world, "trip.bin", &["--parity", "10%"]).exits(0);
    let mut parity = world.read("trip.bin.parity");
    let packet = 8 + parity[8..].windows(8).position(|bytes| bytes == b"RSPARITY").expect("a second packet");
    parity.chunks_mut(packet).skip(1).step_by(2).for_each(|packet| packet.fill(0));
    world.write("trip.bin.parity", &parity);
    let mut pouch = world.read("trip.bin");
    pouch[8 * 4096 + 9] ^= 1;
    world.write("trip.bin", &pouch);
    let files = ["trip.bin", "trip.bin.parity"];
    let object = verified(&world, 4, &files, &[]);
    assert_eq!(object["pouch"]["damaged"], json!([{ "offset": 8 * 4096, "bytes": 4096 }]));
    assert_eq!((&object["pouch"]["lost"], &object["pouch"]["repairable"]), (&json!([]), &false.into()));
    let verify = ["verify", "../trip.bin", "../trip.bin.parity"];
    let told = world.run("courier", &verify).exits(4);
    told.says("INCOMPLETE: damaged, and so much of its parity is lost that a part cannot be checked")
        .says("what is known to be damaged can be restored")
        .never_says("a part of it is lost");
    let told = world.run("courier", &[&verify[..], &["--repair", "whole.bin"]].concat()).exits(4);
    told.says("nothing at hand tells how").never_says("are lost");
}
