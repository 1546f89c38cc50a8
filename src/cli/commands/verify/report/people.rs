//! How people are called in a report: by what they do, or by pseudonym and digits. In a report by roles nobody's pseudonym,
//! member id or digits stands, neither in our sentences nor in what was quoted.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::markdown::{quoted, quoted_text};
use crate::cli::story::Piece;
use crate::format::event::{Admission, Event};
use crate::format::ids::MemberId;
use crate::format::role::Role;
use crate::vault::history::History;

/// Fewer digits of a member id than this point at nobody.
const ID_DIGITS: usize = 8;

/// Whose names stand in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Names {
    /// Nobody's: sealer 1, reader 2, monitor 1
    Roles,
    /// Pseudonyms and the digits of the cards
    Full,
}

/// Everybody who occurs, by the name to show.
pub(super) struct People {
    names: Names,
    /// What each member does, numbered in the order of admission.
    parts: BTreeMap<MemberId, String>,
    pseudonyms: Vec<(String, String)>,
    ids: Vec<(String, String)>,
    cards: BTreeMap<MemberId, String>,
}

impl People {
    /// All members of a history, in the order in which they were admitted.
    pub(super) fn new(history: Option<&History>, names: Names) -> Self {
        let mut people =
            Self { names, parts: BTreeMap::new(), pseudonyms: Vec::new(), ids: Vec::new(), cards: BTreeMap::new() };
        let Some(history) = history else { return people };
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for member in admitted(history) {
            let Some(known) = history.members.get(&member) else { continue };
            let does = principal(&known.grants.iter().map(|grant| &grant.role));
            let number = numbers.entry(does).or_default();
            *number += 1;
            let part = format!("{does} {number}");
            people.pseudonyms.push((known.card.name().to_string(), part.clone()));
            people.ids.push((member.to_string(), part.clone()));
            people.ids.push((member.fingerprint(), part.clone()));
            people.cards.insert(member, known.card.name().to_string());
            people.parts.insert(member, part);
        }
        // The longest first: who is called "Heron" must not be found inside "Blue Heron".
        people.pseudonyms.sort_by_key(|(name, _)| std::cmp::Reverse(name.chars().count()));
        people
    }

    /// A member, as the report calls her.
    pub(super) fn name(&self, member: MemberId) -> String {
        let part = self.parts.get(&member).map_or("somebody unknown", String::as_str);
        match (self.names, self.cards.get(&member)) {
            (Names::Full, Some(name)) => format!("{} ({part})", quoted(name)),
            (Names::Full, None) => format!("member {}", &member.to_string()[..ID_DIGITS]),
            (Names::Roles, _) => part.into(),
        }
    }

    /// Each member with what the report calls her, and her digits where they may stand.
    pub(super) fn list(&self) -> impl Iterator<Item = (MemberId, String)> + '_ {
        let mut all: Vec<(MemberId, String)> = self
            .parts
            .keys()
            .map(|member| match self.names {
                Names::Full => (*member, format!("{}: {}", self.name(*member), member.fingerprint())),
                Names::Roles => (*member, self.name(*member)),
            })
            .collect();
        all.sort_by(|(_, one), (_, other)| one.cmp(other));
        all.into_iter()
    }

    /// A piece of the story.
    pub(super) fn piece(&self, piece: &Piece) -> String {
        match piece {
            Piece::Ours(text) => text.clone(),
            Piece::Member(member) => self.name(*member),
            Piece::Theirs(text) => self.quoted(text),
            // Who carried it, or who was shown something, need not be a member: nobody here knows the name for one.
            Piece::Outsider(text) => match (self.names, self.parts_of(text)) {
                (Names::Full, _) => quoted(text),
                (Names::Roles, Some(part)) => part.into(),
                (Names::Roles, None) => "named in the record, withheld here".into(),
            },
        }
    }

    /// Somebody's words, with nobody's name in them where that is asked for.
    pub(super) fn quoted(&self, text: &str) -> String {
        match self.names {
            Names::Full => quoted(text),
            Names::Roles => quoted(&self.without_names(text)),
        }
    }

    /// What the verifier found, in its own words.
    pub(super) fn found(&self, text: &str) -> String {
        quoted_text(&self.plain(text))
    }

    /// A sentence of the program's, with nobody's name in it where that is asked for.
    pub(super) fn plain(&self, text: &str) -> String {
        if self.names == Names::Full { text.into() } else { self.without_names(text) }
    }

    fn parts_of(&self, name: &str) -> Option<&str> {
        let same = |known: &str| folded(known) == folded(name);
        self.pseudonyms.iter().find(|(known, _)| same(known)).map(|(_, part)| part.as_str())
    }

    fn without_names(&self, text: &str) -> String {
        withheld(text, &self.ids, &self.pseudonyms)
    }
}

