//! The custody story in words: what each entry says, in pieces that a screen and a report show each in its own way. What
//! somebody else wrote, and who is meant, is kept apart from our own words until then.

use crate::cli::output::count;
use crate::format::card::Card;
use crate::format::event::{Admission, EntryRef, Event, Head, NewKey, RemoveReason};
use crate::format::ids::MemberId;
use crate::vault::custody::contradictions::OtherHistory;
use crate::vault::custody::handovers::NoAnswer;
use crate::vault::custody::story::Line;
use crate::vault::history::{History, Place, Standing};
use crate::vault::labels;

/// Exhibits that a line names one by one.
const NAMED_MAX: usize = 12;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Our own words, labels and numbers.
    Ours(String),
    /// A member, by whatever name is to be shown.
    Member(MemberId),
    /// Somebody else's words.
    Theirs(String),
    /// The name of somebody who need not be a member, as somebody wrote it.
    Outsider(String),
}

/// One thing that an entry says.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    /// What it is about.
    pub(crate) label: &'static str,
    /// What is said.
    pub(crate) pieces: Vec<Piece>,
}

/// Whether it was written down later than it happened.
pub(crate) fn is_reconstructed(line: &Line<'_>) -> bool {
    matches!(line.told.entry.event, Event::Note { reconstructed: true, .. })
}

/// The event in few words, with whatever lessens it.
pub(crate) fn what(line: &Line<'_>) -> String {
    let event = &line.told.entry.event;
    let mut words = match (event, line.status) {
        (event, Some(status)) => format!("{}: {}", event.name(), status.word()),
        (Event::Acknowledge(said), _) if !said.discrepancies.is_empty() => "acknowledge, with discrepancies".into(),
        (Event::Verify { verdict, .. }, _) => format!("verify: {}", verdict.to_uppercase()),
        _ => event.name().to_string(),
    };
    let standing = match line.told.standing {
        Standing::Counted => None,
        Standing::Late => Some("LATE"),
        Standing::Refused(_) => Some("REFUSED"),
    };
    let marks = [
        standing,
        line.unconfirmed.then_some("UNCONFIRMED"),
        is_reconstructed(line).then_some("RECONSTRUCTED"),
        line.no_answer.filter(|_| standing.is_none()).map(|_| "NO ANSWER"),
    ];
    for mark in marks.into_iter().flatten() {
        words.push_str(&format!(", {mark}"));
    }
    words
}

/// All that an entry says beyond who, when and what kind.
pub(crate) fn details(line: &Line<'_>, history: &History) -> Vec<Detail> {
    let mut said = Said::default();
    let about = |said: &mut Said| said.ours("exhibits", named(&line.exhibits));
    let event = &line.told.entry.event;
    match event {
        Event::Found(_)
        | Event::Admit(_)
        | Event::Remove(_)
        | Event::Adopt { .. }
        | Event::Rotate { .. }
        | Event::Share { .. } => said.of_members(event, history),
        Event::Offer(_) | Event::Acknowledge(_) | Event::Decline { .. } => said.of_handovers(line),
        Event::Seal(seal) => {
            about(&mut said);
            said.ours("read back", if seal.readback { "yes, before it was signed" } else { "no" }.into());
        }
        Event::Amend { .. } => about(&mut said),
        Event::Withdraw { scope, .. } => {
            about(&mut said);
            said.ours("consent", format!("WITHDRAWN ({scope})"));
        }
        Event::Open { reason, .. } => {
            about(&mut said);
            said.theirs("reason", reason);
        }
        Event::Verify { level, heads, .. } => {
            said.ours("checked", format!("level {level}"));
            said.ours("up to", states(history, heads));
        }
        Event::Disclose { to, reason, .. } => {
            about(&mut said);
            said.outsider("to", to);
            said.theirs("reason", reason);
        }
        Event::Stamp { kind, .. } => said.ours("time stamp", format!("{kind}; not proven: it was not checked")),
        Event::Anchor { kind, value, published } => {
            said.theirs("kind", kind);
            said.theirs("value", value);
            said.theirs("published", published);
            said.ours("not before", "not proven: it was not checked".into());
        }
        Event::Pack { to, exhibits, pouch, bytes, .. } => {
            said.members("to", to.iter().copied());
            match exhibits.as_deref() {
                None => said.ours("exhibits", "all that was sealed by then".into()),
                Some([]) => said.ours("exhibits", "none".into()),
                Some(_) => about(&mut said),
            }
            said.ours("bytes", bytes.to_string());
            said.ours("SHA-256", pouch.to_string());
        }
        Event::Note { text, .. } => {
            about(&mut said);
            said.theirs("text", text);
        }
        Event::Gap { text, from, to, .. } => {
            about(&mut said);
            said.theirs("from (as told)", from);
            said.theirs("to (as told)", to);
            said.theirs("text", text);
        }
        Event::Dispose { blobs, reason, authority } => {
            said.ours("sealed files", blobs.len().to_string());
            said.theirs("reason", reason);
            said.theirs("authority", authority);
        }
        Event::Close { reason } => said.theirs("reason", reason),
    }
    said.standing(line);
    said.ours("adopted in", line.adopted.join(", "));
    said.0
}

