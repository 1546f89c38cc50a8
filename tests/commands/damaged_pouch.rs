//! A pouch that came damaged, or of which a part is missing: what `unpack` and `verify` say of it, in the same words, and that
//! an exhibit is called whole only if it can be opened.

use amparo::crypto::hash::Hash;
use serde_json::{Value, json};

use super::harness::{Outcome, World};
use super::pack::{at, events, packs};
use super::unpack::unpacks;

const CHUNK: usize = 65_552;
const RESTORED: &str = "damaged or missing, and restored from its parity: ";

/// A testimony and a film of so many bytes, packed for the reader.
fn sent(film_bytes: usize, more: &[&str]) -> World {
    let world = World::with_testimony();
    world.write("lawyer/film.bin", &vec![7; film_bytes]);
    at(&world, "lawyer", &["seal", "film.bin", "--kind", "video"]).exits(0);
    packs(&world, "trip.bin", more).exits(0);
    world
}

/// The reader takes in several files of a pouch.
fn takes_in(world: &World, files: &[&str], more: &[&str]) -> Outcome {
    let files: Vec<String> = files.iter().map(|file| format!("../{file}")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let args = [&["unpack"], &files[..], &["-o", "evidence", "--owner", "../lawyer.card"], more].concat();
    world.run("reader", &args)
}

fn verifies(world: &World, who: &str, files: &[&str], more: &[&str]) -> Outcome {
    let files: Vec<String> = files.iter().map(|file| format!("../{file}")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    world.run(who, &[&["verify"], &files[..], more].concat())
}

/// Changes some bytes of a file.
fn spoil(world: &World, name: &str, at: usize, length: usize) {
    let mut bytes = world.read(name);
    bytes[at..at + length].iter_mut().for_each(|byte| *byte ^= 0x55);
    world.write(name, &bytes);
}

#[test]
fn what_was_restored_is_told_alike_by_unpack_and_verify() {
    let world = sent(100_000, &["--parity", "10"]);
    spoil(&world, "trip.bin", 20_000, 9000);
    let files = ["trip.bin", "trip.bin.parity"];
    // Four cells of 4 KiB, and all of one row: what comes back of it comes back at once.
    let told = format!("warning: {RESTORED}16.0 KiB, at bytes 16384–32767");
    let keyless = verifies(&world, "courier", &files, &[]).exits(4);
    keyless.says("damaged: 16.0 KiB, at bytes 16384–32767").says("all of it can be restored");
    verifies(&world, "reader", &files, &["--owner", "../lawyer.card"]).exits(0).says(&told);
    let twin = world.twin();
    takes_in(&twin, &files, &["--sign"]).exits(0).says(&told).says("ACKNOWLEDGED").never_says("missing:");
    let object = takes_in(&world, &files, &["--json"]).exits(0).json();
    let pouch = &object["pouch"];
    assert_eq!((&pouch["missing"], &pouch["unknown"]), (&json!([]), &json!([])));
    assert_eq!(pouch["restored"][0], json!({ "offset": 16_384, "bytes": 16_384 }));
    assert!(object["warnings"][0].as_str().is_some_and(|warning| warning.starts_with(RESTORED)), "{object:#}");
    let object = verifies(&world, "reader", &files, &["--json"]).exits(0).json();
    assert_eq!(&object["pouch"], pouch);
    // Of an undamaged one nothing is told.
    packs(&world, "whole.bin", &["--parity", "10"]).exits(0);
    let object = takes_in(&world, &["whole.bin", "whole.bin.parity"], &["--json"]).exits(0).json();
    assert_eq!((&object["pouch"]["restored"], &object["warnings"]), (&json!([]), &json!([])));
}

#[test]
fn a_missing_volume_is_named_whether_it_comes_back_or_not() {
    let world = sent(3 << 20, &["--parity", "30", "--volumes", "1MiB"]);
    let parity = ["trip.bin.parity.001", "trip.bin.parity.002"];
    world.write("note.txt", b"a shopping list");
    let here = ["trip.bin.004", "note.txt", parity[1], "trip.bin.001", parity[0], "trip.bin.003"];
    let missing = "missing: volume 2 of 4";
    let stranger = "no part of it, as far as can be told: ~~/reader/../note.txt";
    verifies(&world, "courier", &here, &[]).exits(4).says(missing).says("note.txt").says("all of it can be restored");
    verifies(&world, "reader", &here, &["--owner", "../lawyer.card"]).exits(0).says(missing).says(RESTORED);
    let twin = world.twin();
    takes_in(&twin, &here, &["--sign"]).exits(0).says(missing).says(stranger).says(RESTORED).says("ACKNOWLEDGED");
    let object = takes_in(&twin.twin(), &here, &["--json"]).exits(0).json();
    assert_eq!(object["pouch"]["missing"], json!(["volume 2 of 4"]));
    assert!(object["pouch"]["unknown"][0].as_str().is_some_and(|file| file.ends_with("note.txt")));
    at(&twin, "reader", &["verify"]).exits(0);
    // Two of four are more than the share. Both are named, and so are the exhibits.
    let few = ["trip.bin.004", parity[1], "trip.bin.001", parity[0]];
    for more in [&[][..], &["--salvage"]] {
        takes_in(&world, &few, more).exits(4).says(missing).says("missing: volume 3 of 4");
    }
    let object = takes_in(&world, &few, &["--salvage", "--json"]).exits(4).json();
    assert_eq!(object["pouch"]["missing"], json!(["volume 2 of 4", "volume 3 of 4"]));
    assert!(object["whole"].as_array().expect("a list").len() < 2, "{object:#}");
    verifies(&world, "courier", &few, &[]).exits(4).says("missing: volume 3 of 4").says("a part of it is lost");
    // Parity alone, of a hundred percent, gives all of it back.
    packs(&world, "twice.bin", &["--parity", "100", "K7-0001"]).exits(0);
    let alone = takes_in(&world, &["twice.bin.parity"], &["--sign"]).exits(0);
    alone.says("missing: the pouch itself, in one file or in volumes").says(RESTORED).says("ACKNOWLEDGED");
}

/// Two sticks with the same pouch, one of them torn, in whatever order they are named.
#[test]
fn of_two_copies_the_whole_one_is_read() {
    let world = sent(3 << 20, &["--volumes", "1MiB"]);
    let volumes = ["trip.bin.001", "trip.bin.002", "trip.bin.003", "trip.bin.004"];
    let object = verifies(&world, "courier", &volumes, &["--json"]).exits(0).json();
    let sha256 = object["pouch"]["sha256"].as_str().expect("a hash").to_string();
    let data = |name: &str| world.read(name)[4096..].to_vec();
    let joined: Vec<u8> = volumes
        .iter()
        .flat_map(|name| {
            let bytes = data(name);
            bytes[..bytes.len() - 4096].to_vec()
        })
        .collect();
    assert_eq!(Hash::of(&joined).to_string(), sha256, "a page of 4 KiB stands before and behind each");
    for at in [4096 + 700_000, 4096 + 900] {
        world.write("joined.bin", &joined);
        world.write("b.002", &world.read("trip.bin.002"));
        spoil(&world, "joined.bin", (2 << 20) + at, 3);
        spoil(&world, "b.002", at, 3);
        let cut = world.read("b.002").len() - 4096;
        world.write("torn.002", &world.read("b.002")[..cut]);
        for beside in ["joined.bin", "b.002", "torn.002"] {
            for files in [[&[beside][..], &volumes].concat(), [&volumes[..], &[beside]].concat()] {
                let object = verifies(&world, "courier", &files, &["--json"]).exits(0).json();
                assert_eq!(
                    (&object["pouch"]["sha256"], &object["verdict"]),
                    (&sha256.as_str().into(), &"valid".into()),
                    "{files:?}"
                );
                takes_in(&world.twin(), &files, &[]).exits(0);
            }
        }
        // Without the sound one it is lost, and nobody says otherwise.
        let rest = ["trip.bin.001", "torn.002", "b.002", "trip.bin.003", "trip.bin.004"];
        verifies(&world, "courier", &rest, &[]).exits(4).says("a part of it is lost");
        let repair = ["--repair", "whole.bin"];
        verifies(&world, "courier", &rest, &repair).exits(4);
    }
}

/// The parity file broke off while it was copied: that costs nothing of a pouch that is whole.
#[test]
fn half_a_parity_file_makes_no_whole_pouch_unreadable() {
    let world = sent(3 << 20, &["--parity", "10"]);
    let parity = world.read("trip.bin.parity");
    world.write("half.parity", &parity[..parity.len() / 60]);
    let files = ["trip.bin", "half.parity"];
    let sha256 = Hash::of(&world.read("trip.bin")).to_string();
    let keyless = verifies(&world, "courier", &files, &[]).exits(4);
    keyless.says("nothing shows damage").says("a part cannot be checked").says(&sha256);
    verifies(&world, "courier", &files, &["--sha256", &sha256]).exits(0);
    takes_in(&world, &files, &["--sign"]).exits(0).says("ACKNOWLEDGED");
}

/// What only begins like a pouch, and is longer, makes nothing of a whole one seem lost.
#[test]
fn a_longer_file_that_begins_like_a_pouch_takes_nothing_from_one() {
    let world = sent(100_000, &[]);
    let mut stranger = b"age-encryption.org/v1\n".to_vec();
    stranger.resize(world.read("trip.bin").len() + 500_000, b'x');
    world.write("stranger.bin", &stranger);
    for files in [["trip.bin", "stranger.bin"], ["stranger.bin", "trip.bin"]] {
        let sha256 = Hash::of(&world.read("trip.bin")).to_string();
        let verified = verifies(&world, "courier", &files, &["--sha256", &sha256]).exits(0);
        verified.says("no part of it, as far as can be told").says("stranger.bin").never_says("lost");
        verifies(&world, "reader", &files, &["--owner", "../lawyer.card"]).exits(0);
        takes_in(&world.twin(), &files, &["--sign"]).exits(0).says("ACKNOWLEDGED");
    }
}

/// The bytes of the reader's exhibits, each opened anew; `None` where it does not open.
fn opens(world: &World, id: &str, name: &str, round: &str) -> Option<Vec<u8>> {
    let out = format!("out-{round}");
    let opened = at(world, "reader", &["open", id, "-o", &out]);
    (opened.exit == 0).then(|| world.read(&format!("reader/{out}/{id}/content/{name}")))
}

fn labels(object: &Value, key: &str) -> Vec<String> {
    let list = object[key].as_array().expect("a list");
    list.iter().map(|label| label.as_str().expect("a label").to_string()).collect()
}

/// Where an exhibit stands in the words of a refusal: behind which of its lists.
fn is_listed(refused: &Outcome, list: &str, id: &str) -> bool {
    let rest = refused.err.split_once(list).map(|(_, rest)| rest).unwrap_or_default();
    let end = rest.find(['.', '\n']).unwrap_or(rest.len());
    rest[..end].contains(id)
}

/// Each chunk in turn is damaged, so in turn the keys, the records, what describes the exhibits, and each of them. What is
/// called whole opens; what is not, does not; and no exhibit of which the record tells is passed over.
#[test]
fn whichever_chunk_is_damaged_the_lists_are_true() {
    let world = sent(150_000, &[]);
    world.write("lawyer/second.bin", &vec![9; 200_000]);
    at(&world, "lawyer", &["seal", "second.bin", "--kind", "video"]).exits(0);
    packs(&world, "all.bin", &[]).exits(0);
    let contents: [(&str, &str, Vec<u8>); 3] = [
        ("K7-0001", "t.txt", b"I was there.\n".to_vec()),
        ("K7-0002", "film.bin", vec![7; 150_000]),
        ("K7-0003", "second.bin", vec![9; 200_000]),
    ];
    let bytes = world.read("all.bin");
    let payload = bytes.len() - bytes.len() % CHUNK;
    assert!(payload > 0);
    let (mut unreadable, mut seen) = (0, [0; 3]);
    // Behind these stands padding.
    for chunk in 0..10 {
        let world = world.twin();
        spoil(&world, "all.bin", 10_000 + chunk * CHUNK, 1);
        let refused = unpacks(&world, "all.bin", &["--sign"]);
        if refused.exit == 0 {
            continue;
        }
        let refused = refused.exits(4).never_says("ACKNOWLEDGED").never_says("another vault");
        let salvaged = unpacks(&world, "all.bin", &["--salvage", "--sign", "--json"]);
        if salvaged.err.contains("neither checked nor listed") {
            refused
                .says("where its keys and custody records stand")
                .says("the custody log of its sender tells what was packed");
            assert!(!world.path("reader/evidence").exists(), "chunk {chunk}: nothing came");
            let verified = verifies(&world, "reader", &["all.bin"], &["--owner", "../lawyer.card"]).exits(4);
            verified.says("where its keys and custody records stand").never_says("amparo init");
            unreadable += 1;
            continue;
        }
        let object = salvaged.exits(4).json();
        let lists = ["whole", "not_whole", "unseen"].map(|list| labels(&object, list));
        for (id, name, content) in &contents {
            let told: Vec<usize> = (0..3).filter(|list| lists[*list].iter().any(|label| label == id)).collect();
            // An entry that was lost takes what it told with it.
            let is_known = events(&world, "reader").iter().any(|event| {
                event["event"] == "seal" && event["exhibits"].as_array().is_some_and(|all| all.contains(&json!(id)))
            });
            assert_eq!(told.len(), usize::from(is_known), "chunk {chunk}, {id}: {object:#}");
            let opened = opens(&world, id, name, &format!("{chunk}-{id}"));
            assert_eq!(opened.as_ref() == Some(content), told == [0], "chunk {chunk}, {id}: {object:#}");
            assert!(opened.is_none() || told == [0], "chunk {chunk}, {id}: a wrong byte");
            let Some(list) = told.first() else { continue };
            seen[*list] += 1;
            let words = ["Whole: ", "Damaged: ", "Not seen in it, perhaps lost: "][*list];
            assert!(is_listed(&refused, words, id), "chunk {chunk}, {id}: {}", refused.err);
        }
    }
    assert!(unreadable > 0 && seen.iter().all(|times| *times > 0), "all of it happened: {unreadable}, {seen:?}");
}

#[test]
fn where_the_beginning_is_lost_it_is_said_that_nothing_can_be_told() {
    let world = sent(100_000, &[]);
    spoil(&world, "trip.bin", 1000, 10);
    for more in [&[][..], &["--salvage"]] {
        let refused = unpacks(&world, "trip.bin", more).exits(4);
        refused
            .says("the beginning of this pouch is lost")
            .says("which exhibits are in it cannot be told, and none can be salvaged")
            .says(
                "hint: give its parity file and all its volumes as well; the custody log of its sender tells what was packed",
            );
        assert!(!world.path("reader/evidence").exists());
    }
    let error = unpacks(&world, "trip.bin", &["--json"]).exits(4).json_error();
    assert!(error["error"].as_str().is_some_and(|error| error.contains("cannot be told")), "{error:#}");
    // The sender's record does tell it.
    at(&world, "lawyer", &["custody", "log"]).exits(0).says("all that was sealed by then");
}

#[test]
fn a_copy_that_was_there_is_not_harmed_by_a_pouch_that_lost_its_records() {
    let world = sent(100_000, &[]);
    unpacks(&world, "trip.bin", &["--sign"]).exits(0);
    let before = world.tree("reader/evidence");
    packs(&world, "later.bin", &["K7-0001"]).exits(0);
    for chunk in 0..2 {
        let world = world.twin();
        spoil(&world, "later.bin", 10_000 + chunk * CHUNK, 1);
        // Keys and records are here already: what of them is lost in the pouch is missed where it is new.
        let told = at(&world, "reader", &["unpack", "../later.bin"]);
        assert!([0, 4].contains(&told.exit), "{}", told.err);
        let told = told.never_says("another vault");
        let after = world.tree("reader/evidence");
        assert!(before.iter().all(|(path, hash)| after.get(path) == Some(hash)), "{}", told.err);
        at(&world, "reader", &["verify"]).exits(0);
    }
}

/// A courier who has a lone pouch and was told its SHA-256.
#[test]
fn a_lone_pouch_is_held_against_what_its_sender_told() {
    let world = sent(100_000, &[]);
    let sha256 = Hash::of(&world.read("trip.bin")).to_string();
    let alone = verifies(&world, "courier", &["trip.bin"], &[]).exits(4);
    alone.says("nothing shows damage").says(&sha256).says("--sha256").says("changed it on purpose");
    // Nothing says that a byte of it is lost.
    let repair = verifies(&world, "courier", &["trip.bin"], &["--repair", "whole.bin"]).exits(4);
    repair.says("nothing at hand tells how").says("nothing to repair them from").never_says("lost");
    let spaced = format!("{} {}", &sha256[..32].to_uppercase(), &sha256[32..]);
    for typed in [&sha256, &spaced] {
        let same = verifies(&world, "courier", &["trip.bin"], &["--sha256", typed]).exits(0);
        same.says("VALID: undamaged, it has the SHA-256 that was given").never_says("on purpose").says("for whom");
    }
    let object = verifies(&world, "courier", &["trip.bin"], &["--sha256", &sha256, "--json"]).exits(0).json();
    assert_eq!((&object["verdict"], &object["pouch"]["is_as_sent"]), (&"valid".into(), &true.into()));
    assert_eq!(object["pouch"]["whole"], true);
    // At a terminal it is asked for, and only where nothing else tells.
    let asked = world.typing("courier", &["verify", "../trip.bin"], &["what?", &sha256]).exits(0);
    asked.says("The SHA-256 that its sender told you").says("That is no SHA-256").says("VALID: undamaged");
    world.typing("courier", &["verify", "../trip.bin"], &[""]).exits(4).says("nothing shows damage");
    packs(&world, "safe.bin", &["--parity", "10"]).exits(0).never_says("--sha256");
    world.typing("courier", &["verify", "../safe.bin", "../safe.bin.parity"], &[]).exits(0).says("VALID: undamaged");
    packs(&world, "bare.bin", &[]).exits(0).says("next: amparo verify ../bare.bin --sha256 ");
    // Another, a damaged and a torn one.
    let other = verifies(&world, "courier", &["safe.bin"], &["--sha256", &sha256]).exits(3);
    other.says("INVALID: it has not the SHA-256 that was given").says("damaged on the way, another pouch, or mistyped");
    let safe = Hash::of(&world.read("safe.bin")).to_string();
    spoil(&world, "safe.bin", 500_000, 1);
    let object = verifies(&world, "courier", &["safe.bin"], &["--sha256", &safe, "--json"]).exits(3).json();
    assert_eq!((&object["verdict"], &object["pouch"]["is_as_sent"]), (&"invalid".into(), &false.into()));
    let both = ["safe.bin", "safe.bin.parity"];
    let damaged = verifies(&world, "courier", &both, &["--sha256", &safe]).exits(4);
    damaged.says("all of it can be restored").says("what comes back has the SHA-256 that was given");
    verifies(&world, "courier", &both, &["--sha256", &sha256]).exits(3);
    verifies(&world, "courier", &both, &["--sha256", &safe, "--repair", "whole.bin"])
        .exits(0)
        .says("repaired: whole.bin");
    verifies(&world, "courier", &["safe.bin.parity"], &["--sha256", &safe]).exits(4).says("cannot be compared");
    verifies(&world, "courier", &["trip.bin"], &["--sha256", "beef"]).exits(2).says("64 digits and letters");
    verifies(&world, "courier", &["lawyer.card"], &["--sha256", &sha256]).exits(2).says("are about a pouch");
    // Whoever has a key compares without it.
    let hers = verifies(&world, "reader", &["trip.bin"], &["--sha256", &sha256]).exits(0);
    hers.says("VALID: undamaged").never_says("exhibits");
}

/// Her copy has a file of that name, and what lies in it is no longer what was sealed.
#[test]
fn what_only_bears_the_name_of_a_whole_file_is_not_called_whole() {
    let world = World::with_testimony();
    let blobs = |world: &World, of: &str| -> Vec<String> {
        let files = world.tree(of).into_keys();
        files.filter(|path| path.starts_with("blobs")).collect()
    };
    let first = blobs(&world, "lawyer/evidence");
    super::pack::seals(&world, "second.txt");
    packs(&world, "first.bin", &[]).exits(0);
    unpacks(&world, "first.bin", &[]).exits(0);
    world.write("lawyer/film.bin", &vec![7; 3 << 20]);
    at(&world, "lawyer", &["seal", "film.bin", "--kind", "video"]).exits(0);
    packs(&world, "trip.bin", &[]).exits(0);
    let middle = world.read("trip.bin").len() / 2;
    spoil(&world, "trip.bin", middle, 1);
    let told = at(&world.twin(), "reader", &["unpack", "../trip.bin"]).exits(4);
    assert!(["K7-0001", "K7-0002"].iter().all(|id| is_listed(&told, "Whole: ", id)), "{}", told.err);
    // Its content, its inventory, its manifest.
    assert_eq!(first.len(), 3);
    for blob in first {
        let world = world.twin();
        spoil(&world, &format!("reader/evidence/{blob}"), 3000, 1);
        let told = at(&world.twin(), "reader", &["unpack", "../trip.bin"]).exits(4);
        assert!(is_listed(&told, "Whole: ", "K7-0002") && !is_listed(&told, "Whole: ", "K7-0001"), "{}", told.err);
        assert!(["K7-0001", "K7-0003"].iter().all(|id| is_listed(&told, "Damaged: ", id)), "{}", told.err);
        let object = at(&world, "reader", &["unpack", "../trip.bin", "--salvage", "--json"]);
        assert!([3, 4].contains(&object.exit), "{}", object.err);
        assert_eq!(labels(&object.json(), "whole"), ["K7-0002"]);
        assert_eq!(labels(&object.json(), "not_whole"), ["K7-0001", "K7-0003"]);
    }
}

/// So little of the parity is left that no checksum is. Each volume tells by its hash that it is whole.
#[test]
fn volumes_tell_by_their_hashes_what_lost_checksums_no_longer_tell() {
    let world = sent(3 << 20, &["--parity", "10", "--volumes", "1MiB"]);
    let parity = world.read("trip.bin.parity.001");
    world.write("half.parity", &parity[..parity.len() / 60]);
    let volumes = ["trip.bin.001", "trip.bin.002", "trip.bin.003", "trip.bin.004"];
    let files = [&volumes[..], &["half.parity"]].concat();
    let told = verifies(&world, "courier", &files, &[]).exits(0);
    told.says("VALID: undamaged, every byte was checked")
        .says("of its parity damaged or missing")
        .says("none to spare");
    let object = verifies(&world, "courier", &files, &["--repair", "whole.bin", "--json"]).exits(0).json();
    let sha256 = Hash::of(&world.read("courier/whole.bin")).to_string();
    assert_eq!((&object["pouch"]["sha256"], &object["pouch"]["whole"]), (&sha256.as_str().into(), &true.into()));
    takes_in(&world.twin(), &files, &["--sign"]).exits(0).says("ACKNOWLEDGED");
    // Of a torn volume nothing tells any more which of its bytes are torn; the others stand. Whose key opens it can tell.
    spoil(&world, "trip.bin.002", 300_000, 1);
    let object = verifies(&world, "courier", &files, &["--json"]).exits(4).json();
    let torn = json!([{ "offset": 1_040_384, "bytes": 1_040_384 }]);
    assert_eq!((&object["pouch"]["damaged"], &object["pouch"]["lost"]), (&torn, &torn));
    assert_eq!((&object["pouch"]["unchecked"], &object["pouch"]["repairable"]), (&json!([]), &false.into()));
    verifies(&world, "courier", &files, &[]).exits(4).says("a part of it is lost").never_says("nothing shows damage");
    let object = takes_in(&world, &files, &["--salvage", "--json"]).exits(4).json();
    assert_eq!(
        (labels(&object, "whole"), labels(&object, "not_whole")),
        (vec!["K7-0001".into()], vec!["K7-0002".into()])
    );
}
