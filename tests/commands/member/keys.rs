//! New epochs of keys: who agrees to them before sealing, what offline copies seal to old ones, rotations in two copies.

use super::{add, admit, exchange, listed, member, open, seal, verify};
use crate::commands::harness::{Around, World};

/// The lawyer's vault with Tern, a second reader, who is removed in the lawyer's copy; the others have older copies.
fn after_a_removal() -> World {
    let world = World::with_testimony();
    let digits = world.join("tern", "Tern");
    let sections = ["--role", "reader", "--section", "main", "--section", "register"];
    member(&world, "lawyer", &[&["add", "../tern.card", "--fingerprint", &digits], &sections[..]].concat()).exits(0);
    admit(&world, "gull", "Gull", &["sealer"]).exits(0);
    world.carry("reader");
    member(&world, "reader", &["grant"]).exits(0);
    world.hand("reader", "lawyer");
    for who in ["tern", "gull"] {
        world.carry(who);
        verify(&world, who).exits(0);
    }
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"])
        .exits(0)
        .says("New: epoch 1 of the key to the custody record, for")
        .says("New: epoch 1 of the key to the section main, for Grey Owl.")
        .says("New: epoch 1 of the key to the section register, for Grey Owl.");
    world
}

#[test]
fn a_key_new_to_a_device_asks_who_reads_before_anything_is_sealed() {
    let world = after_a_removal();
    // Whoever made the key has named its readers.
    seal(&world, "lawyer", &[]).exits(0).says("Grey Owl can open it");
    world.hand("lawyer", "gull");
    let before = super::files(&world, "gull");
    seal(&world, "gull", &[])
        .exits(2)
        .says("the key is new to this device")
        .says("the section main by Grey Owl")
        .says("--accept-readers");
    let command = ["seal", "e.txt", "--vault", "evidence", "--kind", "other"];
    let skip = [""; 5];
    for refusal in ["y", "", "no"] {
        let typed = [&skip[..], &[refusal]].concat();
        let refused = world.typing("gull", &command, &typed).exits(1);
        refused.says(&format!("Grey Owl  {}", world.card_digits("reader"))).says("nothing was sealed");
    }
    let piped = Around { stdin: b"piped", typed: Some(&["yes"]), ..Around::default() };
    world.run_in("gull", &["seal", "-", "--vault", "evidence"], &piped).exits(2).says("--accept-readers");
    assert_eq!(super::files(&world, "gull"), before, "nothing was written");
    world.typing("gull", &command, &[&skip[..], &["Yes"]].concat()).exits(0).says("SEALED");
    seal(&world, "gull", &[]).exits(0).never_says("is new to this device");
    // The key of the register is another: it asks once more, where the register is used.
    let typed = ["", "", "", "", "", "", "Ann Example", "", "yes"];
    let testimony = ["seal", "e.txt", "--vault", "evidence", "--kind", "testimony"];
    let sealed = world.typing("gull", &testimony, &typed);
    sealed.exits(0).says("The key of the section register is new").never_says("section main is new");
    let json = seal(&world, "gull", &["--json"]).exits(0).json();
    assert_eq!(json["readable_by_removed"], serde_json::json!([]));
}

#[test]
fn what_is_sealed_offline_to_an_old_key_is_valid_and_readable_by_those_removed_since() {
    let world = after_a_removal();
    seal(&world, "gull", &[]).exits(0).never_says("removed since");
    exchange(&world, "gull", "lawyer");
    world.hand("lawyer", "reader");
    let told =
        "1 exhibit of the section main, sealed to a key from before a removal, readable by those removed since: Tern";
    let named =
        listed(&world, "lawyer", "Gull")["logs"][0]["handle"].as_str().map(|handle| format!("events {handle}:0)"));
    verify(&world, "lawyer").exits(0).says(told).says(&named.expect("a handle")).says("exhibits   2");
    world.run("lawyer", &["doctor", "--vault", "evidence"]).exits(0).says(told);
    // Tern does read it, and nothing that is sealed since.
    world.hand("lawyer", "tern");
    let handle = listed(&world, "lawyer", "Gull")["logs"][0]["handle"].as_str().expect("a handle").to_string();
    open(&world, "tern", &format!("{handle}-0001"), "out").exits(0);
    seal(&world, "gull", &["--accept-readers"]).exits(0).never_says("removed since");
    world.hand("gull", "tern");
    world.hand("gull", "reader");
    open(&world, "reader", &format!("{handle}-0002"), "out").exits(0);
    open(&world, "tern", &format!("{handle}-0002"), "out2").exits(12).says("was removed from this vault");
    verify(&world, "reader").exits(0).says(told);
    // What was sealed before the removal is no news.
    verify(&world, "reader").never_says("2 exhibits of the section main, sealed to a key from before");
}

