//! `amparo member`: who works with a vault, one file a subcommand. Words that several of them need stand here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::Exit;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::{all_of, shown};
use crate::format::ids::MemberId;
use crate::format::role::{Role, Scope};
use crate::vault::members::{Awaited, Given, Renewed};

mod add;
mod adopt;
mod grant;
mod list;
mod remove;
mod rotate;

/// What to do about members.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Add(add::Args),
    List(list::Args),
    Grant(grant::Args),
    Remove(remove::Args),
    Adopt(adopt::Args),
    Rotate(rotate::Args),
}

pub(super) fn run(command: Command, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    match command {
        Command::Add(args) => add::run(&args, call),
        Command::List(args) => list::run(&args, call),
        Command::Grant(args) => grant::run(&args, call),
        Command::Remove(args) => remove::run(&args, call),
        Command::Adopt(args) => adopt::run(&args, call),
        Command::Rotate(args) => rotate::run(&args, call),
    }
}

pub(super) type Names = BTreeMap<MemberId, String>;

/// Their pseudonyms, in the order of the alphabet.
pub(super) fn named(names: &Names, members: &[MemberId]) -> Vec<String> {
    let name = |member: &MemberId| names.get(member).map_or_else(|| member.to_string(), |name| shown(name));
    let mut named: Vec<String> = members.iter().map(name).collect();
    named.sort_unstable();
    named
}

/// A role as people say it.
fn role(role: &Role) -> String {
    match role {
        Role::Reader(section) => format!("reader of {section}"),
        other => other.to_string(),
    }
}

fn roles(all: &[Role]) -> String {
    all_of(&all.iter().map(role).collect::<Vec<_>>())
}

/// A key as people say it.
pub(super) fn key(scope: &Scope, epoch: u32) -> String {
    let what = match scope {
        Scope::Custody => "the custody record".to_string(),
        Scope::Content(section) => format!("the section {section}"),
    };
    if epoch == 0 { format!("the key to {what}") } else { format!("epoch {epoch} of the key to {what}") }
}

/// Tells of new keys: for whom, and how many of these must come together.
fn tell_renewed(all: &[Renewed], names: &Names, call: &mut Call<'_, '_>) {
    for one in all {
        let (key, holders) = (key(&one.scope, one.epoch), all_of(&named(names, &one.holders)));
        call.say(&match one.needed {
            None => format!("New: {key}, for {holders}."),
            Some(needed) => format!(
                "New: {key}, in shares for {holders}: any {needed} of these {} together can open what is sealed to it.",
                one.holders.len()
            ),
        });
    }
}

/// Warns where fewer must come together than before, and where nobody can be spared.
fn warn_of_quorum(all: &[Renewed], call: &mut Call<'_, '_>) {
    for one in all {
        let (scope, holders) = (&one.scope, one.holders.len());
        match (one.needed_before, one.needed) {
            (Some(before), None) => call.warn(&format!(
                "{before} readers had to come together in the section {scope}, and one is left: that one opens alone what is sealed from now on"
            )),
            (Some(before), Some(needed)) if needed < before => call.warn(&format!(
                "{before} readers had to come together in the section {scope}; only {needed} are left, and from now on these {needed} are enough"
            )),
            _ => {}
        }
        if one.needed.is_some_and(|needed| usize::from(needed) == holders) {
            call.warn(&format!(
                "all {holders} readers left must come together to open what is sealed to the section {scope}: if one of these identities is lost, it is lost"
            ));
        }
    }
}

fn renewed_as_json(all: &[Renewed]) -> Vec<Value> {
    let one = |one: &Renewed| {
        let holders: Vec<String> = one.holders.iter().map(ToString::to_string).collect();
        json!({
            "scope": one.scope.to_string(), "epoch": one.epoch, "holders": holders, "needed": one.needed,
            "needed_before": one.needed_before,
        })
    };
    all.iter().map(one).collect()
}

/// Tells which keys were handed to whom.
pub(super) fn tell_given(given: &[Given], names: &Names, call: &mut Call<'_, '_>) {
    for one in given {
        let to = all_of(&named(names, &one.members));
        call.say(&format!("Handed {} to {to}.", key(&one.scope, one.epoch)));
    }
}

/// Tells who awaits which key from whom.
pub(super) fn tell_awaited(awaited: &[Awaited], names: &Names, call: &mut Call<'_, '_>) {
    let mut grouped: Vec<(&Awaited, Vec<MemberId>)> = Vec::new();
    for one in awaited {
        match grouped.iter_mut().find(|(first, _)| first.key == one.key) {
            Some((_, members)) => members.push(one.member),
            None => grouped.push((one, vec![one.member])),
        }
    }
    for (one, members) in grouped {
        let (who, key) = (all_of(&named(names, &members)), key(&one.scope, one.epoch));
        let verb = if members.len() == 1 { "awaits" } else { "await" };
        call.say(&match (one.split, one.from.as_slice()) {
            (true, _) if one.newest => {
                format!("{who} still {verb} {key}. It exists in shares alone: only a new key, made by an owner with amparo member rotate, can be shared with more people.")
            }
            (true, _) => format!("{who} will not have a share of {key}: what was sealed to it opens with those who hold one."),
            (false, []) => format!("{who} still {verb} {key}. Nobody who holds it is left to hand it on."),
            (false, from) => {
                let from = named(names, from).join(" or ");
                format!("{who} still {verb} {key}, from {from}: by amparo member grant on that device.")
            }
        });
    }
}

pub(super) fn given_as_json(given: &[Given]) -> Vec<Value> {
    let one = |given: &Given| {
        json!({
            "key": given.key.to_string(), "scope": given.scope.to_string(), "epoch": given.epoch,
            "members": given.members.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    given.iter().map(one).collect()
}

pub(super) fn awaited_as_json(awaited: &[Awaited], names: &Names) -> Vec<Value> {
    awaited.iter().map(|one| awaited_by_one(one, names, true)).collect()
}

fn awaited_by_one(one: &Awaited, names: &Names, with_member: bool) -> Value {
    let from: Vec<String> =
        one.from.iter().map(|member| names.get(member).cloned().unwrap_or_else(|| member.to_string())).collect();
    let mut object = json!({
        "key": one.key.to_string(), "scope": one.scope.to_string(), "epoch": one.epoch, "from": from, "split": one.split,
        "newest": one.newest,
    });
    if let (Value::Object(map), true) = (&mut object, with_member) {
        map.insert("member".into(), one.member.to_string().into());
    }
    object
}
