//! `amparo verify --report`.

use std::fs;

use super::custody::shared;
use super::harness::World;

const LAWYER: &str = "Ann [x](http://e.vil) <b>`#";
const READER: &str = "青鷺 ![i](y)|";
const MONITOR: &str = "Red_Kite* www.e.vil";

/// Three people whose pseudonyms mean something to a renderer of Markdown, and a story between them.
fn hostile() -> World {
    let world = World::new();
    for (who, name) in [("lawyer", LAWYER), ("reader", READER), ("monitor", MONITOR)] {
        world.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
        world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    }
    let init = ["init", "evidence", "--reader", "../reader.card", "--monitor", "../monitor.card", "--handle", "K7"];
    world.run("lawyer", &init).exits(0);
    world.write("lawyer/t.txt", b"I was there.\n");
    world.run("lawyer", &["seal", "t.txt", "--vault", "evidence"]).exits(0);
    let note =
        format!("# A heading\n\n<script>x</script> [l](u) `` {LAWYER} met red_kite* WWW.e.vil\n- x\n\n| a | b |");
    for args in [
        &["custody", "note", &note][..],
        &["custody", "offer", "--to", MONITOR, "--carrier", "Somebody Else", "--place", "at 青鷺 ![i](y)|の家"],
        &["custody", "offer", "--to", READER, "--carrier", MONITOR],
        &["custody", "note", "a night", "--gap", "--from", "3 May"],
        &["custody", "withdraw", "K7-0001", "--scope", "disclosure"],
    ] {
        world.run("lawyer", &[args, &["--vault", "evidence"]].concat()).exits(0);
    }
    world.carry("monitor");
    world.run("monitor", &["custody", "acknowledge", "--vault", "evidence", "--owner", "../lawyer.card"]).exits(0);
    world
}

fn page(world: &World, who: &str, names: &str, exit: u8) -> String {
    let args = ["verify", "evidence", "--report", "../page.md", "--names", names, "--overwrite"];
    world.run(who, &args).exits(exit).says("The report is in");
    String::from_utf8(world.read("page.md")).expect("text")
}

