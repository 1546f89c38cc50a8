//! What members say to each other: handovers, admissions, keys, cosignatures, copies that are brought together.

use std::sync::Arc;

use amparo::crypto::seed::Seed;
use amparo::format::card::Card;
use amparo::format::cosignatures;
use amparo::format::event::RemoveReason;
use amparo::format::pseudonym::Pseudonym;
use amparo::format::role::{Role, Section};
use amparo::store::RelPath;
use amparo::store::faulty::{Fault, FaultyDisk, Times};
use amparo::vault::VaultError;
use amparo::vault::cosign::make::cosign;
use amparo::vault::cosign::take::take;
use amparo::vault::custody::acknowledge::{AcknowledgeRequest, acknowledge};
use amparo::vault::custody::decline::decline;
use amparo::vault::custody::note::{self, note};
use amparo::vault::custody::offer::{Circumstances, OfferRequest, Receiver, offer};
use amparo::vault::custody::withdraw::{Scope, withdraw};
use amparo::vault::findings::Verdict;
use amparo::vault::lend::{LendRequest, lend};
use amparo::vault::members::{
    AddRequest, AdoptRequest, RemoveRequest, RotateRequest, add, adopt, grant_here, outdated, remove, rotate,
};
use amparo::vault::merge::{Cleared, clear};
use amparo::vault::session::{Session, Trust};
use amparo::vault::verify::VerifyRequest;

use super::super::super::merging::{carry, merge_into};
use super::super::super::people::{World, device, request};
use super::{as_who, at, check, sealing, trust};

pub(super) fn tern() -> Card {
    Card::sign(&Pseudonym::parse("Tern").expect("a name"), &Seed::from_bytes(&[40; 32]).keys())
}

pub(super) fn offers(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let (to, told) = (Receiver { typed: "Harbour".into(), card: None }, Circumstances::default());
    let place = at(&world.vault, &world.lawyer);
    as_who(world, &world.lawyer, |setting| offer(setting, &OfferRequest { place, to: &to, ids: &[], told: &told }))?;
    Ok(true)
}

pub(super) fn offered(disk: &FaultyDisk, world: &World) {
    offers(world, &mut || ()).expect("offered");
    carry(disk, &world.vault, &world.path("copy"), |_| true);
}

pub(super) fn acknowledges(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let copy = world.path("copy");
    let place = at(&copy, &world.reader);
    let request = AcknowledgeRequest { place, offer: None, sign_older: false };
    let said = as_who(world, &world.reader, |setting| acknowledge(setting, &request))?;
    Ok(said.discrepancies.is_empty())
}

pub(super) fn declines(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let copy = world.path("copy");
    as_who(world, &world.reader, |setting| decline(setting, &at(&copy, &world.reader), None, "no room"))?;
    Ok(true)
}

pub(super) fn notes(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let place = at(&world.vault, &world.lawyer);
    as_who(world, &world.lawyer, |setting| note(setting, &place, "by bus", None, note::Kind::Note))?;
    Ok(true)
}

pub(super) fn withdraws(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let place = at(&world.vault, &world.lawyer);
    as_who(world, &world.lawyer, |setting| withdraw(setting, &place, "K7-0001", Scope::All))?;
    Ok(true)
}

pub(super) fn adds(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let (cards, roles) = ([tern()], [Role::Reader(Section::main())]);
    let place = at(&world.vault, &world.lawyer);
    as_who(world, &world.lawyer, |setting| {
        add(setting, &AddRequest { place, cards: &cards, roles: &roles, handle: None })
    })?;
    Ok(true)
}

pub(super) fn grants(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let trust = Trust::VaultId(world.created.vault);
    let place = request(&world.vault, &world.reader, Some(&trust));
    let granted = as_who(world, &world.reader, |setting| grant_here(setting, &place))?;
    Ok(granted.left.is_empty())
}

