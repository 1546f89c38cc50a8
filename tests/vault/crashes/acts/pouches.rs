//! Packing, unpacking, repairing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::crypto::hash::Hash;
use amparo::format::armor;
use amparo::store::faulty::FaultyDisk;
use amparo::store::{Mode, RelPath};
use amparo::vault::Setting;
use amparo::vault::VaultError;
use amparo::vault::custody::acknowledge::acknowledge_all;
use amparo::vault::custody::arrived::Whereabouts;
use amparo::vault::custody::offer::{Circumstances, Receiver};
use amparo::vault::custody::waiting;
use amparo::vault::findings::Verdict;
use amparo::vault::pouch::archive::Archive;
use amparo::vault::pouch::opened::Opened;
use amparo::vault::pouch::pack::{PackRequest, Packed, answers, pack};
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::repair::repair;
use amparo::vault::pouch::unfinished::Mark;
use amparo::vault::pouch::unpack::{UnpackRequest, found_copy, is_bare, unpack};
use amparo::vault::session::Trust;

use super::super::super::people::{Device, World, request};
use super::{as_who, check, members, sealing};

const STICK: &str = "/stick";

fn name(text: &str) -> RelPath {
    RelPath::parse(text).expect("a name of this test")
}

/// Somebody packs for somebody what she lacks of a copy.
fn packing(
    world: &World,
    (who, copy): (&Device, &str),
    to: &str,
    out: &str,
    make: fn(&mut Setting<'_>, &PackRequest<'_>) -> Result<Packed, VaultError>,
) -> Result<bool, VaultError> {
    let (to, copy, out) = (Receiver { typed: to.into(), card: None }, world.path(copy), name(out));
    let told = Circumstances::default();
    let with_parity = out.to_string() == "trip.bin";
    let request = PackRequest {
        place: request(&copy, who, None),
        to: std::slice::from_ref(&to),
        ids: &[],
        told: &told,
        out: (Path::new(STICK), &out),
        parity: with_parity.then_some(10),
        volume_bytes: with_parity.then_some(600_000),
    };
    as_who(world, who, |setting| make(setting, &request)).map(|packed| packed.lacking.is_empty())
}

pub(super) fn packs(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    packing(world, (&world.lawyer, "vault"), "Harbour", "trip.bin", pack)
}

/// The files of the pouch.
fn parts(world: &World) -> Vec<PathBuf> {
    let items = world.disk().list_source(Path::new(STICK)).unwrap_or_default();
    let parts = items.into_iter().filter(|item| item.name.to_string_lossy().starts_with("trip.bin."));
    parts.map(|item| Path::new(STICK).join(item.name)).collect()
}

pub(super) fn pouch_arrives(world: &World) -> Result<(), String> {
    let proof = world.path("proof");
    let pieces = Pieces::gather(world.disk(), &parts(world)).map_err(|error| format!("the pouch: {error}"))?;
    let came = archive(world, pieces).and_then(|pouch| takes_in(world, &pouch, &proof, false));
    let came = came.map_err(|error| format!("the pouch: {error}"))?;
    let seen = world.verify_at(&proof, &world.reader).map_err(|error| error.to_string())?;
    check(came && (seen.verdict, seen.exhibits) == (Verdict::Valid, 2), "the pouch lacks something")
}

/// She said something that others have not heard.
pub(super) fn answered(disk: &FaultyDisk, world: &World) {
    members::offered(disk, world);
    assert!(members::acknowledges(world, &mut || ()).expect("acknowledged"));
}

pub(super) fn answers_back(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    packing(world, (&world.reader, "copy"), "Blue Heron", "answers.txt", |setting, request| {
        let mark = Mark::file(setting.disk, request.out)?;
        answers(setting, request, &mark)
    })
}

pub(super) fn has_answers(world: &World) -> Result<(), String> {
    let stick = world.disk().folder(Path::new(STICK)).map_err(|error| error.to_string())?;
    let text = stick.read(&name("answers.txt"), 1 << 20).map_err(|error| error.to_string())?;
    check(armor::parse(&text).is_ok(), "the answers are no text of answers")
}