/// The details so far; what is empty is left out.
#[derive(Default)]
struct Said(Vec<Detail>);

impl Said {
    fn add(&mut self, label: &'static str, pieces: impl IntoIterator<Item = Piece>) {
        self.0.push(Detail { label, pieces: pieces.into_iter().collect() });
    }

    fn ours(&mut self, label: &'static str, text: String) {
        if !text.is_empty() {
            self.add(label, [Piece::Ours(text)]);
        }
    }

    fn theirs(&mut self, label: &'static str, text: &str) {
        if !text.is_empty() {
            self.add(label, [Piece::Theirs(text.into())]);
        }
    }

    fn outsider(&mut self, label: &'static str, name: &str) {
        if !name.is_empty() {
            self.add(label, [Piece::Outsider(name.into())]);
        }
    }

    fn members(&mut self, label: &'static str, members: impl IntoIterator<Item = MemberId>) {
        let mut pieces = Vec::new();
        for member in members {
            if !pieces.is_empty() {
                pieces.push(Piece::Ours(", ".into()));
            }
            pieces.push(Piece::Member(member));
        }
        if !pieces.is_empty() {
            self.add(label, pieces);
        }
    }

    /// What an entry says of members and their keys.
    fn of_members(&mut self, event: &Event, history: &History) {
        match event {
            Event::Found(found) => {
                let all = std::iter::once(&found.founder).chain(&found.members);
                all.for_each(|admission| self.admission("member", admission));
            }
            Event::Admit(admission) => self.admission("member", admission),
            Event::Remove(removal) => {
                let reason = if removal.reason == RemoveReason::Left { "left" } else { "seized" };
                self.add("member", [Piece::Member(removal.member), Piece::Ours(format!(", {reason}"))]);
                self.ours("counts up to", states(history, &removal.cuts));
            }
            Event::Adopt { entries } => {
                let label = |entry: &EntryRef| match history.leaf_at(entry) {
                    Some(leaf) if leaf == entry.leaf => {
                        labels::entry_label(history, Place { log: entry.log, seq: entry.seq })
                    }
                    _ => "one that is not in this copy".into(),
                };
                self.ours("entries", named(&entries.iter().map(label).collect::<Vec<_>>()));
            }
            Event::Rotate { keys } => keys.iter().for_each(|key| self.key(key)),
            Event::Share { key, wraps, .. } => {
                let scope = history.keys.get(key).map_or_else(|| "?".into(), |key| key.scope.to_string());
                self.members("made out to", wraps.iter().map(|wrap| wrap.member));
                self.ours("key", scope);
            }
            _ => {}
        }
    }

    /// What an entry says of a handover.
    fn of_handovers(&mut self, line: &Line<'_>) {
        match &line.told.entry.event {
            Event::Offer(offer) => {
                self.members("to", [offer.to]);
                if offer.exhibits.is_empty() {
                    self.ours("exhibits", "everything that was sealed by then".into());
                } else {
                    self.ours("exhibits", named(&line.exhibits));
                }
                self.theirs("medium", &offer.medium);
                self.theirs("seal number", &offer.seal_number);
                self.theirs("condition", &offer.condition);
                self.outsider("carrier", &offer.carrier);
                self.theirs("place", &offer.place);
                self.theirs("purpose", &offer.purpose);
                self.theirs("authority", &offer.authority);
                self.ours("answered in", line.answers.join(", "));
            }
            Event::Acknowledge(acknowledge) => {
                self.answer(line);
                self.ours("checked", format!("level {}", acknowledge.level));
                for one in &acknowledge.discrepancies {
                    let subject = if one.subject.is_empty() { String::new() } else { format!("{}: ", one.subject) };
                    let text = format!("{subject}{}", one.message);
                    self.add("discrepancy", [Piece::Ours(format!("({}) ", word(&one.check))), Piece::Theirs(text)]);
                }
            }
            Event::Decline { reason, .. } => {
                self.answer(line);
                self.theirs("reason", reason);
            }
            _ => {}
        }
    }

