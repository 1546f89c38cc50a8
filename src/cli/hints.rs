//! Hints are commands that can be run. In debug builds our own command line reads each, so that none can rot.

/// The words of a line as a shell would split them; double quotes group.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut begun) = (String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Returns the hint.
///
/// # Panics
///
/// In debug builds, when it starts with `amparo ` and is no command line of ours.
pub(crate) fn checked(hint: String) -> String {
    if cfg!(debug_assertions)
        && hint.starts_with("amparo ")
        && let Err(error) = super::command().try_get_matches_from(words(&hint))
    {
        assert!(!error.use_stderr(), "a hint that cannot be run: {hint}: {error}");
    }
    hint
}

/// A path as a word of a hint.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./~".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_group_words() {
        assert_eq!(words("amparo seal \"a b.pdf\"  c"), ["amparo", "seal", "a b.pdf", "c"]);
        assert_eq!(words("a \"\""), ["a", ""]);
        assert_eq!(word("a b"), "\"a b\"");
        assert_eq!(word("a/b-1.pdf"), "a/b-1.pdf");
    }

    #[test]
    #[should_panic(expected = "a hint that cannot be run")]
    fn a_rotten_hint_is_noticed() {
        checked("amparo seel x".into());
    }
}
