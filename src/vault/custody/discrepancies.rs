//! What of a verdict concerns an offer, and how it stands in an acknowledgement (FORMAT § 7.4). An acknowledgement is read by
//! every member, so nothing from inside an exhibit may get into it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::exhibits::{self, Exhibit};
use super::super::findings::{Check, Finding, Verdict};
use super::super::history::{History, Place};
use super::super::labels::{exhibit_label, label, reference_label};
use super::super::named::own_blobs;
use super::super::session::Session;
use super::offer::is_under;
use crate::crypto::hash::Hash;
use crate::format::event::{Discrepancy, Event, ExhibitRef, Offer, Seal};
use crate::format::inventory::Row;
use crate::format::names::printable_text;
use crate::store::layout;

/// Discrepancies that are listed one by one: an entry must stay a thing that people read.
pub(super) const LISTED_MAX: usize = 200;
/// The `check` of the last line where there were more.
pub(super) const MORE: &str = "more";
const SUBJECT_BYTES_MAX: usize = 512;
const MESSAGE_BYTES_MAX: usize = 1024;

/// The findings that concern what was offered, the gravest first; where nothing is named, all but those about what was sealed
/// since.
pub(super) fn of_offer(
    session: &Session,
    history: &History,
    offer: (Place, &Offer),
    found: &[Finding],
) -> Vec<Finding> {
    let (place, offer) = offer;
    let mut concerned = lacking(history, place, offer);
    if offer.exhibits.is_empty() {
        // Every inventory is opened for it: only where there is something to leave out.
        let since = if found.is_empty() { BTreeSet::new() } else { sealed_since(session, history, offer) };
        concerned.extend(found.iter().filter(|finding| !since.contains(&finding.subject)).cloned());
    } else {
        let mut about = About::default();
        about.logs.insert(layout::log(place.log).to_string());
        let mut sealings = BTreeMap::new();
        for reference in &offer.exhibits {
            match locate(session, history, reference, &mut sealings) {
                Ok(exhibit) => about.exhibit(history, &exhibit),
                Err(findings) => {
                    about.logs.insert(layout::log(reference.log).to_string());
                    concerned.extend(findings);
                }
            }
        }
        concerned.extend(found.iter().filter(|finding| about.covers(&finding.subject)).cloned());
    }
    let mut seen = BTreeSet::new();
    concerned.retain(|finding| seen.insert(finding.clone()));
    concerned.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    concerned
}

/// What findings can be about that was sealed after an offer of everything: nobody handed it over.
fn sealed_since(session: &Session, history: &History, offer: &Offer) -> BTreeSet<String> {
    let mut since = BTreeSet::new();
    for sealing in history.sealings().filter(|sealing| !is_under(&offer.heads, sealing.place)) {
        since.extend(own_blobs(&sealing).map(|blob| layout::blob(blob).to_string()));
        for (row, blobs) in exhibits::rows(session, &sealing).unwrap_or_default() {
            since.insert(label(history, &row));
            since.extend(blobs.into_iter().map(|blob| layout::blob(blob).to_string()));
        }
    }
    since
}

/// As they stand in the entry: bounded, without control characters, and without a word from inside an exhibit.
pub(super) fn written(found: &[Finding]) -> Vec<Discrepancy> {
    let mut written: Vec<Discrepancy> = found
        .iter()
        .take(LISTED_MAX)
        .map(|finding| Discrepancy {
            check: finding.check.name().into(),
            subject: bounded(&finding.subject, SUBJECT_BYTES_MAX),
            message: bounded(&finding.message_for_members(), MESSAGE_BYTES_MAX),
        })
        .collect();
    if let Some(more) = found.len().checked_sub(LISTED_MAX).filter(|more| *more > 0) {
        let message = format!("and {more} more, which verify lists");
        written.push(Discrepancy { check: MORE.into(), subject: String::new(), message });
    }
    written
}

/// States that were handed over and that this copy does not reach.
fn lacking(history: &History, place: Place, offer: &Offer) -> Vec<Finding> {
    let short = offer.heads.iter().filter_map(|head| {
        let here = history.logs.get(&head.log).map_or(0, |log| log.head.size);
        let subject = layout::log(head.log).to_string();
        let message = format!("the custody record was handed over with {} events; this copy has {here}", head.size);
        // The offer stands behind the state of its own log: of that one, this copy has enough.
        let finding = Finding { weight: Verdict::Incomplete, check: Check::Behind, subject, message };
        (here < head.size && head.log != place.log).then_some(finding)
    });
    short.collect()
}

/// Rows of the sealings that were looked at, each read once.
type Sealings = BTreeMap<Place, Result<Vec<(Row, Vec<Hash>)>, Finding>>;

