//! Cosignatures that came as a text.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::Contact;
use crate::cli::output::{count, shown};
use crate::cli::{DONE, Exit};
use crate::format::cosignatures;
use crate::vault::cosign::Worth;
use crate::vault::cosign::take::{Taken, TakenOne, take};
use crate::vault::findings::Verdict;

/// Takes them into the vault here and tells what became of each.
pub(super) fn take_in(path: &Path, text: &[u8], vault: PathBuf, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let notes =
        cosignatures::parse(text).map_err(|error| CliError::Cosignatures { file: path.to_path_buf(), error })?;
    let place = call.place_at(vault, Contact::Must)?;
    let person = call.person()?;
    let taken = take(&mut call.parts().setting(), &place.request(Some(&person)), &notes)?;
    warn(&taken, call);
    if call.global.json {
        call.print_json(described(&taken))?;
    } else {
        tell(&taken, call)?;
    }
    Ok(exit(&taken))
}

/// Contradicting histories and what does not hold are INVALID, what could not be used is INCOMPLETE.
fn exit(taken: &Taken) -> Exit {
    let shows_fork = all(taken).any(|one| one.worth == Worth::Fork);
    let refused = taken.refused.iter().map(|one| one.weight).max();
    match (shows_fork, refused) {
        (true, _) => by_weight(Verdict::Invalid),
        (false, Some(weight)) => by_weight(weight),
        (false, None) => DONE,
    }
}

fn all(taken: &Taken) -> impl Iterator<Item = &TakenOne> {
    taken.added.iter().chain(&taken.here)
}

fn warn(taken: &Taken, call: &mut Call<'_, '_>) {
    for one in all(taken) {
        let (cosigner, owner, size) = (shown(&one.cosigner), shown(&one.owner), one.head.size);
        match one.worth {
            Worth::Fork => call.warn(&format!(
                "two histories signed with one key: {owner} signed, and {cosigner} cosigned, another state of {} at {size} events than this copy has; the proof is kept",
                one.handle
            )),
            Worth::Beyond => call.warn(&format!(
                "this copy is older: {cosigner} saw {} of {owner} with {size} events; find the newer copy",
                one.handle
            )),
            Worth::Counts | Worth::Late | Worth::OtherHistory => {}
        }
    }
}

fn tell(taken: &Taken, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    for one in &taken.added {
        let note = match one.worth {
            Worth::Late => "; late, not counted: the cosigner was removed, and no check of hers here names it",
            Worth::OtherHistory => "; of the other of two histories",
            Worth::Counts | Worth::Beyond | Worth::Fork => "",
        };
        call.print(&format!("ADDED    {}{note}", line(one)))?;
    }
    for one in &taken.here {
        call.print(&format!("HERE     {}", line(one)))?;
    }
    for one in &taken.refused {
        call.print(&format!("REFUSED  number {} of the file: {}", one.number, shown(&one.reason)))?;
    }
    call.say(&format!(
        "{} added, {} here already, {} refused.",
        count(taken.added.len() as u64, "cosignature"),
        taken.here.len(),
        taken.refused.len()
    ));
    call.suggest("amparo verify");
    Ok(())
}

fn line(one: &TakenOne) -> String {
    format!("{} signed {} of {} at {} events", shown(&one.cosigner), one.handle, shown(&one.owner), one.head.size)
}

fn described(taken: &Taken) -> Value {
    let list = |all: &[TakenOne]| -> Vec<Value> {
        let described = all.iter().map(|one| {
            json!({
                "log": one.head.log.to_string(), "size": one.head.size, "root": one.head.root.to_string(),
                "owner": one.owner, "cosigner": one.cosigner, "worth": worth(one.worth),
            })
        });
        described.collect()
    };
    let refused: Vec<Value> =
        taken.refused.iter().map(|one| json!({ "number": one.number, "reason": one.reason })).collect();
    let cosignatures = json!({ "added": list(&taken.added), "here": list(&taken.here), "refused": refused });
    json!({ "format": 1, "cosignatures": cosignatures })
}

fn worth(worth: Worth) -> &'static str {
    match worth {
        Worth::Counts => "counts",
        Worth::Late => "late",
        Worth::Beyond => "beyond",
        Worth::OtherHistory => "other history",
        Worth::Fork => "fork",
    }
}
