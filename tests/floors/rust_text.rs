//! Just enough of Rust's grammar to ask which paths a file names: comments and literals are blanked out, test code
//! can be cut away, and nested `use` lists are spelled out. Bytes keep their places, so a finding can name a line.

/// A path as the code names it, nested lists spelled out; a macro's name keeps its `!`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    /// `["std", "fs", "read"]`; a glob ends in `*`.
    pub(crate) segments: Vec<String>,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// A piece of code that is not blank: an identifier, `::`, or one character.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// `source` with the insides of comments, strings and characters turned into spaces.
pub(crate) fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let Some(end) = literal_or_comment_end(bytes, at) else {
            code.push(bytes[at]);
            at += 1;
            continue;
        };
        code.extend(bytes[at..end].iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
        at = end;
    }
    String::from_utf8(code).expect("whole characters were replaced by ASCII")
}

/// `text` without the items under `#[cfg(test)]` or `#[test]`, which are found in `code`, its [`code_only`].
pub(crate) fn without_tests(text: &str, code: &str) -> String {
    let mut kept = text.as_bytes().to_vec();
    let mut from = 0;
    while let Some(start) = ["#[cfg(test)]", "#[cfg(all(test", "#[test]"]
        .iter()
        .filter_map(|mark| code[from..].find(mark).map(|offset| from + offset))
        .min()
    {
        let end = item_end(code.as_bytes(), start);
        kept[start..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        from = end;
    }
    String::from_utf8(kept).expect("items begin and end at whole characters")
}

/// The tokens of what [`code_only`] left.
pub(crate) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ':' if rest.starts_with("::") => 2,
            c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (text, after) = rest.split_at(length);
        if first == '\n' {
            line += 1;
        } else if !first.is_whitespace() {
            found.push(Token { text, line });
        }
        rest = after;
    }
    found
}

/// Every path of `tokens`, those of one segment too.
pub(crate) fn paths(tokens: &[Token]) -> Vec<NamedPath> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = if begins_path(tokens, at) { spell_out(tokens, at, Vec::new(), &mut found) } else { at + 1 };
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn begins_path(tokens: &[Token], at: usize) -> bool {
    let text = |back: usize| at.checked_sub(back).map_or("", |index| tokens[index].text);
    let follows_path = text(1) == "::" && (text(2) == ">" || text(2).starts_with(is_name));
    tokens[at].text.starts_with(is_name) && text(1) != "." && !follows_path
}

/// Reads the path or the `{list}` of paths at `at`, each under `prefix`; returns where it ends.
fn spell_out(tokens: &[Token], mut at: usize, mut prefix: Vec<String>, found: &mut Vec<NamedPath>) -> usize {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let line = tokens[at.min(tokens.len() - 1)].line;
    loop {
        match text(at) {
            "{" if !prefix.is_empty() => {
                at += 1;
                while !matches!(text(at), "}" | "") {
                    at = if text(at) == "," { at + 1 } else { spell_out(tokens, at, prefix.clone(), found) };
                }
                return at + 1;
            }
            "*" if !prefix.is_empty() => prefix.push("*".into()),
            name if name.starts_with(is_name) => {
                prefix.push(name.into());
                if text(at + 1) == "::" {
                    at += 2;
                    continue;
                }
                if text(at + 1) == "!" && text(at + 2) != "=" {
                    prefix.last_mut().expect("a name was pushed").push('!');
                }
            }
            _ => {}
        }
        found.push(NamedPath { segments: prefix, line });
        // Under which other name it goes here does not matter.
        return if text(at + 1) == "as" { at + 3 } else { at + 1 };
    }
}

/// Where the item that carries the attribute at `start` ends: at its closing brace, or at a `;` before any brace.
fn item_end(code: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut brackets = 0_usize;
    for (offset, byte) in code[start..].iter().enumerate() {
        match byte {
            b'[' | b'(' => brackets += 1,
            b']' | b')' => brackets = brackets.saturating_sub(1),
            b'{' => depth += 1,
            b'}' if depth <= 1 => return start + offset + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 && brackets == 0 => return start + offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// Where the comment or literal that begins at `at` ends; nothing where none begins.
fn literal_or_comment_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => Some(rest.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |n| at + n)),
        [b'/', b'*', ..] => Some(block_comment_end(bytes, at)),
        [b'"', ..] => Some(quoted_end(bytes, at)),
        [b'\'', ..] => character_end(bytes, at),
        [b'r', ..] if at == 0 || !is_name_byte(bytes[at - 1]) || prefixed_raw(bytes, at) => raw_string_end(bytes, at),
        _ => None,
    }
}

/// Whether the `r` at `at` is that of `br"…"` or `cr"…"`.
fn prefixed_raw(bytes: &[u8], at: usize) -> bool {
    matches!(bytes[at - 1], b'b' | b'c') && (at == 1 || !is_name_byte(bytes[at - 2]))
}

fn block_comment_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < bytes.len() {
        let step = match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == bytes[start] => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `'x'`; nothing for a lifetime.
fn character_end(bytes: &[u8], at: usize) -> Option<usize> {
    let inside = bytes.get(at + 1)?;
    let width = match inside {
        b'\\' => return Some(quoted_end(bytes, at)),
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + width + 2)
}

fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|&&byte| byte == b'#').count();
    let open = at + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let mut closing = vec![b'"'];
    closing.resize(hashes + 1, b'#');
    let inside = open + 1;
    let length = bytes[inside..].windows(closing.len()).position(|window| window == closing);
    Some(length.map_or(bytes.len(), |length| inside + length + closing.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: &str) -> Vec<String> {
        paths(&tokens(&code_only(source))).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn comments_and_literals_are_blank_and_lifetimes_are_not() {
        let source =
            "a(\"/* b \\\" c\", 'd', '\\'', '»', b\"e\", r#\"f \" g\"#, br\"h\") /* i /* j */ k */ // l\n&'m n";
        let code = code_only(source);
        let left: Vec<&str> = tokens(&code).iter().map(|token| token.text).filter(|t| t.starts_with(is_name)).collect();
        assert_eq!(left, ["a", "b", "b", "m", "n"], "{code}");
        assert_eq!(code.len(), source.len());
        assert_eq!(code_only("r#type for_r\"x\""), "r#type for_r   ");
    }

    #[test]
    fn nested_lists_are_spelled_out() {
        assert_eq!(
            named("use std::{fs, io::{self, Read as R}, path::*};"),
            ["use", "std::fs", "std::io::self", "std::io::Read", "std::path::*"]
        );
        assert_eq!(named("x.fs().y::<T>(::std::env::var)"), ["x", "T", "std::env::var"]);
        assert_eq!(named("println!(); a != b"), ["println!", "a", "b"]);
    }

    #[test]
    fn test_items_are_cut_and_the_rest_stays() {
        let source =
            "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if c {} } }\nfn d() {}\n#[cfg(test)] use e;\nfn f() {}";
        let left = without_tests(source, &code_only(source));
        assert!(["a()", "d()", "f()"].iter().all(|name| left.contains(name)), "{left}");
        assert!(!left.contains("b()") && !left.contains("use e"), "{left}");
        assert_eq!(left.lines().count(), source.lines().count());
    }
}
