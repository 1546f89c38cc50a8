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
use amparo::vault::merge::Merged;
use amparo::vault::open::{OpenRequest, open};
use amparo::vault::pouch::archive::Archive;
use amparo::vault::pouch::opened::Opened;
use amparo::vault::pouch::pack::{PackRequest, Packed, answers, pack, pack_custody};
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::repair::repair;
use amparo::vault::pouch::unfinished::Mark;
use amparo::vault::pouch::unpack::{UnpackRequest, found_copy, is_bare, unpack};
use amparo::vault::session::Trust;

use super::super::super::merging::merge_into;
use super::super::super::people::{Device, World, request};
use super::{as_who, check, members, sealing};

const STICK: &str = "/stick";
/// Ten bytes of a film that is longer than a few chunks.
const FILM: &[u8] = b"0123456789";
/// What age encrypts at once: a tear in it costs all of it.
const CHUNK_BYTES: usize = 64 << 10;

fn name(text: &str) -> RelPath {
    RelPath::parse(text).expect("a name of this test")
}

/// Somebody packs for somebody what she lacks of a copy.
fn packing(
    world: &World,
    (who, copy): (&Device, &str),
    to: &[&str],
    out: &str,
    make: fn(&mut Setting<'_>, &PackRequest<'_>) -> Result<Packed, VaultError>,
) -> Result<bool, VaultError> {
    let to: Vec<Receiver> = to.iter().map(|to| Receiver { typed: (*to).into(), card: None }).collect();
    let (copy, out) = (world.path(copy), name(out));
    let told = Circumstances::default();
    let with_parity = out.to_string() == "trip.bin";
    let request = PackRequest {
        place: request(&copy, who, None),
        to: &to,
        ids: &[],
        told: &told,
        out: (Path::new(STICK), &out),
        parity: with_parity.then_some(10),
        volume_bytes: with_parity.then_some(600_000),
    };
    as_who(world, who, |setting| make(setting, &request)).map(|packed| packed.lacking.is_empty())
}

