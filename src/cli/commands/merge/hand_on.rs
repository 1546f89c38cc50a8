//! Keys that others await and that this person holds: after a merge she is asked once, or says so beforehand.

use crate::cli::call::Call;
use crate::cli::commands::member::{key, named, tell_given};
use crate::cli::error::CliError;
use crate::cli::folders::Place;
use crate::cli::output::all_of;
use crate::format::ids::MemberId;
use crate::vault::members::{self, Awaited, Granted};
use crate::vault::merge::Merged;
use crate::vault::session::Person;

/// Hands them on, if she agrees; else only says who awaits what. `None`: nothing was handed on.
pub(in crate::cli::commands) fn hand_on(
    agreed: bool,
    merged: &Merged,
    place: &Place,
    person: &Person,
    call: &mut Call<'_, '_>,
) -> Result<Option<Granted>, CliError> {
    if merged.grantable.is_empty() {
        return Ok(None);
    }
    if !agreed && !agrees(merged, call)? {
        call.suggest("amparo member grant");
        return Ok(None);
    }
    let granted = members::grant_here(&mut call.parts().setting(), &place.request(Some(person)))?;
    tell_given(&granted.given, &granted.names, call);
    Ok(Some(granted))
}

fn agrees(merged: &Merged, call: &mut Call<'_, '_>) -> Result<bool, CliError> {
    let lines = waiting(merged);
    if !call.interactive() {
        for line in &lines {
            call.say(line);
        }
        return Ok(false);
    }
    for line in &lines {
        call.talk(line);
    }
    let answer = call.ask_line("Hand over these keys? Type yes, or press Enter to leave it:")?;
    Ok(answer.is_some_and(|answer| answer.eq_ignore_ascii_case("yes")))
}

fn waiting(merged: &Merged) -> Vec<String> {
    let mut grouped: Vec<(&Awaited, Vec<MemberId>)> = Vec::new();
    for one in &merged.grantable {
        match grouped.iter_mut().find(|(first, _)| first.key == one.key) {
            Some((_, members)) => members.push(one.member),
            None => grouped.push((one, vec![one.member])),
        }
    }
    let line = |(one, members): (&Awaited, Vec<MemberId>)| {
        let verb = if members.len() == 1 { "awaits" } else { "await" };
        let who = all_of(&named(&merged.names, &members));
        format!("{who} {verb} {}, which you hold.", key(&one.scope, one.epoch))
    };
    grouped.into_iter().map(line).collect()
}