pub(super) fn removes(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let place = at(&world.vault, &world.lawyer);
    let request = RemoveRequest { place, member: "Tern", reason: RemoveReason::Left, trust_up_to: &[] };
    as_who(world, &world.lawyer, |setting| remove(setting, &request))?;
    Ok(true)
}

/// She holds no key to which anybody seals from now on.
pub(super) fn holds_nothing_new(world: &World) -> Result<(), String> {
    let place = at(&world.vault, &world.lawyer);
    let session = as_who(world, &world.lawyer, |setting| Session::open(setting, &place));
    let session = session.map_err(|error| error.to_string())?;
    let held = outdated(session.history().map_err(|error| error.to_string())?);
    check(held.is_empty(), &format!("who was removed holds {held:?}"))
}

pub(super) fn rotates(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let (place, sections) = (at(&world.vault, &world.lawyer), [Section::main()]);
    as_who(world, &world.lawyer, |setting| rotate(setting, &RotateRequest { place, sections: &sections }))?;
    Ok(true)
}

/// A sealer was removed, and sealed something afterwards that nobody knew of then.
pub(super) fn sealed_too_late(disk: &FaultyDisk, world: &World) {
    let kestrel = device(&world.path(""), "Kestrel", 41);
    let place = at(&world.vault, &world.lawyer);
    let cards = [kestrel.person.card().clone()];
    let request_to_add = AddRequest { place, cards: &cards, roles: &[Role::Sealer], handle: Some("S4".into()) };
    as_who(world, &world.lawyer, |setting| add(setting, &request_to_add)).expect("added");
    let nest = world.path("nest");
    carry(disk, &world.vault, &nest, |_| true);
    let place = at(&world.vault, &world.lawyer);
    let removal = RemoveRequest { place, member: "Kestrel", reason: RemoveReason::Left, trust_up_to: &[] };
    as_who(world, &world.lawyer, |setting| remove(setting, &removal)).expect("removed");
    let trust = Trust::VaultId(world.created.vault);
    let place = request(&nest, &kestrel, Some(&trust));
    as_who(world, &kestrel, |setting| note(setting, &place, "too late", None, note::Kind::Note)).expect("noted");
    merge_into(world.disk(), &world.lawyer, &world.vault, &nest, false).expect("merged");
}

pub(super) fn adopts(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let (place, entries) = (at(&world.vault, &world.lawyer), ["S4:0".to_string()]);
    as_who(world, &world.lawyer, |setting| adopt(setting, &AdoptRequest { place, entries: &entries }))?;
    Ok(true)
}

pub(super) fn merges(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let merged = merge_into(world.disk(), &world.reader, &world.path("copy"), &world.vault, false)?;
    Ok(merged.verdict == Verdict::Valid)
}

/// A sealed file of the copy is damaged.
pub(super) fn damaged_here(disk: &FaultyDisk, world: &World) {
    let blobs = world.path("copy/blobs");
    let (path, mut bytes) = disk.files().into_iter().rfind(|(path, _)| path.starts_with(&blobs)).expect("a blob");
    bytes[40] ^= 1;
    disk.put(&path, &bytes);
}

pub(super) fn replaces_damaged(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let merged = merge_into(world.disk(), &world.reader, &world.path("copy"), &world.vault, true)?;
    Ok(merged.verdict == Verdict::Valid && merged.damaged.is_empty())
}

/// A merge that a failing disk ended when it had brought some of the files; they are durable by now.
pub(super) fn merge_that_failed(disk: &FaultyDisk, world: &World) {
    sealing::sealed_more(world);
    let blobs = || disk.files().into_iter().filter(|(path, _)| path.starts_with(world.path("copy/blobs"))).count();
    let (before, rehearsal) = (blobs(), disk.twin());
    assert!(merges(&world.moved_to(Arc::new(rehearsal.clone())), &mut || ()).expect("merged"));
    disk.fail_at(disk.operations() + rehearsal.operations() * 3 / 4, Fault::Io, Times::FromThenOn);
    merges(world, &mut || ()).expect_err("the disk fails");
    disk.heal();
    assert!(blobs() > before, "it had brought something");
    disk.files().iter().for_each(|(path, bytes)| disk.put(path, bytes));
}

