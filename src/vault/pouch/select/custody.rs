//! What goes beside sealed files: what logs hold, and wrapped keys.

use std::collections::BTreeSet;

use crate::crypto::hash::Hash;
use crate::format::ids::{LogId, MemberId};
use crate::store::{RelPath, layout};
use crate::vault::VaultError;
use crate::vault::cosign::check::Judge;
use crate::vault::custody::handovers::seen_by;
use crate::vault::findings::{Check, Verdict};
use crate::vault::history::Sizes;
use crate::vault::merge::wanted::Wanted;
use crate::vault::named;
use crate::vault::pouch::archive::Archive;
use crate::vault::session::{Session, log_concerned};
use crate::vault::survey::Survey;

/// Everything of a vault but its sealed files: what logs hold, and wrapped keys.
pub(in crate::vault::pouch) fn custody(session: &Session) -> Result<Wanted, VaultError> {
    let (nothing, none) = (Archive::empty(), Survey::default());
    Wanted::find_custody(session, (&nothing, &none), (&*session.folder, &session.survey))
}

/// Where something of it may lie that could not be read, or listed: what that is nobody can say, and it does not go. `wanted` is
/// all of it.
pub(in crate::vault::pouch) fn unread(session: &Session, wanted: &Wanted) -> Result<BTreeSet<RelPath>, VaultError> {
    let history = session.history()?;
    let entries = session.of_logs().filter(|found| found.check == Check::Entry && found.weight < Verdict::Invalid);
    // What is readable, and to nobody here, is nobody's who is known, if its log is not.
    let unopened = entries.filter_map(log_concerned).filter(|log| history.logs.contains_key(log));
    let logs = unopened.chain(history.unread.iter().copied()).map(layout::log);
    let (judge, goes) = (Judge::new(history), wanted.cosignatures.iter().copied().collect::<BTreeSet<_>>());
    let of_logs = session.survey.logs.iter().filter(|(log, _)| history.logs.contains_key(log));
    let cosignatures = of_logs.flat_map(|(log, files)| files.cosignatures.iter().map(|file| (*log, *file)));
    let stays = |(log, file): &(LogId, Hash)| !goes.contains(&(*log, *file)) && !judge.refuses(session, *log, *file);
    let cosignatures = cosignatures.filter(stays).map(|(log, file)| layout::cosignature(log, file));
    Ok(wanted.unsigned().chain(session.survey.unlisted.iter().cloned()).chain(logs).chain(cosignatures).collect())
}

/// Keeps of it what the receivers are not known to have.
pub(in crate::vault::pouch) fn news(wanted: &mut Wanted, session: &Session, to: &[MemberId]) -> Result<(), VaultError> {
    let history = session.history()?;
    let pasts: Vec<Sizes> = to.iter().map(|member| seen_by(history, *member)).collect();
    let known = |log: &LogId| pasts.iter().map(|past| past.get(log).copied().unwrap_or(0)).min().unwrap_or(0);
    wanted.entries.retain(|(log, name)| name.seq >= known(log));
    wanted.states.retain(|(log, name)| name.size > known(log));
    let fresh =
        history.logs.values().flat_map(|log| log.entries.iter().skip(usize::try_from(known(&log.id)).unwrap_or(0)));
    let keys: BTreeSet<_> = fresh.flat_map(|told| named::key_files(told.entry.log, &told.entry.event)).collect();
    wanted.keys.retain(|key| keys.contains(key));
    // A cosignature of a state that she may have seen last is news, too.
    let judge = Judge::new(history);
    wanted
        .cosignatures
        .retain(|(log, file)| judge.head_of(session, *log, *file).is_none_or(|head| head.size >= known(&head.log)));
    Ok(())
}

/// The paths of all these files, in the order in which a pouch holds them.
pub(in crate::vault::pouch) fn paths(wanted: &Wanted) -> Vec<RelPath> {
    let keys = wanted.keys.iter().map(|(key, file)| layout::wrapped_key(*key, *file));
    let entries = wanted.entries.iter().map(|(log, name)| layout::entry(*log, name));
    let states = wanted.states.iter().map(|(log, name)| layout::checkpoint(*log, name));
    let cosignatures = wanted.cosignatures.iter().map(|(log, file)| layout::cosignature(*log, *file));
    std::iter::once(layout::vault_file()).chain(keys).chain(entries).chain(states).chain(cosignatures).collect()
}
