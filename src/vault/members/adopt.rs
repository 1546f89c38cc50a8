//! Adopting: an owner lets entries count that came too late, or confirms what a sealer said without an owner.

use super::require_owner;
use crate::format::event::{EntryRef, Event};
use crate::vault::commit;
use crate::vault::history::{History, Place, Standing, Told};
use crate::vault::labels::{entry_label, find_entry};
use crate::vault::session::{Request, Session};
use crate::vault::{Setting, VaultError};

/// What shall count.
pub struct AdoptRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// Entries, as a person calls them.
    pub entries: &'a [String],
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Adopted {
    /// What counts now and did not before.
    pub adopted: Vec<String>,
    /// What is adopted and still does not count, for another reason.
    pub refused: Vec<(String, String)>,
    /// What counted before.
    pub already: Vec<String>,
}

/// Lets entries count.
pub fn adopt(setting: &mut Setting<'_>, request: &AdoptRequest<'_>) -> Result<Adopted, VaultError> {
    let person = request.place.person()?;
    let session = Session::open_to_write(setting, &request.place)?;
    let history = session.sound_history()?;
    require_owner(&session, person.member(), "adopt entries")?;
    let mut adopted = Adopted::default();
    let mut places: Vec<Place> = Vec::new();
    for typed in request.entries {
        let place = find_entry(history, typed)?;
        let told = history.told(place);
        let entry = || entry_label(history, place);
        match &told.standing {
            Standing::Late => {
                let rank = |member| history.ranks.get(&member).copied().unwrap_or(usize::MAX);
                if rank(history.logs[&place.log].member) <= history.reach(person.member()) {
                    let why = "what an owner said is adopted only by one nearer the founder";
                    return Err(VaultError::NotAdoptable { entry: entry(), why: why.into() });
                }
            }
            Standing::Counted if is_unconfirmed(history, place, told) => {}
            Standing::Counted => {
                adopted.already.push(entry());
                continue;
            }
            Standing::Refused(why) => {
                return Err(VaultError::NotAdoptable { entry: entry(), why: why.clone() });
            }
        }
        if !places.contains(&place) {
            places.push(place);
        }
    }
    if places.is_empty() {
        return Ok(adopted);
    }
    let reference = |place: &Place| EntryRef { log: place.log, seq: place.seq, leaf: history.told(*place).leaf };
    let labels: Vec<String> = places.iter().map(|place| entry_label(history, *place)).collect();
    let event = Event::Adopt { entries: places.iter().map(reference).collect() };
    commit::say(setting, &session, person, event)?;
    drop(session);
    let session = Session::open(setting, &request.place)?;
    let history = session.history()?;
    for (place, label) in places.into_iter().zip(labels) {
        match history.find(place).map(|told| &told.standing) {
            Some(Standing::Counted | Standing::Late) => adopted.adopted.push(label),
            Some(Standing::Refused(why)) => adopted.refused.push((label, why.clone())),
            // The disk failed since: what was adopted stands, and nobody can see it now.
            None => adopted.refused.push((label, "it cannot be read any more".into())),
        }
    }
    Ok(adopted)
}

/// An admission by a sealer that no owner has agreed to.
fn is_unconfirmed(history: &History, place: Place, told: &Told) -> bool {
    let grants = history.members.values().flat_map(|member| &member.grants);
    matches!(told.entry.event, Event::Admit(_)) && grants.into_iter().any(|grant| grant.at == place && !grant.confirmed)
}