/// Members in the order in which the story admits them.
fn admitted(history: &History) -> Vec<MemberId> {
    let mut all = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    let mut add = |admission: &Admission| {
        if let Ok(card) = crate::format::card::Card::parse(admission.card.as_bytes())
            && known.insert(card.member())
        {
            all.push(card.member());
        }
    };
    for (_, told) in history.counted() {
        match &told.entry.event {
            Event::Found(found) => std::iter::once(&found.founder).chain(&found.members).for_each(&mut add),
            Event::Admit(admission) => add(admission),
            _ => {}
        }
    }
    all
}

/// The one role to call somebody by who has several.
fn principal<'a>(roles: &(impl Iterator<Item = &'a Role> + Clone)) -> &'static str {
    let has = |is_it: fn(&Role) -> bool| roles.clone().any(is_it);
    if has(|role| *role == Role::Sealer) {
        "sealer"
    } else if has(|role| matches!(role, Role::Reader(_))) {
        "reader"
    } else if has(|role| *role == Role::Monitor) {
        "monitor"
    } else {
        "owner"
    }
}

/// A text in which parts stand for ids and names: every occurrence of the start of an id, and of a name that is no part
/// of a longer word. In scripts that set no spaces between words every occurrence is one. The text is gone through once, so
/// that nothing is taken for a name in what stands for another.
fn withheld(text: &str, ids: &[(String, String)], names: &[(String, String)]) -> String {
    let ids: Vec<(Vec<char>, &str)> = ids.iter().map(|(id, part)| (digits(id), part.as_str())).collect();
    let names: Vec<(Vec<char>, &str)> = names.iter().map(|(name, part)| (folded(name), part.as_str())).collect();
    let letters: Vec<char> = text.chars().collect();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        let rest = &letters[at..];
        let id = ids.iter().find_map(|(id, part)| Some((length_of_id(rest, id)?, *part)));
        let name = || {
            let at_edges = |length: usize| is_edge(&letters, at) && is_edge(&letters, at + length);
            names.iter().find_map(|(name, part)| {
                length_of(rest, name).filter(|length| at_edges(*length)).map(|length| (length, *part))
            })
        };
        if let Some((length, part)) = id.or_else(name) {
            result.push_str(part);
            at += length;
        } else {
            result.push(*letter);
            at += 1;
        }
    }
    result
}

/// How a name is compared: letters in one form and without case, and no matter what separates its words. A name that is
/// nothing but such separators is compared as it is.
fn folded(name: &str) -> Vec<char> {
    let fold = |is_kept: fn(&char) -> bool| name.chars().filter(is_kept).flat_map(folded_letter).collect();
    let letters: Vec<char> = fold(|letter| !separates(*letter));
    if letters.is_empty() { fold(|_| true) } else { letters }
}

fn folded_letter(letter: char) -> impl Iterator<Item = char> {
    std::iter::once(letter).nfkd().flat_map(char::to_lowercase)
}

/// What stands between the words of a name, in a sentence or in the name of a file, and between groups of digits.
fn separates(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '_' | '.')
}

