//! The forger: a member rewrites, drops, reorders, backdates or re-signs her own log after a monitor has seen it. Her
//! keys are her own, so that every signature holds; what the monitor signed is what she cannot take back.

use std::path::{Path, PathBuf};

use amparo::format::cosignatures;
use amparo::format::entry::Entry;
use amparo::format::event::Event;
use amparo::format::note::Note;
use amparo::vault::cosign::Worth;
use amparo::vault::cosign::make::{Cosigned, cosign};
use amparo::vault::cosign::take::{Taken, take};
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::session::{Request, Trust};
use amparo::vault::verify::{Verified, VerifyRequest};

use crate::vault::forge::{FOUNDER, Forge, MONITOR, Pen, READER, SEALER, VAULT, founded, note};
use crate::vault::forge_seal::{Exhibit, Twist};
use crate::vault::people::{Device, device, with};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;
const MONITORS_DEVICE: &str = "/state/monitor";

fn on_device<T>(
    forge: &Forge,
    who: u8,
    state: &str,
    act: impl FnOnce(&mut amparo::vault::Setting<'_>, Request<'_>) -> T,
) -> T {
    let name = ["", "Heron", "Harbour", "Lantern", "Sparrow"][usize::from(who)];
    let device = Device { state: PathBuf::from(state), ..device(Path::new("/"), name, who) };
    let trust = Trust::VaultId(forge.vault);
    with(&forge.disk, device.machine, |setting| {
        let (vault, state) = (Path::new(VAULT), device.state.as_path());
        act(setting, Request { vault, state, person: Some(&device.person), trust: Some(&trust) })
    })
}

fn cosigning(forge: &Forge, who: u8, state: &str) -> (Verified, Cosigned) {
    on_device(forge, who, state, |setting, place| {
        let request = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
        let (verified, cosigned, _) = cosign(setting, &request).unwrap_or_else(|error| panic!("no verdict: {error}"));
        (verified, cosigned)
    })
}

fn taking(forge: &Forge, who: u8, state: &str, text: &str) -> Taken {
    let notes: Vec<Note> = cosignatures::parse(text.as_bytes()).expect("own text");
    on_device(forge, who, state, |setting, place| take(setting, &place, &notes).expect("taken"))
}

/// The monitor's device goes where the monitor goes, and her record, and all others but the forger's.
fn carry_memory(from: &Forge, to: &Forge, forgers: &Pen) {
    for name in from.names("logs/").into_iter().filter(|name| !name.starts_with(&forgers.folder())) {
        to.put_named(&name, &from.read(&name));
    }
    for (path, bytes) in from.disk.files().into_iter().filter(|(path, _)| path.starts_with(MONITORS_DEVICE)) {
        to.disk.put(&path, &bytes);
    }
}

/// What a sealer had written when the monitor came, and the vault as it was before she wrote it.
struct Seen {
    before: Forge,
    pen_before: Pen,
    honest: Vec<Entry>,
    honest_vault: Forge,
    /// What the monitor sent home by phone.
    text: String,
}

fn seen_by_a_monitor() -> Seen {
    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    let (before, pen_before) = (forge.copy(), sealer.clone());
    let mut honest = Vec::new();
    for words in ["the first", "the second", "the third"] {
        let (event, _) = sealer.sealing(&forge, &[Exhibit::text(words)], &Twist::default());
        let entry = sealer.entry(&[], event);
        sealer.write(&forge, &entry);
        honest.push(entry);
    }
    let (verified, cosigned) = cosigning(&forge, MONITOR, MONITORS_DEVICE);
    assert_eq!(verified.verdict, Verdict::Valid, "{:?}", verified.findings);
    assert_eq!((cosigned.signed.len(), cosigned.withheld.len()), (2, 0));
    let text = cosignatures::print(&cosigned.notes());
    // The forger keeps the blobs: it is her log that she changes.
    for name in forge.names("blobs/") {
        before.put_named(&name, &forge.read(&name));
    }
    Seen { before, pen_before, honest, honest_vault: forge, text }
}

impl Seen {
    /// The log as the forger tells it now, every entry properly chained and signed.
    fn retold(&self, entries: &[Entry]) -> (Forge, Pen) {
        let (forge, mut pen) = (self.before.copy(), self.pen_before.clone());
        for entry in entries {
            let told = Entry { seq: pen.size(), previous: pen.tree.root(), ..entry.clone() };
            pen.write(&forge, &told);
        }
        (forge, pen)
    }

