//! `amparo tour` on a narrow terminal.

use unicode_width::UnicodeWidthStr;

use super::harness::{Around, World};

#[test]
fn at_eighty_columns_no_line_is_longer_and_no_word_is_broken() {
    let world = World::new();
    world.home("ann");
    let wide = world.run_in("ann", &["tour"], &Around::default()).exits(0).out;
    let narrow = world.run_in("ann", &["tour"], &Around { width: 80, ..Around::default() }).exits(0).out;
    let long: Vec<&str> = narrow.lines().filter(|line| line.width() > 80).collect();
    assert!(long.is_empty(), "{long:#?}");
    // Digits, hashes and times differ from run to run: words of letters do not.
    let words = |text: &str| {
        let words = text.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic) && word.len() > 6);
        words.map(str::to_string).collect::<std::collections::BTreeSet<_>>()
    };
    let broken: Vec<String> = words(&narrow).difference(&words(&wide)).cloned().collect();
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn its_evidence_travels_as_a_pouch_and_comes_back_as_it_was() {
    let world = World::new();
    world.home("ann");
    world.run_in("ann", &["tour"], &Around::default()).exits(0).says("holiday.bin").says("ACKNOWLEDGED");
    let tour = |name: &str| format!("ann/amparo-tour/{name}");
    assert!(world.read(&tour("holiday.bin")).starts_with(b"age-encryption.org/v1\n-> mlkem768x25519 "));
    assert!(world.path(&tour("holiday.bin.parity")).exists());
    let opened = world.tree(&tour("opened"));
    let testimony = opened.keys().find(|name| name.ends_with("content/testimony.md")).expect("the testimony");
    assert_eq!(world.read(&tour(&format!("opened/{testimony}"))), world.read(&tour("evidence/testimony.md")));
}
