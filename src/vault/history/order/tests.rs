//! The order against a slow one that does word for word what FORMAT 7.2 says, on histories made at random.

use super::*;
use crate::crypto::hash::Hash;
use crate::crypto::seed::Seed;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::entry::Entry;
use crate::format::event::Event;
use crate::format::ids::{MemberId, VaultId};
use crate::format::note::Note;
use crate::vault::history::{Standing, Told};

/// Repeatedly the earliest of all entries whose believed heads are taken; patient as long as anything else can go on.
fn slowly(logs: &BTreeMap<LogId, Log>) -> Vec<Place> {
    let ids: Vec<LogId> = logs.keys().copied().collect();
    let (said, _) = all_said(&logs.values().collect::<Vec<_>>());
    let mut done: BTreeMap<LogId, u64> = logs.keys().map(|log| (*log, 0)).collect();
    let mut order = Vec::new();
    loop {
        let ready = |patiently: bool| {
            let next = logs.values().filter_map(|log| {
                let place = Place { log: log.id, seq: done[&log.id] };
                let told = log.entries.get(usize::try_from(place.seq).expect("small"))?;
                let own = ids.iter().position(|id| *id == log.id).expect("a log");
                let holds = at(&said, own, place.seq)?.seen.as_ref().is_none_or(|seen| {
                    let whole = |other: &usize| done[&ids[*other]] >= logs[&ids[*other]].head.size;
                    seen.here.iter().all(|(other, size)| done[&ids[*other]] >= *size)
                        && (!patiently || seen.beyond.iter().all(whole))
                });
                holds.then_some((told.entry.time.parse::<Timestamp>().expect("a time"), place))
            });
            next.min_by_key(|(time, place)| (*time, place.log))
        };
        let Some((_, place)) = ready(true).or_else(|| ready(false)) else { return order };
        *done.get_mut(&place.log).expect("a log") += 1;
        order.push(place);
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn root(log: LogId, size: u64) -> Hash {
    Hash::tagged("root", &[&log.0, &size.to_be_bytes()])
}

fn history(dice: &mut Dice, note: &Note) -> BTreeMap<LogId, Log> {
    let ids: Vec<LogId> = (0..2 + u8::try_from(dice.below(5)).expect("small")).map(|id| LogId([id; 16])).collect();
    let mut sizes = vec![0_u64; ids.len()];
    let mut logs: BTreeMap<LogId, Log> = BTreeMap::new();
    for _ in 0..dice.below(40) {
        let own = usize::try_from(dice.below(ids.len() as u64)).expect("small");
        // Mostly what stands there; now and then a state that this copy lacks, or another root.
        let mut heads = Vec::new();
        for (other, id) in ids.iter().enumerate().filter(|(other, _)| *other != own) {
            let size = match dice.below(8) {
                0 | 1 if sizes[other] > 0 => 1 + dice.below(sizes[other]),
                2 => sizes[other] + 1 + dice.below(6),
                _ => continue,
            };
            let told = if dice.below(10) == 0 { Hash::of(b"another") } else { root(*id, size) };
            heads.push(Head { log: *id, size, root: told });
        }
        let (id, seq) = (ids[own], sizes[own]);
        let entry = Entry {
            format: Entry::FORMAT.into(),
            vault: VaultId(Hash::of(b"")),
            log: id,
            seq,
            previous: root(id, seq),
            nonce: [0; 16],
            time: format!("2031-05-04T23:{:02}:00+00:00", dice.below(6)),
            clock: "device".into(),
            heads,
            tool: "test".into(),
            begins: None,
            event: Event::Close { reason: String::new() },
        };
        sizes[own] += 1;
        let head = Head { log: id, size: sizes[own], root: root(id, sizes[own]) };
        let log = logs.entry(id).or_insert_with(|| Log {
            id,
            member: MemberId(Hash::of(b"")),
            handle: String::new(),
            entries: Vec::new(),
            head,
            note: note.clone(),
            forks: Vec::new(),
            turned: false,
        });
        log.head = head;
        let (past, standing) = (Arc::new(Past::default()), Standing::Counted);
        log.entries.push(Told {
            entry: Arc::new(entry),
            leaf: Hash::of(b""),
            past,
            blind: false,
            undecided: false,
            standing,
        });
    }
    logs
}

#[test]
fn the_order_is_that_of_the_format() {
    let origin = Origin { vault: VaultId(Hash::of(b"")), log: LogId([0; 16]) };
    let checkpoint = Checkpoint { origin, size: 1, root: Hash::of(b"") };
    let note = checkpoint.sign(&Seed::from_bytes(&[1; 32]).keys());
    let mut dice = Dice(7);
    let mut waited = 0;
    for _ in 0..3000 {
        let mut logs = history(&mut dice, &note);
        let expected = slowly(&logs);
        assert_eq!(causal(&mut logs).order, expected);
        waited += u32::from(expected.windows(2).any(|pair| {
            let time = |place: &Place| &logs[&place.log].entries[usize::try_from(place.seq).expect("small")].entry.time;
            time(&pair[0]) > time(&pair[1])
        }));
    }
    assert!(waited > 1000, "times alone do not make the order: {waited}");
}

/// How much of each log had been seen before each entry: what the entry names, what its author had seen before, and all
/// that the owners of those logs had seen by then.
fn seen_before(logs: &BTreeMap<LogId, Log>, order: &[Place]) -> BTreeMap<Place, BTreeMap<LogId, u64>> {
    let ids: Vec<LogId> = logs.keys().copied().collect();
    let (said, _) = all_said(&logs.values().collect::<Vec<_>>());
    let mut done: BTreeMap<LogId, u64> = BTreeMap::new();
    let mut before: BTreeMap<Place, BTreeMap<LogId, u64>> = BTreeMap::new();
    for place in order {
        let last = |log: LogId, size: u64| Some(Place { log, seq: size.checked_sub(1)? });
        let mut seen = last(place.log, place.seq).map(|last| before[&last].clone()).unwrap_or_default();
        let own = ids.iter().position(|id| *id == place.log).expect("a log");
        if let Some(named) = at(&said, own, place.seq).and_then(|said| said.seen.as_ref()) {
            let here = named.here.iter().map(|(other, size)| (ids[*other], *size));
            let beyond = named.beyond.iter().map(|other| (ids[*other], done.get(&ids[*other]).copied().unwrap_or(0)));
            for (other, size) in here.chain(beyond) {
                let theirs = last(other, size).map(|last| before[&last].clone()).unwrap_or_default();
                for (log, size) in theirs.into_iter().chain([(other, size)]).filter(|(_, size)| *size > 0) {
                    let known = seen.entry(log).or_default();
                    *known = size.max(*known);
                }
            }
        }
        before.insert(*place, seen);
        done.insert(place.log, place.seq + 1);
    }
    before
}

#[test]
fn what_somebody_had_seen_is_all_that_those_had_whom_she_saw() {
    let origin = Origin { vault: VaultId(Hash::of(b"")), log: LogId([0; 16]) };
    let note = Checkpoint { origin, size: 1, root: Hash::of(b"") }.sign(&Seed::from_bytes(&[1; 32]).keys());
    let mut dice = Dice(11);
    let mut by_others = 0;
    for _ in 0..3000 {
        let mut logs = history(&mut dice, &note);
        let order = causal(&mut logs).order;
        for (place, expected) in seen_before(&logs, &order) {
            let told = &logs[&place.log].entries[usize::try_from(place.seq).expect("small")];
            assert_eq!(told.past.iter().collect::<BTreeMap<_, _>>(), expected, "{place:?}");
            by_others += u32::from(expected.len() > told.entry.heads.len());
        }
    }
    assert!(by_others > 1000, "most was not named by the entry itself: {by_others}");
}
