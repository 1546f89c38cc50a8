//! `amparo identity lend`, and what shares that come together open.

use amparo::crypto::envelope;
use amparo::crypto::seed::Keys;
use amparo::format::armor;
use amparo::format::identity_file::IdentityFile;
use amparo::format::share_file::LentShare;

use super::harness::World;

const READERS: [(&str, &str); 3] = [("owl", "Grey Owl"), ("tern", "Tern"), ("plover", "Plover")];

/// A lawyer who seals, three readers of whom two must come together, a monitor; one testimony.
fn three_readers() -> (World, String) {
    let world = World::new();
    for (who, name) in READERS.into_iter().chain([("lawyer", "Blue Heron"), ("monitor", "Red Kite")]) {
        world.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
        world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    }
    let mut init = vec!["init", "evidence", "--handle", "K7", "--monitor", "../monitor.card", "--quorum", "2"];
    for card in ["../owl.card", "../tern.card", "../plover.card"] {
        init.extend(["--reader", card]);
    }
    let founded = world.run("lawyer", &init).exits(0).says("could keep the key");
    founded.says("together can open what is sealed here").never_says("must all come together");
    world.write("lawyer/t.txt", b"I was there.\n");
    let seal = ["seal", "t.txt", "--title", "Statement", "--vault", "evidence"];
    world.run("lawyer", &seal).exits(0).says("Any 2 of ").says("together can open it");
    let digits = world.digits();
    for (who, _) in READERS {
        world.carry(who);
        world
            .run(who, &["verify", "evidence", "--vault-id", &digits])
            .exits(0)
            .says("2 of its 3 readers must come together");
    }
    (world, digits)
}

fn lend(world: &World, from: &str, to: &str, file: &str) {
    world.run(from, &["identity", "lend", "--to", to, "-o", &format!("../{file}"), "--vault", "evidence"]).exits(0);
}

fn open<'a>(out: &'a str, shares: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["open", "K7-0001", "-o", out, "--vault", "evidence"];
    for share in shares {
        words.extend(["--share", share]);
    }
    words
}

fn keys(world: &World, who: &str) -> Keys {
    let file = world.read(&format!("{who}/.config/amparo/identity.age"));
    IdentityFile::parse(&file).expect("a bare identity").seed.keys()
}

/// Somebody who can read a lent share changes it and encrypts it to the same reader again.
fn changed(world: &World, file: &str, to: &str, change: impl FnOnce(&mut LentShare)) -> Vec<u8> {
    let age = keys(world, to).age;
    let plaintext = envelope::open(&armor::parse(&world.read(file)).expect("text"), &[&age]).expect("hers");
    let mut lent = LentShare::parse(&plaintext).expect("a lent share");
    change(&mut lent);
    armor::print(&envelope::seal(&lent.print(), &[&age.recipient()]).bytes).into_bytes()
}

#[test]
fn two_of_three_open_together_and_one_alone_sees_nothing() {
    let (world, _) = three_readers();
    let alone = world.run("owl", &open("opened", &[])).exits(12);
    alone
        .says("opens when 2 readers of the section main come together, and 1 share is here")
        .says("Tern")
        .says("Plover")
        .says("hint: amparo identity lend --to \"Grey Owl\" --section main --epoch 0 -o share.txt");
    assert!(!world.path("owl/opened").exists());
    world.run("owl", &["list", "--vault", "evidence"]).exits(0).never_says("Statement");
    world
        .run("owl", &["show", "K7-0001", "--vault", "evidence"])
        .exits(0)
        .says("when 2 readers")
        .never_says("Statement");
    let level = |words: &[&str]| world.run("owl", words).exits(0).json()["level"].as_str().map(str::to_string);
    assert_eq!(level(&["verify", "evidence", "--json"]).as_deref(), Some("custody"));

    let lent = ["identity", "lend", "--to", "Grey Owl", "-o", "../t.share", "--vault", "evidence"];
    world
        .run("tern", &lent)
        .exits(0)
        .says("Only Grey Owl can read it")
        .says("could keep the key")
        .says("stands in the custody record");
    let text = String::from_utf8(world.read("t.share")).expect("text");
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n") && text.len() < 8 << 10);
    let verified = world.run("tern", &["verify", "evidence", "--json"]).exits(0).json();
    assert_eq!(verified["logs"].as_array().map(Vec::len), Some(2), "the lending is Tern's first entry");

    // A signed check of the content does not say whose shares came together: it shows nothing of a split key.
    let checked = ["verify", "evidence", "--share", "../t.share", "--cosign", "--json"];
    assert_eq!(level(&checked).as_deref(), Some("content"));
    world.run("owl", &["verify", "evidence"]).exits(0).says("section main: no reader has yet shown");
    let opened = world.run("owl", &open("opened", &["../t.share"])).exits(0).says("OPENED K7-0001");
    opened.says("your share and that of Tern came together").says("could have kept the key");
    assert_eq!(world.read("owl/opened/K7-0001/content/t.txt"), b"I was there.\n");
    world.run("owl", &["list", "--vault", "evidence", "--share", "../t.share"]).exits(0).says("Statement");
    world.run("owl", &["show", "K7-0001", "--vault", "evidence", "--share", "../t.share"]).exits(0).says("Statement");
    assert_eq!(level(&["verify", "evidence", "--share", "../t.share", "--json"]).as_deref(), Some("content"));
    // Nothing of it stays: the next run has one share again.
    world.run("owl", &open("again", &[])).exits(12);
    // The lender's own share and a card do as well; what nobody needs disturbs nothing.
    lend(&world, "plover", "../owl.card", "p.share");
    world.run("owl", &open("both", &["../p.share", "../t.share"])).exits(0).says("that of Plover and Tern");
    // From now on somebody has shown that it can be opened.
    world
        .run("owl", &["verify", "evidence"])
        .exits(0)
        .never_says("section main: no reader has yet shown")
        .says("section register: no reader has yet shown");
}

