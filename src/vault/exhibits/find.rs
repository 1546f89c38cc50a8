//! Which exhibit a person means.

use std::collections::BTreeSet;

use super::{Exhibit, rows_of};
use crate::vault::VaultError;
use crate::vault::findings::Finding;
use crate::vault::history::{History, Place, Sealing, Standing};
use crate::vault::labels::{exhibit_label, label};
use crate::vault::session::Session;

/// Finds an exhibit by what a person typed: `K7-0012`, or `K7-0012~3f2a` where that is not enough.
pub fn find(session: &Session, typed: &str) -> Result<Exhibit, VaultError> {
    find_among(session, typed, session.history()?.sealings())
}

/// Finds several, each once, and checks each before the next. In the order of their labels: lists of a sealing, which
/// [`super::Lately`] keeps, are then read once for all of its exhibits. Of logs that share a handle they are read for each.
pub(in crate::vault) fn find_all(
    session: &Session,
    typed: &[String],
    check: impl Fn(&Exhibit) -> Result<(), VaultError>,
) -> Result<Vec<Exhibit>, VaultError> {
    let mut ordered: Vec<&String> = typed.iter().collect();
    ordered.sort_by_cached_key(|typed| parts(typed));
    let (mut found, mut met) = (Vec::new(), BTreeSet::new());
    for typed in ordered {
        let exhibit = find(session, typed)?;
        check(&exhibit)?;
        if met.insert(exhibit.reference()) {
            found.push(exhibit);
        }
    }
    Ok(found)
}

/// An exhibit that somebody asks about. Where it was sealed is known, though the list that holds its row may not be here.
#[derive(Clone, Debug)]
pub struct Sought {
    /// How people call it.
    pub id: String,
    /// Where it was sealed.
    pub place: Place,
    /// Its number in that log.
    pub number: u64,
    /// The exhibit, or why its row cannot be read.
    pub read: Result<Exhibit, Finding>,
}

impl From<Exhibit> for Sought {
    fn from(exhibit: Exhibit) -> Self {
        Self { id: exhibit.id.clone(), place: exhibit.place, number: exhibit.row.number, read: Ok(exhibit) }
    }
}

/// As [`find`], to tell of it: where none counts that is called so, one that is here and does not count; and where its row cannot
/// be read, what the entry of its sealing says.
pub(in crate::vault) fn find_to_tell(session: &Session, typed: &str) -> Result<Sought, VaultError> {
    let history = session.history()?;
    let missing = match find(session, typed) {
        Err(error @ (VaultError::NoExhibit { .. } | VaultError::NoExhibitSince { .. })) => error,
        Err(VaultError::Unsound(finding)) => return unread(history, typed, finding),
        found => return Ok(found?.into()),
    };
    let uncounted = history.order.iter().map(|place| (*place, history.told(*place)));
    let uncounted = uncounted.filter(|(_, told)| told.standing != Standing::Counted);
    let sealings = uncounted.filter_map(|(place, told)| history.sealing(place, told));
    match find_among(session, typed, sealings) {
        Err(VaultError::NoExhibit { .. } | VaultError::NoExhibitSince { .. }) => Err(missing),
        found => Ok(found?.into()),
    }
}

/// An exhibit whose row cannot be read, where no other sealing has one that is called so. Whoever
/// named its hash too asks for that one alone.
fn unread(history: &History, typed: &str, finding: Finding) -> Result<Sought, VaultError> {
    let Some((handle, number, "")) = parts(typed) else { return Err(finding.into()) };
    let mut sealings = history.sealings().filter(|sealing| holds(sealing, &handle, number));
    match (sealings.next(), sealings.next()) {
        (Some(Sealing { place, .. }), None) => {
            Ok(Sought { id: exhibit_label(&handle, number), place, number, read: Err(finding) })
        }
        _ => Err(finding.into()),
    }
}

fn find_among<'a>(
    session: &Session,
    typed: &str,
    sealings: impl Iterator<Item = Sealing<'a>>,
) -> Result<Exhibit, VaultError> {
    let none = || match removed(session) {
        Some(name) => VaultError::NoExhibitSince { id: typed.into(), name },
        None => VaultError::NoExhibit { id: typed.into() },
    };
    let (handle, number, piece) = parts(typed).ok_or_else(none)?;
    let history = session.history()?;
    let (mut found, mut unread) = (Vec::new(), None);
    for sealing in sealings.filter(|sealing| holds(sealing, &handle, number)) {
        let index = u32::try_from(number - sealing.seal.first).expect("below the count");
        let (row, blobs) = match rows_of(session, &sealing) {
            Ok(rows) => rows[index as usize].clone(),
            // Whoever names its hash too means one that may lie elsewhere.
            Err(finding) if !piece.is_empty() => {
                unread = Some(finding);
                continue;
            }
            Err(finding) => return Err(finding.into()),
        };
        let id = label(history, &row);
        found.push(Exhibit { id, row, blobs, place: sealing.place, index });
    }
    found.retain(|exhibit| exhibit.row.leaf().to_string().starts_with(piece));
    match found.len() {
        0 => Err(unread.map_or_else(none, VaultError::from)),
        1 => Ok(found.remove(0)),
        _ => Err(VaultError::AmbiguousExhibit {
            id: typed.into(),
            choices: found.into_iter().map(|exhibit| exhibit.id).collect(),
        }),
    }
}

fn holds(sealing: &Sealing<'_>, handle: &str, number: u64) -> bool {
    sealing.handle == handle && sealing.seal.numbers().contains(&number)
}

/// The label of whatever a person calls so; without what tells two logs of one handle apart.
pub(in crate::vault) fn label_of(typed: &str) -> Option<String> {
    parts(typed).map(|(handle, number, _)| exhibit_label(&handle, number))
}

/// Handle, number and piece of a row's hash, as a person types them.
fn parts(typed: &str) -> Option<(String, u64, &str)> {
    let (bare, piece) = typed.split_once('~').unwrap_or((typed, ""));
    let (handle, number) = bare.rsplit_once('-')?;
    Some((handle.to_ascii_uppercase(), number.parse().ok()?, piece))
}

/// The name of whoever asks, where she was removed: what was sealed since she cannot see, and whether there is anything
/// she cannot be told.
fn removed(session: &Session) -> Option<String> {
    let history = session.history.as_ref()?;
    let member = history.members.get(&session.member?)?;
    member.removed.is_some().then(|| member.card.name().to_string())
}
