//! How people are called in a report: by what they do, or by pseudonym and digits. In a report by roles nobody's pseudonym,
//! member id or digits stands, neither in our sentences nor in what was quoted.

use std::collections::BTreeMap;

use super::markdown::quoted;
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

    /// A sentence of the program's, with nobody's name in it where that is asked for.
    pub(super) fn plain(&self, text: &str) -> String {
        if self.names == Names::Full { text.into() } else { self.without_names(text) }
    }

    fn parts_of(&self, name: &str) -> Option<&str> {
        let same = |known: &str| known.to_lowercase() == name.trim().to_lowercase();
        self.pseudonyms.iter().find(|(known, _)| same(known)).map(|(_, part)| part.as_str())
    }

    fn without_names(&self, text: &str) -> String {
        let mut text = text.to_string();
        for (name, part) in &self.pseudonyms {
            text = replaced(&text, name, part);
        }
        for (id, part) in &self.ids {
            let start = id.get(..ID_DIGITS).unwrap_or(id);
            while let Some(at) = text.find(start) {
                let same = text[at..].bytes().zip(id.bytes()).take_while(|(one, other)| one == other).count();
                text.replace_range(at..at + same, part);
            }
        }
        text
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

/// Every occurrence of a name, in any case, that is no part of a longer word. In scripts that set no spaces between words
/// every occurrence is one.
fn replaced(text: &str, name: &str, part: &str) -> String {
    let wanted: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let letters: Vec<char> = text.chars().collect();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        match length_of(&letters[at..], &wanted) {
            Some(length) if is_edge(&letters, at) && is_edge(&letters, at + length) => {
                result.push_str(part);
                at += length;
            }
            _ => {
                result.push(*letter);
                at += 1;
            }
        }
    }
    result
}

/// How many letters at the start of a text say the name.
fn length_of(letters: &[char], wanted: &[char]) -> Option<usize> {
    let mut rest = wanted;
    for (length, letter) in letters.iter().enumerate() {
        if rest.is_empty() {
            return Some(length);
        }
        for lower in letter.to_lowercase() {
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
        ] {
            assert_eq!(replaced(text, name, "reader 1"), told);
        }
    }
}