    /// Whoever is shown the forgery alone is not told of it; the monitor is, and so is whoever has the monitor's text.
    fn is_caught(&self, entries: &[Entry], check: Check, weight: Verdict) {
        let (forged, pen) = self.retold(entries);
        let alone = forged.verify(READER);
        let accused = alone.findings.iter().any(|finding| matches!(finding.check, Check::Fork | Check::Behind));
        assert!(!accused, "{:?}", alone.findings);

        carry_memory(&self.honest_vault, &forged, &pen);
        let (verified, cosigned) = cosigning(&forged, MONITOR, MONITORS_DEVICE);
        let found = |verified: &Verified| {
            let of_log = |found: &&amparo::vault::findings::Finding| found.subject == pen.folder();
            let found = verified.findings.iter().filter(of_log).find(|found| found.check == check);
            found.map(|found| found.weight)
        };
        assert_eq!(found(&verified), Some(weight), "{:?}", verified.findings);
        assert!(cosigned.signed.iter().chain(&cosigned.before).all(|state| state.head.log != pen.id));
        assert!(cosigned.refused.is_some() || cosigned.withheld.iter().any(|log| log.log == pen.id));

        // A reader abroad, whose device has never seen the vault, gets the forgery, and the text by phone.
        let (forged, _) = self.retold(entries);
        let taken = taking(&forged, READER, "/state/reader", &self.text);
        assert!(taken.refused.is_empty(), "{:?}", taken.refused);
        let worth = if check == Check::Fork { Worth::Fork } else { Worth::Beyond };
        assert!(taken.added.iter().any(|one| one.head.log == pen.id && one.worth == worth));
        assert_eq!(found(&forged.verify(READER)), Some(weight));
        // The proof is in the vault from now on, for everybody.
        assert_eq!(found(&forged.verify(FOUNDER)), Some(weight));
    }
}

#[test]
fn a_log_that_is_retold_as_it_was_accuses_nobody() {
    let seen = seen_by_a_monitor();
    let (forge, _) = seen.retold(&seen.honest);
    let taken = taking(&forge, READER, "/state/reader", &seen.text);
    assert!(taken.added.iter().all(|one| one.worth == Worth::Counts), "{:?}", taken.added);
    let verified = forge.verify(READER);
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
    assert_eq!((verified.covered_exhibits, verified.exhibits), (3, 3));
    // A longer log that continues it is as honest.
    let (forge, mut pen) = seen.retold(&seen.honest);
    pen.say(&forge, &[], note("and on"));
    taking(&forge, READER, "/state/reader", &seen.text);
    assert!(forge.verify(READER).findings.is_empty());
}

#[test]
fn an_exhibit_that_is_rewritten_is_caught() {
    let seen = seen_by_a_monitor();
    let mut retold = seen.honest.clone();
    let mut other = seen.pen_before.clone();
    other.next_number = 2;
    let (event, _) = other.sealing(&seen.before, &[Exhibit::text("what suits me better")], &Twist::default());
    retold[1].event = event;
    seen.is_caught(&retold, Check::Fork, INVALID);
}

#[test]
fn an_exhibit_that_is_dropped_is_caught() {
    let seen = seen_by_a_monitor();
    // The last one: what is left is a beginning of what was signed.
    seen.is_caught(&seen.honest[..2], Check::Behind, INCOMPLETE);
    // One in the middle, and something harmless instead, so that the size is right.
    let mut retold = seen.honest.clone();
    retold[1].event = note("nothing happened");
    let Event::Seal(seal) = &mut retold[2].event else { unreachable!() };
    seal.first = 2;
    seen.is_caught(&retold, Check::Fork, INVALID);
}

#[test]
fn entries_that_are_reordered_are_caught() {
    let seen = seen_by_a_monitor();
    let mut retold = seen.honest.clone();
    retold.swap(0, 1);
    seen.is_caught(&retold, Check::Fork, INVALID);
}

#[test]
fn an_entry_that_is_backdated_is_caught() {
    let seen = seen_by_a_monitor();
    let mut retold = seen.honest.clone();
    retold[2].time = "2029-01-01T08:00:00-03:00".into();
    seen.is_caught(&retold, Check::Fork, INVALID);
}

#[test]
fn a_log_that_is_signed_anew_with_other_nonces_is_caught() {
    let seen = seen_by_a_monitor();
    let mut retold = seen.honest.clone();
    for entry in &mut retold {
        entry.nonce = [9; 16];
    }
    seen.is_caught(&retold, Check::Fork, INVALID);
    // The same entries under fresh signatures are the same log.
    let (forge, pen) = seen.retold(&seen.honest);
    pen.sign(&forge);
    carry_memory(&seen.honest_vault, &forge, &pen);
    let (verified, cosigned) = cosigning(&forge, MONITOR, MONITORS_DEVICE);
    let of_log = verified.findings.iter().filter(|found| found.subject.starts_with(&pen.folder())).count();
    assert_eq!((of_log, cosigned.refused), (0, None), "{:?}", verified.findings);
}

#[test]
fn a_forgery_longer_than_what_was_signed_is_caught() {
    let seen = seen_by_a_monitor();
    let mut retold = seen.honest.clone();
    retold[0].time = "2029-01-01T08:00:00-03:00".into();
    for _ in 0..3 {
        let more = Entry { event: note("busy"), ..seen.honest[0].clone() };
        retold.push(more);
    }
    seen.is_caught(&retold, Check::Fork, INVALID);
}

#[test]
fn an_unconcerned_log_is_cosigned_beside_one_that_is_forked() {
    let seen = seen_by_a_monitor();
    let (forge, mut pen) = seen.retold(&seen.honest[..2]);
    let mut other = pen.clone();
    pen.say(&forge, &[], note("one"));
    other.say(&forge, &[], note("other"));
    let (verified, cosigned) = cosigning(&forge, MONITOR, "/state/another");
    assert_eq!(verified.verdict, INVALID);
    assert_eq!(cosigned.refused, None);
    assert_eq!(cosigned.signed.iter().map(|state| state.name.as_str()).collect::<Vec<_>>(), ["Heron"]);
    assert_eq!(cosigned.withheld[0].log, pen.id);
    assert!(cosigned.withheld[0].reason.contains("two histories signed with one key"));
}