    fn admission(&mut self, label: &'static str, admission: &Admission) {
        let roles: Vec<String> = admission.roles.iter().map(ToString::to_string).collect();
        let who = match Card::parse(admission.card.as_bytes()) {
            Ok(card) => Piece::Member(card.member()),
            Err(_) => Piece::Ours("a card that does not hold".into()),
        };
        self.add(label, [who, Piece::Ours(format!(" ({})", roles.join(", ")))]);
    }

    fn key(&mut self, key: &NewKey) {
        self.ours("new key", format!("{}, epoch {}", key.scope, key.epoch));
        self.members("made out to", key.wraps.iter().map(|wrap| wrap.member));
    }

    /// Which offer an answer is about, and why it is none if so.
    fn answer(&mut self, line: &Line<'_>) {
        self.ours("offer", line.offer.clone().unwrap_or_else(|| "not in this copy".into()));
        let why = match line.no_answer {
            None | Some(NoAnswer::NotCounted) => return,
            Some(NoAnswer::NotHere) => "the offer that it names is not in this copy",
            Some(NoAnswer::NoOffer) => "what it names is no offer that counts",
            Some(NoAnswer::NotToThem) => "the offer was made to somebody else",
        };
        self.ours("answers nothing", why.into());
    }

    fn standing(&mut self, line: &Line<'_>) {
        match &line.told.standing {
            Standing::Counted => {}
            Standing::Late => self.ours(
                "late",
                "behind the state up to which this removed member's record counts; kept, and not counted".into(),
            ),
            Standing::Refused(reason) => self.ours("refused", format!("{reason}; not counted")),
        }
        if line.unconfirmed {
            self.ours("unconfirmed", "a sealer admitted this member, and no owner has agreed yet".into());
        }
        if is_reconstructed(line) {
            self.ours("reconstructed", "written down later than it happened".into());
        }
    }
}

/// Of an exhibit that was not whole when it came, where its giver had not said that she had it whole.
pub(crate) const NOT_SAID_WHOLE: &str =
    "it was not whole when it was checked on arrival, and nothing shows when it was whole last";

/// The same where she had, there.
pub(crate) fn between(history: &History, whole: Place) -> &'static str {
    match history.told(whole).entry.event {
        Event::Seal(_) => "between its sealing and this acknowledgement it stopped being whole",
        _ => "between these two acknowledgements it stopped being whole",
    }
}

/// Another history of a record, in words; whose it is stands before.
pub(crate) fn beside(other: &OtherHistory) -> String {
    let (Some(parted), Some(events)) = (other.parted, other.events()) else {
        let size = count(other.head.size, "event");
        return format!(
            "another state of {size} is signed, and its events are not here: nobody can tell what stands in it"
        );
    };
    let sealed = match other.exhibits.as_slice() {
        [] => "no exhibit is sealed in them".into(),
        exhibits => format!("sealed only there: {}", named(exhibits)),
    };
    let common = count(parted, "event");
    format!(
        "parted after {common}; the other history goes on with {}, not told in this story; {sealed}",
        count(events, "event")
    )
}

/// Labels, the first of many.
fn named(exhibits: &[String]) -> String {
    match exhibits {
        [first, .., last] if exhibits.len() > NAMED_MAX => format!("{first} … {last} ({} in all)", exhibits.len()),
        _ => exhibits.join(", "),
    }
}

/// `K7 up to event 12, H2 up to event 3`.
fn states(history: &History, heads: &[Head]) -> String {
    let words = heads.iter().map(|head| {
        let handle = history.logs.get(&head.log).map_or_else(|| "?".into(), |log| log.handle.clone());
        match head.size.checked_sub(1) {
            Some(last) => format!("{handle}:{last}"),
            None => format!("nothing of {handle}"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// A check's name, if it is made of letters: it came from somebody else's entry.
fn word(check: &str) -> &str {
    if !check.is_empty() && check.bytes().all(|byte| byte.is_ascii_lowercase()) { check } else { "?" }
}
