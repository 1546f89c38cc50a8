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