#[test]
fn a_bad_share_has_a_name() {
    let (world, _) = three_readers();
    lend(&world, "tern", "Grey Owl", "t.share");
    lend(&world, "tern", "Plover", "to-plover.share");
    let try_open = |share: &str| world.run("owl", &open("opened", &[share]));
    try_open("../to-plover.share").exits(12).says("../to-plover.share was lent to somebody else");
    world
        .run("owl", &open("opened", &["../t.share", "../t.share"]))
        .exits(12)
        .says("is the share of Tern, which is here already");
    // Damaged on the way: no letter of it may differ.
    let whole = world.read("t.share");
    for place in (40..whole.len() - 40).step_by(97) {
        let mut flipped = whole.clone();
        flipped[place] = if flipped[place] == b'A' { b'B' } else { b'A' };
        if flipped != whole {
            world.write("bad.share", &flipped);
            let outcome = try_open("../bad.share");
            assert!(matches!(outcome.exit, 3 | 12), "place {place}: {}", outcome.err);
        }
    }
    world.write("bad.share", &whole[..whole.len() / 2]);
    try_open("../bad.share").exits(3).says("is damaged");
    // One byte of the share itself, by somebody who can encrypt to Grey Owl.
    let flip = |lent: &mut LentShare| {
        let mut bytes = *lent.file.share.as_bytes();
        bytes[20] ^= 1;
        lent.file.share = amparo::crypto::shares::Share::from_bytes(&bytes).expect("a share");
    };
    world.write("bad.share", &changed(&world, "t.share", "owl", flip));
    try_open("../bad.share").exits(3).says("not the share that was handed to Tern");
    // Another epoch than the key's; another section; another vault; a key that nobody brought.
    world.write("bad.share", &changed(&world, "t.share", "owl", |lent| lent.file.epoch = 1));
    try_open("../bad.share").exits(3).says("not the share that was handed to Tern");
    world.write(
        "bad.share",
        &changed(&world, "t.share", "owl", |lent| lent.file.scope = "register".parse().expect("a scope")),
    );
    try_open("../bad.share").exits(3).says("not the share that was handed to Tern");
    world.write("bad.share", &changed(&world, "t.share", "owl", |lent| lent.vault.0.0[0] ^= 1));
    try_open("../bad.share").exits(12).says("of another vault");
    world.write("bad.share", &changed(&world, "t.share", "owl", |lent| lent.key.0.0[0] ^= 1));
    try_open("../bad.share").exits(12).says("of a key that this copy does not know");
    world.write("bad.share", &changed(&world, "t.share", "owl", |lent| lent.to = lent.from));
    try_open("../bad.share").exits(12).says("was lent to somebody else");
    // A share of the register opens nothing of main.
    let register =
        ["identity", "lend", "--to", "Grey Owl", "--section", "register", "-o", "../r.share", "--vault", "evidence"];
    world.run("tern", &register).exits(0);
    try_open("../r.share").exits(12).says("1 share is here");
    assert!(!world.path("owl/opened").exists());
}

