//! The commands that write, one act each: what was there before, what is done, and by what its effect is known. What is no act
//! is named in `docs/RELIABILITY.md`.

mod lent;
mod members;
mod papers;
mod pouches;
mod replacing;
pub(super) mod sealing;
pub(super) mod typed;

use std::path::Path;

use amparo::store::StoreError;
use amparo::store::faulty::FaultyDisk;
use amparo::vault::findings::Verdict;
use amparo::vault::session::{Request, Trust};
use amparo::vault::{Setting, VaultError, survey};

use super::super::people::{Device, World, request, with};

/// What is done; whether all of it was acknowledged. Calls back at whatever is acknowledged on the way.
type Run = fn(&World, &mut dyn FnMut()) -> Result<bool, VaultError>;

/// One command of one person.
pub(super) struct Act {
    pub(super) name: &'static str,
    /// The copy that it changes, and whose it is.
    pub(super) copy: &'static str,
    pub(super) who: fn(&World) -> &Device,
    /// What happened before.
    pub(super) before: fn(&FaultyDisk, &World),
    pub(super) run: Run,
    /// What to make of it that the same command is refused a second time: all of it was done before, or nothing is there.
    pub(super) settles: fn(&World, VaultError) -> Result<bool, VaultError>,
    /// What must be so at every moment, where the copy alone does not tell.
    pub(super) always: fn(&World) -> Result<(), String>,
    /// Whether what was acknowledged is there, where the copy alone does not tell.
    pub(super) effect: fn(&World) -> Result<(), String>,
    /// The worst verdict on the copy until it is done, and from then on.
    pub(super) worst: [Verdict; 2],
    /// The events that stand in the copy when it was done, however often it was begun.
    pub(super) says: &'static [(&'static str, usize)],
}

pub(super) const PLAIN: Act = Act {
    name: "",
    copy: "vault",
    who: |world| &world.lawyer,
    before: |_, _| (),
    run: |_, _| Ok(true),
    settles: |_, error| Err(error),
    always: |_| Ok(()),
    effect: |_| Ok(()),
    worst: [Verdict::Valid; 2],
    says: &[],
};

const READERS: Act = Act { copy: "copy", who: |world| &world.reader, ..PLAIN };

/// All of them; where `AMPARO_ACTS` is set, those alone whose name it begins.
pub(super) fn all() -> impl Iterator<Item = &'static Act> + Send {
    let begins = std::env::var("AMPARO_ACTS").unwrap_or_default();
    every().filter(move |act| act.name.starts_with(&begins))
}

/// Those that write a paper.
pub(super) fn of_papers() -> &'static [Act] {
    &papers::ACTS
}

/// Whatever is set.
pub(super) fn every() -> impl Iterator<Item = &'static Act> + Send {
    ACTS.iter().chain(&typed::ACTS).chain(&papers::ACTS).chain(&lent::ACTS)
}