#[test]
fn rotations_in_two_copies_end_in_one_key_and_a_removal_is_completed() {
    let world = World::with_testimony();
    for (who, name, role) in [("kea", "Kea", "owner"), ("tern", "Tern", "reader"), ("skua", "Skua", "reader")] {
        admit(&world, who, name, &[role]).exits(0);
    }
    world.carry("reader");
    member(&world, "reader", &["grant"]).exits(0).says("to Skua and Tern");
    exchange(&world, "reader", "lawyer");
    world.carry("kea");
    // In one copy the founder removes Tern; in the other, offline, another owner removes Skua.
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"]).exits(0).says("New: epoch 1 of");
    member(&world, "kea", &["remove", "Skua", "--reason", "seized"]).exits(0).says("New: epoch 1 of");
    exchange(&world, "kea", "lawyer");
    for who in ["lawyer", "kea"] {
        // The founder's key wins, in every copy; Skua holds it, and that is told until somebody completes it.
        verify(&world, who)
            .exits(0)
            .says("removed, and still holding the newest key of main: Skua")
            .says("removed, and still holding the newest key of custody: Skua");
    }
    let sealed = seal(&world, "lawyer", &[]).exits(0);
    sealed.says("readable by those removed since: Skua still can open it").says("Grey Owl can open it");
    member(&world, "kea", &["remove", "Skua", "--reason", "seized"])
        .exits(0)
        .says("COMPLETED the removal of Skua")
        .says("New: epoch 2 of the key to the section main, for Grey Owl.")
        .never_says("REMOVED Skua");
    exchange(&world, "kea", "lawyer");
    for who in ["lawyer", "kea"] {
        verify(&world, who).exits(0).never_says("still holding");
    }
    // The other rotation's key counts too, and nobody awaits it: whoever stays was given both.
    seal(&world, "lawyer", &["--accept-readers"]).exits(0).never_says("still can open it");
    world.hand("lawyer", "reader");
    world.run("reader", &["verify", "evidence"]).exits(0).says("content: custody").never_says("awaited");
    open(&world, "reader", "K7-0003", "out").exits(0);
    for who in ["tern", "skua"] {
        world.hand("lawyer", who);
        open(&world, who, "K7-0003", "out").exits(12).says("was removed from this vault");
    }
}

#[test]
fn an_owner_who_cannot_read_renews_keys_and_forgets_them() {
    let world = after_a_removal();
    seal(&world, "lawyer", &[]).exits(0);
    open(&world, "lawyer", "K7-0002", "out").exits(12);
    let digits = world.join("skua", "Skua");
    add(&world, "lawyer", "skua", &digits, &["reader"])
        .exits(0)
        .says("awaits epoch 1 of the key to the section main, from Grey Owl")
        .says("awaits the key to the section main, from Grey Owl")
        .says("Handed epoch 1 of the key to the custody record to Skua");
}

#[test]
fn whoever_awaits_a_newer_custody_key_still_reads_her_own_record() {
    let world = World::with_testimony();
    for (who, name, role) in [("kea", "Kea", "owner"), ("tern", "Tern", "sealer")] {
        admit(&world, who, name, &[role]).exits(0);
    }
    world.carry("kea");
    // Gull is admitted in one copy while the other brings a new custody key without her.
    let digits = world.join("gull", "Gull");
    add(&world, "kea", "gull", &digits, &["sealer"]).exits(0);
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"]).exits(0);
    exchange(&world, "kea", "lawyer");
    world.hand("lawyer", "gull");
    for _ in 0..2 {
        seal(&world, "gull", &[]).exits(0);
    }
    verify(&world, "gull").exits(0).says("exhibits   3").says("keys awaited by Gull: custody (epoch 1)");
    member(&world, "lawyer", &["grant"]).exits(0).says("Handed epoch 1 of the key to the custody record to Gull");
    exchange(&world, "gull", "lawyer");
    for who in ["gull", "lawyer"] {
        seal(&world, who, &[]).exits(0);
        verify(&world, who).exits(0).never_says("awaited");
    }
}