#[test]
fn a_share_is_lent_to_another_reader_and_to_nobody_else() {
    let (world, _) = three_readers();
    let lend = |who: &str, to: &str, more: &[&str]| {
        world.run(who, &[&["identity", "lend", "--to", to, "--vault", "evidence"], more].concat())
    };
    lend("tern", "Red Kite", &[]).exits(1).says("Red Kite holds no share");
    lend("tern", "Tern", &[]).exits(1).says("another reader");
    lend("tern", "Nobody", &[]).exits(1).says("nobody in this vault is called Nobody");
    lend("lawyer", "Grey Owl", &[]).exits(1).says("holds no share of that key");
    lend("tern", "Grey Owl", &["--epoch", "1"]).exits(1).says("holds no share of that key");
    let verified = world.run("tern", &["verify", "evidence", "--json"]).exits(0).json();
    assert_eq!(verified["logs"].as_array().map(Vec::len), Some(1), "nothing was recorded");
    let printed = lend("tern", "Grey Owl", &["--json"]).exits(0).json();
    assert_eq!((printed["needed"].as_u64(), printed["to"].as_str()), (Some(2), Some("Grey Owl")));
    // A vault without a quorum has nothing to lend.
    let plain = World::with_vault();
    plain.carry("reader");
    let digits = plain.digits();
    let words = ["identity", "lend", "--to", "Blue Heron", "--vault", "evidence", "--vault-id", &digits];
    plain.run("reader", &words).exits(1).says("either it is not split");
}

#[test]
fn a_quorum_that_cannot_be_is_refused_and_one_without_a_spare_is_warned_of() {
    let world = World::new();
    for (who, name) in READERS.into_iter().chain([("lawyer", "Blue Heron")]) {
        world.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
        world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    }
    let init = |words: &[&str]| world.run("lawyer", &[&["init", "evidence"], words].concat());
    let two = ["--reader", "../owl.card", "--reader", "../tern.card"];
    init(&[&two[..], &["--quorum", "1"]].concat()).exits(2);
    init(&[&two[..], &["--quorum", "17"]].concat()).exits(2);
    init(&["--quorum", "2"]).exits(2).says("2 of 1 cannot be asked for in the section main");
    init(&[&two[..], &["--quorum", "3"]].concat()).exits(2).says("3 of 2");
    let register = ["--register-reader", "../plover.card", "--quorum", "2"];
    init(&[&two[..], &register].concat()).exits(2).says("2 of 1 cannot be asked for in the section register");
    assert!(!world.path("lawyer/evidence").exists());
    let made = init(&[&two[..], &["--quorum", "2"]].concat()).exits(0);
    made.says("must all come together to open what is sealed: if one of these identities is lost, it is lost");
    let doctor = world.run("lawyer", &["doctor", "--vault", "evidence"]).exits(0);
    doctor.says("all 2 readers left must come together to open the section main");
    world.write("lawyer/t.txt", b"I was there.\n");
    world.run("lawyer", &["seal", "t.txt", "--vault", "evidence"]).exits(0).says("must all come together to open it");
}

#[test]
fn where_too_few_shares_are_left_nothing_is_sealed() {
    let (world, _) = three_readers();
    let key_of_main = {
        let json = world.run("lawyer", &["verify", "evidence", "--json"]).exits(0).json();
        assert_eq!(json["verdict"], "valid");
        lend(&world, "tern", "Grey Owl", "t.share");
        let age = keys(&world, "owl").age;
        let plaintext = envelope::open(&armor::parse(&world.read("t.share")).expect("text"), &[&age]).expect("hers");
        LentShare::parse(&plaintext).expect("a lent share").key
    };
    // Two of the three readers' files are lost.
    let folder = world.path(&format!("lawyer/evidence/keys/{key_of_main}"));
    for who in ["owl", "tern"] {
        let age = keys(&world, who).age;
        for file in std::fs::read_dir(&folder).expect("keys") {
            let path = file.expect("a file").path();
            if envelope::open(&std::fs::read(&path).expect("read"), &[&age]).is_ok() {
                std::fs::remove_file(path).expect("removed");
            }
        }
    }
    world.write("lawyer/t2.txt", b"More.\n");
    let refused = world.run("lawyer", &["seal", "t2.txt", "--vault", "evidence"]).exits(4);
    refused.says("2 readers must come together, and the shares of only 1 are here and whole");
}