static ACTS: [Act; 37] = [
    Act { name: "init", copy: "second", run: sealing::founds, settles: sealing::founded_before, ..PLAIN },
    Act {
        name: "identity new",
        run: sealing::makes_identity,
        settles: sealing::makes_identity_anew,
        effect: sealing::has_identity,
        ..PLAIN
    },
    Act {
        name: "identity restore",
        run: sealing::restores_identity,
        settles: sealing::restores_identity_anew,
        effect: sealing::has_restored,
        ..PLAIN
    },
    Act {
        name: "first contact",
        who: |world| &world.monitor,
        run: sealing::meets,
        effect: sealing::is_trusted,
        ..PLAIN
    },
    Act { name: "seal", run: sealing::seals, effect: sealing::opens_second, ..PLAIN },
    Act { name: "seal in two groups", run: sealing::seals_slowly, effect: sealing::opens_both, ..PLAIN },
    Act { name: "open", run: sealing::opens, effect: sealing::has_opened, copy: "copy", ..READERS },
    Act {
        name: "open --overwrite",
        before: replacing::opened_before,
        run: sealing::opens,
        always: replacing::is_open,
        effect: sealing::has_opened,
        ..READERS
    },
    Act {
        name: "custody receipt --overwrite",
        before: replacing::receipt_before,
        run: replacing::writes_receipt,
        always: replacing::is_old_or_new,
        effect: replacing::has_receipt,
        ..PLAIN
    },
    Act { name: "custody offer", run: members::offers, ..PLAIN },
    Act {
        name: "custody acknowledge",
        before: members::offered,
        run: members::acknowledges,
        settles: done_before,
        says: &[("offer", 1), ("acknowledge", 1)],
        ..READERS
    },
    Act {
        name: "custody decline",
        before: members::offered,
        run: members::declines,
        settles: done_before,
        says: &[("offer", 1), ("decline", 1)],
        ..READERS
    },
    Act { name: "custody note", run: members::notes, ..PLAIN },
    Act { name: "custody withdraw", run: members::withdraws, says: &[("withdraw", 1)], ..PLAIN },
    Act { name: "member add", run: members::adds, says: &[("admit", 1), ("share", 1)], ..PLAIN },
    Act {
        name: "member grant",
        who: |world| &world.reader,
        before: |_, world| assert!(members::adds(world, &mut || ()).expect("added")),
        run: members::grants,
        says: &[("admit", 1), ("share", 2)],
        ..PLAIN
    },
    Act {
        name: "member remove",
        before: |_, world| {
            members::adds(world, &mut || ()).expect("added");
            members::grants(world, &mut || ()).expect("granted");
        },
        run: members::removes,
        effect: members::holds_nothing_new,
        says: &[("remove", 1), ("rotate", 1)],
        ..PLAIN
    },
    Act { name: "member rotate", run: members::rotates, ..PLAIN },
    Act {
        name: "member rotate of shares",
        copy: "two",
        before: members::awaits_share,
        run: members::rotates_shares,
        settles: |_, error| if matches!(error, VaultError::NothingToRotate) { Ok(true) } else { Err(error) },
        says: &[("rotate", 1)],
        ..PLAIN
    },
    Act {
        name: "member adopt",
        before: members::sealed_too_late,
        run: members::adopts,
        says: &[("adopt", 1)],
        ..PLAIN
    },
    Act {
        name: "merge",
        before: |_, world| sealing::sealed_more(world),
        run: members::merges,
        says: &[("seal", 2)],
        ..READERS
    },
    Act {
        name: "merge --replace-damaged",
        before: members::damaged_here,
        run: members::replaces_damaged,
        worst: [Verdict::Invalid, Verdict::Valid],
        ..READERS
    },
    Act {
        name: "merge --clear",
        before: members::merge_that_failed,
        run: members::clears,
        effect: members::is_cleared,
        ..READERS
    },
    Act {
        name: "verify --cosign",
        who: |world| &world.monitor,
        run: members::cosigns,
        effect: members::is_covered,
        says: &[("verify", 1)],
        ..PLAIN
    },
    Act {
        name: "merge of cosignatures",
        before: members::cosigned_elsewhere,
        run: members::takes,
        effect: members::is_covered,
        ..PLAIN
    },
    Act {
        name: "pack",
        before: |_, world| sealing::sealed_more(world),
        run: pouches::packs,
        settles: done_before,
        effect: pouches::pouch_arrives,
        says: &[("offer", 1), ("pack", 1)],
        ..PLAIN
    },
    Act {
        name: "pack for several",
        before: |_, world| sealing::sealed_more(world),
        run: pouches::packs_for_both,
        settles: done_before,
        effect: pouches::both_have_it,
        says: &[("offer", 2), ("pack", 1)],
        ..PLAIN
    },
    Act {
        name: "pack --no-exhibits",
        before: |_, world| sealing::sealed_more(world),
        run: pouches::packs_custody,
        settles: done_before,
        effect: pouches::has_custody,
        says: &[("pack", 1)],
        ..PLAIN
    },
    Act {
        name: "pack --no-exhibits of two logs",
        before: pouches::heard_of_her,
        run: pouches::packs_custody,
        settles: done_before,
        effect: pouches::has_both_logs,
        says: &[("pack", 1)],
        ..PLAIN
    },
    Act {
        name: "pack --answers",
        before: pouches::answered,
        run: pouches::answers_back,
        settles: done_before,
        effect: pouches::has_answers,
        ..READERS
    },
    Act {
        name: "unpack",
        copy: "new",
        before: pouches::packed,
        run: |world, _| pouches::unpacks(world, "new"),
        says: &[("seal", 2)],
        ..READERS
    },
    Act {
        name: "unpack onto a copy",
        before: pouches::packed,
        run: |world, _| pouches::unpacks(world, "copy"),
        says: &[("seal", 2)],
        ..READERS
    },
    Act {
        name: "unpack --salvage",
        before: pouches::packed,
        run: |world, _| pouches::salvages(world, "copy"),
        says: &[("seal", 2)],
        ..READERS
    },
    Act {
        name: "unpack --salvage of a damaged pouch",
        before: pouches::damaged,
        run: pouches::salvages_the_rest,
        effect: pouches::rest_opens,
        worst: [Verdict::Incomplete; 2],
        says: &[("seal", 3)],
        ..READERS
    },
    Act {
        name: "unpack --sign",
        before: pouches::packed,
        run: |world, _| pouches::unpacks_and_signs(world, "copy"),
        says: &[("offer", 1), ("acknowledge", 1)],
        ..READERS
    },
    Act {
        name: "verify --repair",
        before: pouches::torn_pouch,
        run: pouches::repairs,
        settles: done_before,
        effect: pouches::is_repaired,
        ..PLAIN
    },
    Act {
        name: "identity lend",
        copy: "two",
        who: |world| &world.reader,
        before: members::split_key,
        run: members::lends,
        ..PLAIN
    },
];

/// It says so itself: what was to be made lies there, or the offer is answered.
fn done_before(_: &World, error: VaultError) -> Result<bool, VaultError> {
    match error {
        VaultError::Exists { .. } | VaultError::Store(StoreError::Exists { .. }) | VaultError::NothingOffered => {
            Ok(true)
        }
        other => Err(other),
    }
}

fn as_who<T>(world: &World, who: &Device, act: impl FnOnce(&mut Setting<'_>) -> T) -> T {
    with(world.disk(), who.machine, act)
}

fn at<'a>(vault: &'a Path, who: &'a Device) -> Request<'a> {
    request(vault, who, None)
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// What people agree on when they meet a vault.
pub(super) fn trust(world: &World, copy: &str) -> Option<Trust> {
    let folder = world.disk().folder(&world.path(copy)).ok()?;
    Some(Trust::VaultId(survey::hint(&*folder).ok()?))
}