/// The exhibit, or why it cannot be told which it is.
fn locate(
    session: &Session,
    history: &History,
    reference: &ExhibitRef,
    sealings: &mut Sealings,
) -> Result<Exhibit, Vec<Finding>> {
    let id = reference_label(history, reference);
    let holds = |seal: &Seal| seal.numbers().contains(&reference.number);
    let of_log = history.sealings().filter(|sealing| sealing.place.log == reference.log && holds(sealing.seal));
    let (mut unread, mut is_another) = (Vec::new(), false);
    for sealing in of_log {
        let rows = sealings.entry(sealing.place).or_insert_with(|| exhibits::rows(session, &sealing));
        let rows = match rows {
            Ok(rows) => rows,
            Err(finding) => {
                unread.push(finding.clone());
                continue;
            }
        };
        let index = usize::try_from(reference.number - sealing.seal.first).expect("a sealing is small");
        let Some((row, blobs)) = rows.get(index).filter(|(row, _)| row.leaf() == reference.row) else {
            is_another = true;
            continue;
        };
        let (row, blobs, index) = (*row, blobs.clone(), u32::try_from(index).expect("a sealing is small"));
        return Ok(Exhibit { id, row, blobs, place: sealing.place, index });
    }
    if !unread.is_empty() {
        return Err(unread);
    }
    let (weight, check, message) = if is_another {
        (Verdict::Invalid, Check::Reference, "another exhibit bears this number here")
    } else {
        (Verdict::Incomplete, Check::Behind, "it was offered, and the sealing that holds it is not in this copy")
    };
    Err(vec![Finding { weight, check, subject: id, message: message.into() }])
}

/// What findings can be about that concerns the exhibits of an offer.
#[derive(Default)]
struct About {
    subjects: BTreeSet<String>,
    logs: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl About {
    fn exhibit(&mut self, history: &History, exhibit: &Exhibit) {
        let handle = history.logs.get(&exhibit.row.log).map_or("", |log| log.handle.as_str());
        self.subjects.extend([exhibit.id.clone(), exhibit_label(handle, exhibit.row.number), "VAULT".into()]);
        self.subjects.extend(exhibit.blobs.iter().map(|blob| layout::blob(*blob).to_string()));
        if let Event::Seal(seal) = &history.told(exhibit.place).entry.event {
            let manifests = seal.manifests.iter().filter(|manifest| manifest.key == exhibit.row.key);
            let named = manifests.map(|manifest| manifest.blob).chain([seal.inventory]);
            self.subjects.extend(named.map(|blob| layout::blob(blob).to_string()));
        }
        self.logs.insert(layout::log(exhibit.row.log).to_string());
        self.keys.insert(format!("{}/{}", layout::keys(), exhibit.row.key));
    }

    fn covers(&self, subject: &str) -> bool {
        let below = |folders: &BTreeSet<String>, length: usize| {
            subject.get(..length).is_some_and(|folder| folders.contains(folder))
        };
        // `logs/` and 32 digits, `keys/` and 64.
        self.subjects.contains(subject) || below(&self.logs, 37) || below(&self.keys, 69)
    }
}

fn bounded(text: &str, bytes_max: usize) -> String {
    let harmless = printable_text(text);
    let end = harmless.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= bytes_max).last();
    harmless[..end.unwrap_or(0)].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(number: usize, weight: Verdict) -> Finding {
        Finding { weight, check: Check::Blob, subject: format!("blobs/{number}"), message: "gone".into() }
    }

    #[test]
    fn a_flood_of_findings_is_told_in_a_bounded_entry_and_its_number_is_not_lost() {
        let many: Vec<Finding> = (0..5000).map(|number| finding(number, Verdict::Incomplete)).collect();
        let listed = written(&many);
        assert_eq!(listed.len(), LISTED_MAX + 1);
        let last = listed.last().expect("a last line");
        assert_eq!((last.check.as_str(), last.message.as_str()), ("more", "and 4800 more, which verify lists"));
        assert_eq!(written(&many[..LISTED_MAX]).len(), LISTED_MAX);
    }

    #[test]
    fn what_stands_in_the_entry_is_short_and_harmless() {
        let long = Finding {
            weight: Verdict::Invalid,
            check: Check::Layout,
            subject: "a\u{1b}[2J\u{202e}".into(),
            message: "é".repeat(5000),
        };
        let listed = written(&[long]);
        assert!(listed[0].message.len() <= MESSAGE_BYTES_MAX && listed[0].message.ends_with('é'));
        assert!(!listed[0].subject.contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn nothing_from_inside_an_exhibit_is_written() {
        let message = "the payload has a member that may not stand there: witness Maria.txt".to_string();
        let inside = Finding { weight: Verdict::Invalid, check: Check::Payload, subject: "K7-0001".into(), message };
        assert!(!written(&[inside])[0].message.contains("Maria"));
    }
}