pub(super) fn packs(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    packing(world, (&world.lawyer, "vault"), &["Harbour"], "trip.bin", pack)
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

pub(super) fn packs_for_both(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    packing(world, (&world.lawyer, "vault"), &["Harbour", "Lantern"], "both.bin", pack)
}

/// Each of them opens it, and all is in it.
pub(super) fn both_have_it(world: &World) -> Result<(), String> {
    let opens = |who: &Device| -> Result<Opened, VaultError> {
        let pieces = Pieces::whole(world.disk(), &Path::new(STICK).join("both.bin"))?;
        Opened::open(pieces, &[&who.person.keys.age])
    };
    check([&world.reader, &world.monitor].iter().all(|who| opens(who).is_ok()), "not both open the pouch")?;
    brings(world, "both.bin", Verdict::Valid)
}

pub(super) fn packs_custody(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    packing(world, (&world.lawyer, "vault"), &["Harbour"], "custody.bin", pack_custody)
}

/// What is told in it is whole, and no sealed file is in it.
pub(super) fn has_custody(world: &World) -> Result<(), String> {
    brings(world, "custody.bin", Verdict::Incomplete)
}

/// A reader opened something, and what her log says came back; a monitor cosigned both logs.
pub(super) fn heard_of_her(disk: &FaultyDisk, world: &World) {
    sealing::sealed_more(world);
    assert!(sealing::opens(world, &mut || ()).expect("opened"));
    merge_into(world.disk(), &world.lawyer, &world.vault, &world.path("copy"), false).expect("merged");
    members::cosigned_elsewhere(disk, world);
    assert_eq!(members::taken(world).expect("taken"), 2);
}

/// The same of two logs, with the cosignatures.
pub(super) fn has_both_logs(world: &World) -> Result<(), String> {
    has_custody(world)?;
    let seen = world.verify_at(&world.path("proof"), &world.reader).map_err(|error| error.to_string())?;
    check(seen.logs.len() == 2, "the pouch lacks what the reader's log says")?;
    check(seen.covered_exhibits == 2, "the pouch lacks a cosignature")
}

/// A new copy that comes of a pouch tells of both exhibits.
fn brings(world: &World, pouch: &str, verdict: Verdict) -> Result<(), String> {
    let proof = world.path("proof");
    let came = Pieces::whole(world.disk(), &Path::new(STICK).join(pouch));
    let came = came.and_then(|pieces| takes_in(world, &archive(world, pieces)?, &proof, false));
    came.map_err(|error| format!("the pouch: {error}"))?;
    let seen = world.verify_at(&proof, &world.reader).map_err(|error| error.to_string())?;
    check((seen.verdict, seen.exhibits) == (verdict, 2), "the pouch lacks something")
}

/// She said something that others have not heard.
pub(super) fn answered(disk: &FaultyDisk, world: &World) {
    members::offered(disk, world);
    assert!(members::acknowledges(world, &mut || ()).expect("acknowledged"));
}

pub(super) fn answers_back(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    packing(world, (&world.reader, "copy"), &["Blue Heron"], "answers.txt", |setting, request| {
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
    assert!(packing(world, (&world.lawyer, "vault"), &["Harbour"], "whole.bin", pack).expect("packed"));
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
    Ok(merges_in(world, pouch, folder, salvage)?.verdict == Verdict::Valid)
}

fn merges_in(world: &World, pouch: &Arc<Archive>, folder: &Path, salvage: bool) -> Result<Merged, VaultError> {
    let (who, trust) = (&world.reader, Trust::VaultId(world.created.vault));
    as_who(world, who, |setting| {
        if setting.disk.stat(folder).is_err() {
            setting.disk.create_folder(folder, Mode::Open)?;
        }
        if is_bare(setting, folder)? {
            found_copy(setting, folder, pouch)?;
        }
        let place = request(folder, who, Some(&trust));
        unpack(setting, &UnpackRequest { place, pouch, salvage })
    })
}

/// A pouch of which one sealed file arrives damaged.
pub(super) fn damaged(disk: &FaultyDisk, world: &World) {
    disk.put(&world.path("desk/film.bin"), &FILM.repeat(20_000));
    sealing::sealed_more(world);
    world.seal(&[world.path("desk/film.bin")], false).expect("sealed");
    assert!(packing(world, (&world.lawyer, "vault"), &["Harbour"], "whole.bin", pack).expect("packed"));
    let path = Path::new(STICK).join("whole.bin");
    let (_, whole) = disk.files().into_iter().find(|(other, _)| *other == path).expect("the pouch");
    // Where in it the film lies, trying tells.
    let torn_at = |at: &usize| {
        let mut bytes = whole.clone();
        bytes[*at..*at + 9].fill(0);
        disk.put(&path, &bytes);
        salvages_the_rest(&world.moved_to(Arc::new(disk.twin())), &mut || ()).is_ok_and(|is_rest| is_rest)
    };
    let found = (99..whole.len() - 99).step_by(CHUNK_BYTES).find(torn_at);
    assert!(found.is_some(), "no tear in {} bytes takes the film alone", whole.len());
}

/// All but the film arrives.
pub(super) fn salvages_the_rest(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let merged = merges_in(world, &whole(world)?, &world.path("copy"), true)?;
    let [lost] = merged.untaken.as_slice() else { return Ok(false) };
    let is_rest = lost.path.starts_with("blobs/") && merged.arrival.damaged == ["K7-0003"];
    Ok(is_rest && merged.verdict == Verdict::Incomplete && merged.missing == [lost.path.clone()])
}

pub(super) fn rest_opens(world: &World) -> Result<(), String> {
    let (out, trust) = (world.path("proof"), Trust::VaultId(world.created.vault));
    let opened = as_who(world, &world.reader, |setting| {
        let copy = world.path("copy");
        let place = request(&copy, &world.reader, Some(&trust));
        open(setting, &OpenRequest { place, ids: &["K7-0002".into()], out: &out, overwrite: false, reason: "" })
    });
    opened.map(|_| ()).map_err(|error| format!("what was salvaged does not open: {error}"))
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