/// An id without what stands between its groups.
fn digits(id: &str) -> Vec<char> {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// How many letters at the start of a text are the start of an id; none if they are too few.
fn length_of_id(letters: &[char], id: &[char]) -> Option<usize> {
    let (mut rest, mut length) = (id, 0);
    for (place, letter) in letters.iter().enumerate() {
        match rest.split_first() {
            Some((wanted, after)) if letter.eq_ignore_ascii_case(wanted) => (rest, length) = (after, place + 1),
            Some(_) if separates(*letter) && place > 0 => {}
            _ => break,
        }
    }
    (id.len() - rest.len() >= ID_DIGITS).then_some(length)
}

/// How many letters at the start of a text say the name.
fn length_of(letters: &[char], wanted: &[char]) -> Option<usize> {
    let mut rest = Some(wanted).filter(|wanted| !wanted.is_empty())?;
    for (length, letter) in letters.iter().enumerate() {
        if rest.is_empty() {
            return Some(length);
        }
        if separates(*letter) && length > 0 && rest.first() != Some(letter) {
            continue;
        }
        for lower in folded_letter(*letter) {
            rest = rest.strip_prefix(&[lower])?;
        }
    }
    rest.is_empty().then_some(letters.len())
}

/// Whether a word can begin or end between two letters.
fn is_edge(letters: &[char], at: usize) -> bool {
    // Beyond the alphabets: Chinese, Japanese, Korean and what else sets no spaces; Thai, Lao, Khmer and Burmese too.
    let spaceless = |c: char| {
        c >= '\u{2e80}' || matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
    };
    let joins = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() && !spaceless(*c));
    let before = at.checked_sub(1).and_then(|before| letters.get(before));
    !(joins(before) && joins(letters.get(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_wherever_they_stand_and_words_stay() {
        for (text, name, told) in [
            ("met Ann at noon", "Ann", "met reader 1 at noon"),
            ("planned by ANN.", "Ann", "planned by reader 1."),
            ("Ann", "Ann", "reader 1"),
            ("annex", "Ann", "annex"),
            ("the grey owl's bag", "Grey Owl", "the reader 1's bag"),
            ("青鷺が来た", "青鷺", "reader 1が来た"),
            ("ÇELİK", "Çelik", "ÇELİK"),
            ("ÑANDÚ vino", "Ñandú", "reader 1 vino"),
            ("", "Ann", ""),
            ("N\u{303}andu\u{301} vino", "Ñandú", "reader 1 vino"),
            ("in grey-owl.card, GREY\u{a0}OWL, Grey\nOwl", "Grey Owl", "in reader 1.card, reader 1, reader 1"),
            ("Ｇｒｅｙ Ｏｗｌ", "Grey Owl", "reader 1"),
            ("7 of 17", "7", "reader 1 of 17"),
            ("so -- she said", "--", "so reader 1 she said"),
        ] {
            assert_eq!(withheld(text, &[], &[(name.into(), "reader 1".into())]), told);
        }
    }

    #[test]
    fn nothing_is_a_name_in_what_stands_for_another() {
        let names = [("Grey Owl", "reader 1"), ("Reader", "sealer 1"), ("1", "monitor 1")];
        let names = names.map(|(name, part)| (name.to_string(), part.to_string()));
        assert_eq!(withheld("Grey Owl met a reader.", &[], &names), "reader 1 met a sealer 1.");
        let ids = [("9da12eca47d06523", "reader 1"), ("12345 67890 11111", "reader 1")];
        let ids = ids.map(|(id, part)| (id.to_string(), part.to_string()));
        for text in ["9da12eca", "9DA12ECA47D06523", "12345-67890-11111", "1234567890", "12345 678"] {
            assert_eq!(withheld(&format!("<{text}>"), &ids, &names), "<reader 1>", "{text}");
        }
        assert_eq!(withheld("12345 67 and 9da12ec", &ids, &names), "12345 67 and 9da12ec");
    }
}