/// A pouch that holds all, whole, in one file.
pub(super) fn packed(_: &FaultyDisk, world: &World) {
    sealing::sealed_more(world);
    assert!(packing(world, (&world.lawyer, "vault"), "Harbour", "whole.bin", pack).expect("packed"));
}

pub(super) fn unpacks(world: &World, into: &str) -> Result<bool, VaultError> {
    takes_in(world, &whole(world)?, &world.path(into), false)
}

/// As who would take less, from a pouch that lacks nothing.
pub(super) fn salvages(world: &World, into: &str) -> Result<bool, VaultError> {
    takes_in(world, &whole(world)?, &world.path(into), true)
}

pub(super) fn unpacks_and_signs(world: &World, into: &str) -> Result<bool, VaultError> {
    let (who, pouch, folder) = (&world.reader, whole(world)?, world.path(into));
    let is_valid = takes_in(world, &pouch, &folder, false)?;
    let trust = Trust::VaultId(world.created.vault);
    as_who(world, who, |setting| {
        let place = request(&folder, who, Some(&trust));
        let mut offers = waiting(setting, &place, Some(&*pouch))?;
        offers.retain(|offer| offer.whereabouts == Whereabouts::CameNow);
        let offers: Vec<&str> = offers.iter().map(|waiting| waiting.offer.as_str()).collect();
        if offers.is_empty() {
            return Ok(is_valid);
        }
        let signed = acknowledge_all(setting, &place, &offers)?;
        signed.failure.map_or(Ok(is_valid), Err)
    })
}

fn whole(world: &World) -> Result<Arc<Archive>, VaultError> {
    archive(world, Pieces::whole(world.disk(), &Path::new(STICK).join("whole.bin"))?)
}

fn archive(world: &World, pieces: Pieces) -> Result<Arc<Archive>, VaultError> {
    let opened = Opened::open(pieces, &[&world.reader.person.keys.age])?;
    Ok(Arc::new(Archive::read(opened, Path::new("pouch"))?))
}

fn takes_in(world: &World, pouch: &Arc<Archive>, folder: &Path, salvage: bool) -> Result<bool, VaultError> {
    let (who, trust) = (&world.reader, Trust::VaultId(world.created.vault));
    as_who(world, who, |setting| {
        if setting.disk.stat(folder).is_err() {
            setting.disk.create_folder(folder, Mode::Open)?;
        }
        if is_bare(setting, folder)? {
            found_copy(setting, folder, pouch)?;
        }
        let place = request(folder, who, Some(&trust));
        let merged = unpack(setting, &UnpackRequest { place, pouch, salvage })?;
        Ok(merged.verdict == Verdict::Valid)
    })
}

/// A pouch with a tear in it, and its parity.
pub(super) fn torn_pouch(disk: &FaultyDisk, world: &World) {
    sealing::sealed_more(world);
    assert!(packs(world, &mut || ()).expect("packed"));
    let first = parts(world).remove(0);
    let (_, mut bytes) = disk.files().into_iter().find(|(path, _)| *path == first).expect("a volume");
    bytes[40_000..41_000].fill(0);
    disk.put(&first, &bytes);
}

pub(super) fn repairs(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let pieces = Pieces::gather(world.disk(), &parts(world))?;
    let out = name("mended.bin");
    let mark = Mark::file(world.disk(), (Path::new(STICK), &out))?;
    as_who(world, &world.lawyer, |setting| repair(setting, &pieces, &mark)).map(|_| true)
}

pub(super) fn is_repaired(world: &World) -> Result<(), String> {
    let disk = world.disk();
    let sha256 =
        |files: &[PathBuf]| Pieces::gather(disk, files).ok()?.sha256(&super::super::super::people::Stopped).ok()?;
    let mended: Option<Hash> = sha256(&[Path::new(STICK).join("mended.bin")]);
    check(mended.is_some() && mended == sha256(&parts(world)), "what was repaired is not there")
}