#[test]
fn a_report_by_roles_names_nobody() {
    let world = hostile();
    let text = page(&world, "monitor", "roles", 0);
    let lower = text.to_lowercase();
    for name in [LAWYER, READER, MONITOR, "somebody else", "青鷺"] {
        assert!(!lower.contains(&name.to_lowercase()), "{name}\n{text}");
    }
    for who in ["lawyer", "reader", "monitor"] {
        let shown = world.run(who, &["identity", "show", "--json"]).exits(0).json();
        for key in ["member", "fingerprint"] {
            let digits = shown[key].as_str().expect("digits");
            assert!(!text.contains(&digits[..8]), "{digits}");
        }
    }
    for part in ["sealer 1", "reader 1", "monitor 1", "named in the record, withheld here", "carrier: monitor 1"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn a_report_says_what_a_mission_needs() {
    let world = hostile();
    let text = page(&world, "monitor", "full", 0);
    assert!(text.starts_with("# Check of an evidence vault\n\n**VALID: unchanged since sealing**\n"), "{text}");
    for part in [
        "It does not mean that what is sealed is true",
        &world.digits(),
        "claimed by the clock of the device; not proven",
        "| Depth | custody",
        "## Custody records",
        "## Findings\n\nNone.",
        "| K7:3 |",
        "| acknowledged |",
        "| pending |",
        "## Pending offers",
        "## Gaps in custody",
        "## What was not checked",
        "## The custody story",
        "WITHDRAWN (disclosure)",
        "## How to check this page again",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let shown = world.run("reader", &["identity", "show", "--json"]).exits(0).json();
    assert!(text.contains(shown["fingerprint"].as_str().expect("digits")) && text.contains("青鷺"));
}

/// Outside code spans there is nothing but our own words.
#[test]
fn nobodys_words_change_the_page() {
    let world = hostile();
    for names in ["roles", "full"] {
        let text = page(&world, "monitor", names, 0);
        let mut headings = 0;
        for line in text.lines() {
            headings += usize::from(line.starts_with('#'));
            let outside = without_spans(line);
            let quiet = !["<", "[", "](", "![", "http", "www."].iter().any(|sign| outside.contains(sign));
            assert!(quiet, "{outside}\n{line}");
            assert!(!line.contains("# A heading") || line.contains("- text: `"), "{line}");
        }
        assert!(headings < 16, "{text}");
    }
}

/// A line without its code spans, found as CommonMark finds them: a run of backticks, up to the next run as long.
fn without_spans(line: &str) -> String {
    let (mut rest, mut outside) = (line, String::new());
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        outside.push_str(before);
        let fence = from.len() - from.trim_start_matches('`').len();
        let body = &from[fence..];
        let mut seek = 0;
        let end = loop {
            let Some(at) = body[seek..].find('`').map(|at| at + seek) else { break None };
            let run = body[at..].len() - body[at..].trim_start_matches('`').len();
            if run == fence {
                break Some(at);
            }
            seek = at + run;
        };
        rest = end.map_or("", |end| &body[end + fence..]);
        assert!(end.is_some() || line.starts_with("```"), "a span without an end: {line}");
    }
    outside + rest
}

#[test]
fn a_report_goes_where_it_may_and_replaces_nothing_unasked() {
    let world = World::with_testimony();
    let verify = |more: &[&str]| world.run("lawyer", &[&["verify", "evidence"], more].concat());
    verify(&["--report", "r.md"]).exits(2).says("--names");
    verify(&["--names", "roles"]).exits(2).says("--report");
    verify(&["--report", "r.md", "--names", "some"]).exits(2);
    verify(&["--report", "evidence/r.md", "--names", "roles"]).exits(2).says("inside the vault");
    verify(&["--report", "-", "--names", "roles"]).exits(2).says("goes into a file");
    verify(&["--report", "r.md", "--names", "roles"]).exits(0);
    verify(&["--report", "r.md", "--names", "full"]).exits(1).says("exists already");
    world.write("lawyer/r.md.part", b"a stranger's");
    verify(&["--report", "r.md", "--names", "full", "--overwrite"]).exits(0);
    assert_eq!(world.read("lawyer/r.md.part"), b"a stranger's");
    assert!(!world.path("lawyer/r.md.2.part").exists() && !world.path("lawyer/r.md.old").exists());
    let shelf = std::fs::read_dir(world.path("lawyer/evidence/blobs")).expect("shelves").next().expect("one");
    std::fs::remove_dir_all(shelf.expect("readable").path()).expect("lost");
    verify(&["--report", "r.md", "--names", "roles", "--overwrite", "--json"]).exits(4).json();
    let text = String::from_utf8(world.read("lawyer/r.md")).expect("text");
    assert!(text.contains("**INCOMPLETE") && text.contains("INCOMPLETE, blob: `"), "{text}");
    world.carry("court");
    let args = ["verify", "evidence", "--report", "r.md", "--names", "full"];
    world.run("court", &args).exits(5);
    let text = String::from_utf8(world.read("court/r.md")).expect("text");
    assert!(text.contains("somebody without a key") && text.contains("that needs a custody key"), "{text}");
    world.run("lawyer", &["verify", "../lawyer.card", "--report", "x.md", "--names", "full"]).exits(2);
}

/// A sealed file is lost between the monitor and the reader, who signs for what she finds; the monitor, removed since, says
/// something that comes too late.
#[test]
fn a_report_tells_what_did_not_agree_between_whom_it_happened_and_what_came_too_late() {
    let world = shared();
    let at = |who: &str, args: &[&str]| world.run(who, &[args, &["--vault", "evidence"]].concat());
    world.write("lawyer/photo.txt", b"what the photo shows\n");
    at("lawyer", &["seal", "photo.txt"]).exits(0);
    at("lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    let whole = at("monitor", &["custody", "acknowledge", "--json"]).exits(0).json();
    at("monitor", &["custody", "offer", "--to", "Grey Owl"]).exits(0);
    world.hand("monitor", "reader");
    let shown = at("reader", &["show", "K7-0002", "--json"]).exits(0).json();
    let name = shown["blob_names"][0].as_str().expect("a sealed file").to_string();
    fs::remove_file(world.path(&format!("reader/evidence/blobs/{}/{name}", &name[..2]))).expect("lost");
    let amiss = at("reader", &["custody", "acknowledge", "--json"]).exits(4).json();
    world.hand("reader", "lawyer");
    at("lawyer", &["member", "remove", "Red Kite", "--reason", "left"]).exits(0);
    at("monitor", &["custody", "note", "I had not heard of it."]).exits(0);
    at("lawyer", &["merge", "../monitor/evidence"]).exits(0);

    let text = page(&world, "lawyer", "roles", 0);
    let part = |title: &str| {
        let part = text.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("{title}\n{text}")).1;
        part.split("\n## ").next().expect("some text").to_string()
    };
    let label = |said: &serde_json::Value| said["answer"].as_str().expect("a label").to_string();
    let parted = part("Exhibits that stopped being whole");
    let line = format!("- K7-0002: whole in {} by monitor 1, ", label(&whole));
    assert!(parted.contains(&line) && !parted.contains("K7-0001"), "{parted}");
    assert!(parted.contains(&format!("; not whole in {} by reader 1, ", label(&amiss))), "{parted}");
    let told = part("The custody story");
    for words in ["acknowledge, with discrepancies", "  - discrepancy: (blob) `", "not in this copy", "**note, LATE**"]
    {
        assert!(told.contains(words), "{words}\n{told}");
    }
    assert!(part("Handovers").contains("| acknowledged with discrepancies |"));
    let late = part("Late, refused and unconfirmed events");
    assert!(late.contains("monitor 1, note, LATE"), "{late}");
}

#[test]
fn a_report_tells_which_exhibits_enough_monitors_cover_and_up_to_where() {
    let world = World::with_testimony();
    world.carry("monitor");
    let before = ["verify", "evidence", "--owner", "../lawyer.card", "--cosign"];
    world.run("monitor", &before).exits(0);
    world.write("lawyer/u.txt", b"And so was I.\n");
    world.run("lawyer", &["seal", "u.txt", "--vault", "evidence"]).exits(0);
    world.run("lawyer", &["merge", "../monitor/evidence", "--vault", "evidence"]).exits(0);
    for (names, who) in [("full", "` Red Kite ` (monitor 1)"), ("roles", "monitor 1")] {
        let text = page(&world, "lawyer", names, 0);
        let covered = text.split_once("## Exhibits covered by monitors").expect("the part").1;
        let covered = covered.split("\n## ").next().expect("some text");
        assert!(covered.contains("up to event K7:1: 1 of 2 exhibits covered, K7-0001. Signed"), "{covered}");
        assert!(covered.contains(&format!("Signed by: {who} at 2 events")), "{covered}");
    }
    let json = world.run("lawyer", &["verify", "evidence", "--json"]).exits(0).json();
    let ranges: Vec<&serde_json::Value> =
        json["logs"].as_array().expect("logs").iter().map(|log| &log["covered"]).collect();
    assert!(ranges.contains(&&serde_json::json!([{ "first": "K7-0001", "last": "K7-0001" }])), "{ranges:?}");
    // What a monitor found while she was one stands; without her nothing more can be covered.
    let checks = "## Checks by monitors (1 needed";
    assert!(page(&world, "lawyer", "roles", 0).contains(checks));
    world.run("lawyer", &["member", "remove", "Red Kite", "--reason", "left", "--vault", "evidence"]).exits(0);
    assert!(page(&world, "lawyer", "roles", 0).contains(checks));
    let verified = world.run("lawyer", &["verify", "evidence"]).exits(0);
    verified.says("1 monitor must sign before an exhibit is called covered, and 0 are members");
    // Nor does it cease to be a monitor's when she comes back to seal.
    let digits = world.card_digits("monitor");
    let add = ["member", "add", "../monitor.card", "--role", "sealer", "--fingerprint", &digits, "--vault", "evidence"];
    world.run("lawyer", &add).exits(0);
    let text = page(&world, "lawyer", "roles", 0);
    assert!(text.contains(checks) && text.contains("1 of 2 exhibits covered, K7-0001. Signed by: "), "{text}");
}

#[test]
fn a_vault_that_asks_for_no_monitor_tells_who_signed_all_the_same() {
    let world = World::new();
    for (who, name) in [("lawyer", "Blue Heron"), ("monitor", "Red Kite")] {
        world.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
        world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    }
    world.run("lawyer", &["init", "evidence", "--handle", "K7"]).exits(0);
    let digits = world.card_digits("monitor");
    let add =
        ["member", "add", "../monitor.card", "--role", "monitor", "--fingerprint", &digits, "--vault", "evidence"];
    world.run("lawyer", &add).exits(0);
    world.carry("monitor");
    world.run("monitor", &["verify", "evidence", "--owner", "../lawyer.card", "--cosign"]).exits(0);
    world.run("lawyer", &["merge", "../monitor/evidence", "--vault", "evidence"]).exits(0);
    world.run("lawyer", &["verify", "evidence"]).exits(0).says("founded to ask for no monitor, for good");
    let text = page(&world, "lawyer", "roles", 0);
    let part = text.split_once("## Signed by other members").expect("the part").1;
    assert!(part.contains("K7 by monitor 1 at 3 events") && part.contains("nothing is called covered"), "{part}");
}