fn cleared(world: &World) -> Result<Cleared, VaultError> {
    let copy = world.path("copy");
    as_who(world, &world.reader, |setting| clear(setting, &at(&copy, &world.reader)))
}

pub(super) fn clears(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    Ok(cleared(world)?.in_doubt == 0)
}

pub(super) fn is_cleared(world: &World) -> Result<(), String> {
    let again = cleared(world).map_err(|error| error.to_string())?;
    check(again.removed == 0, "what was cleared is here again")
}

pub(super) fn cosigns(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let trust = Trust::VaultId(world.created.vault);
    let place = request(&world.vault, &world.monitor, Some(&trust));
    let request = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
    let (_, made, _) = as_who(world, &world.monitor, |setting| cosign(setting, &request))?;
    Ok(made.refused.is_none() && made.withheld.is_empty())
}

pub(super) fn is_covered(world: &World) -> Result<(), String> {
    let seen = world.verify(&world.lawyer).map_err(|error| error.to_string())?;
    check(seen.covered_exhibits == 1, "the exhibit is not covered")
}

/// A monitor cosigned another copy of it, and her text came by mail.
pub(super) fn cosigned_elsewhere(disk: &FaultyDisk, world: &World) {
    let elsewhere = disk.crash(0);
    let there = world.moved_to(Arc::new(elsewhere));
    let trust = Trust::VaultId(world.created.vault);
    let place = request(&there.vault, &there.monitor, Some(&trust));
    let request = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
    let (_, made, _) = as_who(&there, &there.monitor, |setting| cosign(setting, &request)).expect("cosigned");
    disk.put(&world.path("mail/kite.txt"), cosignatures::print(&made.notes()).as_bytes());
}

pub(super) fn takes(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    taken(world).map(|taken| taken == 1)
}

/// How many cosignatures of hers are there now.
pub(super) fn taken(world: &World) -> Result<usize, VaultError> {
    let mail = world.disk().folder(&world.path("mail"))?;
    let text = mail.read(&RelPath::parse("kite.txt").expect("a name"), 1 << 20)?;
    let notes = cosignatures::parse(&text).expect("a monitor's own text");
    let taken = as_who(world, &world.lawyer, |setting| take(setting, &at(&world.vault, &world.lawyer), &notes))?;
    Ok(taken.added.len() + taken.here.len())
}

/// Another vault, of which no reader opens alone.
pub(super) fn split_key(_: &FaultyDisk, world: &World) {
    sealing::founds_with(world, &world.path("two"), Some(2)).expect("founded");
}

/// Somebody came who awaits a share of the key that is split already.
pub(super) fn awaits_share(disk: &FaultyDisk, world: &World) {
    split_key(disk, world);
    let (two, cards, roles) = (world.path("two"), [tern()], [Role::Reader(Section::main())]);
    let request = AddRequest { place: at(&two, &world.lawyer), cards: &cards, roles: &roles, handle: None };
    as_who(world, &world.lawyer, |setting| add(setting, &request)).expect("added");
}

/// Shares of a new key, for all who ought to have one.
pub(super) fn rotates_shares(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let two = world.path("two");
    let request = RotateRequest { place: at(&two, &world.lawyer), sections: &[] };
    let rotated = as_who(world, &world.lawyer, |setting| rotate(setting, &request))?;
    Ok(rotated.renewed.iter().all(|key| key.needed == Some(2) && key.holders.len() == 3))
}

pub(super) fn lends(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let (two, section) = (world.path("two"), Section::main());
    let trust = trust(world, "two");
    let place = request(&two, &world.reader, trust.as_ref());
    let request = LendRequest { place, to: "Lantern", section: &section, epoch: None };
    as_who(world, &world.reader, |setting| lend(setting, &request))?;
    Ok(true)
}
