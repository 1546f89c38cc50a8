//! Founding, identities, first contact, sealing, opening.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use amparo::crypto::seed::Seed;
use amparo::store::RelPath;
use amparo::vault::create::{CreateRequest, create};
use amparo::vault::custody::note::{self, note};
use amparo::vault::findings::Verdict;
use amparo::vault::open::{OpenRequest, open};
use amparo::vault::pouch::unpack::is_bare;
use amparo::vault::session::Trust;
use amparo::vault::verify::{VerifyRequest, verify};
use amparo::vault::{Clock, Setting, VaultError, identity};

use super::super::super::people::{Stopped, World, request};
use super::{as_who, at, check, done_before};

pub(super) fn founds(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let folder = world.path("second");
    founds_with(world, &folder, None)
}

pub(super) fn founds_with(world: &World, folder: &Path, quorum: Option<u8>) -> Result<bool, VaultError> {
    let readers = [world.reader.person.card().clone(), world.monitor.person.card().clone()];
    let make = |setting: &mut Setting<'_>| {
        let request = CreateRequest {
            folder,
            state: &world.lawyer.state,
            founder: &world.lawyer.person,
            readers: &readers,
            register_readers: &[],
            monitors: &[],
            sealers: &[],
            handle: Some("L2".into()),
            monitors_needed: None,
            quorum,
        };
        create(setting, &request)
    };
    as_who(world, &world.lawyer, make).map(|_| true)
}

/// A folder of that name is there. Whoever writes in it completes the vault, or finds that none was begun.
pub(super) fn founded_before(world: &World, error: VaultError) -> Result<bool, VaultError> {
    done_before(world, error)?;
    let folder = world.path("second");
    let noted = as_who(world, &world.lawyer, |setting| {
        note(setting, &at(&folder, &world.lawyer), "is it there?", None, note::Kind::Note)
    });
    match noted {
        Err(_) if as_who(world, &world.lawyer, |setting| is_bare(setting, &folder))? => Ok(false),
        noted => noted.map(|_| true),
    }
}

pub(super) fn makes_identity(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let file = world.path("keys/me.age");
    as_who(world, &world.lawyer, |setting| identity::new(setting, &file, "Swift", None)).map(|_| true)
}

/// Something of that name is there, of which nobody was told that it is an identity: it is removed to make room for one.
pub(super) fn makes_identity_anew(world: &World, error: VaultError) -> Result<bool, VaultError> {
    done_before(world, error)?;
    as_who(world, &world.lawyer, |setting| identity::remove(setting, &world.path("keys/me.age")))?;
    makes_identity(world, &mut || ())
}

/// The seed that somebody has on paper.
fn on_paper() -> Seed {
    Seed::from_bytes(&[42; 32])
}

pub(super) fn restores_identity(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let file = world.path("keys/me.age");
    as_who(world, &world.lawyer, |setting| identity::restore(setting, &file, "Swift", on_paper(), None)).map(|_| true)
}

pub(super) fn restores_identity_anew(world: &World, error: VaultError) -> Result<bool, VaultError> {
    done_before(world, error)?;
    as_who(world, &world.lawyer, |setting| identity::remove(setting, &world.path("keys/me.age")))?;
    restores_identity(world, &mut || ())
}

pub(super) fn has_restored(world: &World) -> Result<(), String> {
    let file = world.path("keys/me.age");
    let read = as_who(world, &world.lawyer, |setting| identity::read(setting, &file, &mut || Err(VaultError::NoKey)));
    check(read.is_ok_and(|(identity, _)| identity.seed == on_paper()), "the identity is not that of the words")
}

pub(super) fn has_identity(world: &World) -> Result<(), String> {
    let file = world.path("keys/me.age");
    let read = as_who(world, &world.lawyer, |setting| identity::read(setting, &file, &mut || Err(VaultError::NoKey)));
    read.map(|_| ()).map_err(|error| format!("the identity: {error}"))
}

pub(super) fn meets(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    Ok(world.verify(&world.monitor)?.verdict == Verdict::Valid)
}

pub(super) fn is_trusted(world: &World) -> Result<(), String> {
    let who = &world.monitor;
    let place = at(&world.vault, who);
    let all = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
    let seen = as_who(world, who, |setting| verify(setting, &all));
    check(seen.is_ok_and(|seen| seen.trusted), "the vault that was trusted is not any more")
}

pub(super) fn seals(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let sealed = world.seal(&[world.path("s/second.txt")], false)?;
    Ok(sealed.failure.is_none() && sealed.count == 1)
}

pub(super) fn opens_second(world: &World) -> Result<(), String> {
    check(opens_as(world, "K7-0002")? == b"the second", "K7-0002 is not what was sealed")
}

/// Both are there; one of them twice where a sealing stopped between them and was begun again.
pub(super) fn opens_both(world: &World) -> Result<(), String> {
    let listed = world.list(&world.reader).map_err(|error| error.to_string())?;
    let opened = listed.iter().skip(1).map(|listed| opens_as(world, &listed.id)).collect::<Result<Vec<_>, _>>()?;
    let sealed: [&[u8]; 2] = [b"the second", b"the third and longest"];
    let is_whole = opened.iter().all(|read| sealed.contains(&read.as_slice()));
    check(is_whole && sealed.iter().all(|one| opened.iter().any(|read| read == one)), "not both are what was sealed")
}

pub(super) fn opens_as(world: &World, label: &str) -> Result<Vec<u8>, String> {
    let out = world.path("proof");
    let opened = world.open(&world.reader, label, &out).map_err(|error| format!("{label} does not open: {error}"))?;
    let folder = world.disk().folder(&out).map_err(|error| error.to_string())?;
    let below = opened.exhibits[0].path.strip_prefix(&out).expect("below the folder").to_path_buf();
    folder.read(&RelPath::parse(below).expect("a path"), 99).map_err(|error| error.to_string())
}

/// A clock on which so much goes by between any two looks that each exhibit gets an entry of its own.
struct Slow(AtomicU64);

impl Clock for Slow {
    fn now(&self) -> jiff::ZonedDateTime {
        Stopped.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(40, Ordering::SeqCst))
    }
}

pub(in super::super) fn seals_slowly(world: &World, acknowledged: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let sources = ["s/second.txt", "s/third.txt"].map(|name| world.path(name));
    let sealed = world.seal_watched(&sources, &Slow(AtomicU64::new(0)), &Stopped, acknowledged)?;
    Ok(sealed.failure.is_none() && sealed.count == 2)
}

pub(super) fn opens(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let trust = Trust::VaultId(world.created.vault);
    let (vault, out) = (world.path("copy"), world.path("opened"));
    let opened = as_who(world, &world.reader, |setting| {
        let request = OpenRequest {
            place: request(&vault, &world.reader, Some(&trust)),
            ids: &["K7-0001".into()],
            out: &out,
            overwrite: true,
            reason: "",
        };
        open(setting, &request)
    })?;
    Ok(opened.failure.is_none() && opened.unrecorded.is_none())
}

pub(super) fn has_opened(world: &World) -> Result<(), String> {
    let folder = world.disk().folder(&world.path("opened/K7-0001")).map_err(|error| error.to_string())?;
    let read = folder.read(&RelPath::parse("content/first.txt").expect("a path"), 99);
    check(read.is_ok_and(|read| read == b"the first"), "what was opened is not there")
}

pub(super) fn sealed_more(world: &World) {
    assert!(seals(world, &mut || ()).expect("sealed"));
}
