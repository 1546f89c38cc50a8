//! Puts all entries into one order in which each stands after what its author had seen: order without trusted clocks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Log, Past, Place};
use crate::format::event::Head;
use crate::format::ids::LogId;
use crate::store::layout;
use crate::vault::findings::{Check, Finding, Verdict};

/// How far each log has been put in order, and what was seen at each step that saw something new.
struct Walk {
    /// What somebody has seen who has seen nothing.
    nothing: Arc<Past>,
    /// For each log: entries done, and the past after the last of them.
    done: BTreeMap<LogId, (u64, Arc<Past>)>,
    /// For each log: the past after each entry at which it changed by more than the entry itself.
    steps: BTreeMap<LogId, Vec<(u64, Arc<Past>)>>,
    /// For each log: the first entry whose author had seen something that is not here.
    blind: BTreeMap<LogId, u64>,
}

/// What an entry says of other logs' states, as far as it can be told here.
#[derive(Default)]
struct Seen {
    /// States that this copy has.
    here: Vec<Head>,
    /// States beyond this copy: what is here of their logs had been seen as well, but that cannot be shown.
    beyond: Vec<LogId>,
    /// Whether anything was seen that is not here.
    blind: bool,
}

/// All entries in order, and what does not hold of what they say of other logs' states.
pub(super) struct Ordered {
    pub(super) order: Vec<Place>,
    pub(super) troubles: Vec<(Place, Finding)>,
}

/// Orders all entries, fills in each one's past, and checks what logs say of each other's states.
pub(super) fn causal(logs: &mut BTreeMap<LogId, Log>) -> Ordered {
    let (seen, troubles) = seen_states(logs);
    let nothing = Arc::new(Past::of_nothing(logs.keys().copied().collect()));
    let mut walk = Walk { nothing, done: BTreeMap::new(), steps: BTreeMap::new(), blind: BTreeMap::new() };
    // Among logs whose next entry is ready, the earliest claimed time goes first, then the lower log id. A state that
    // cannot be shown is waited for only while something else can go on: two lies must not wait for each other.
    let (ready, impatient, waiting) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    let mut queue = Queue { logs, seen: &seen, ready, impatient, waiting };
    for log in logs.keys() {
        queue.look_at(*log, &walk);
    }
    let mut steps = Vec::with_capacity(logs.values().map(|log| log.entries.len()).sum());
    while let Some(log) = queue.take() {
        let place = Place { log, seq: walk.done(log) };
        let (past, blind) = walk.step(place, seen.get(&place));
        steps.push((place, past, blind));
        queue.advanced(log, &walk);
    }
    let mut order = Vec::with_capacity(steps.len());
    for (place, past, blind) in steps {
        let entries = &mut logs.get_mut(&place.log).expect("the walk names logs of the vault").entries;
        let told = &mut entries[usize::try_from(place.seq).expect("entries are in memory")];
        (told.past, told.blind) = (past, blind);
        order.push(place);
    }
    Ordered { order, troubles }
}

/// The states that each entry names, against the logs themselves.
fn seen_states(logs: &BTreeMap<LogId, Log>) -> (BTreeMap<Place, Seen>, Vec<(Place, Finding)>) {
    let (mut all, mut troubles) = (BTreeMap::new(), Vec::new());
    for log in logs.values() {
        let mut named: BTreeMap<LogId, u64> = BTreeMap::new();
        for told in log.entries.iter().filter(|told| !told.entry.heads.is_empty()) {
            let place = Place { log: log.id, seq: told.entry.seq };
            let mut seen = Seen::default();
            for head in &told.entry.heads {
                let before = named.get(&head.log).copied().unwrap_or(0);
                named.insert(head.log, before.max(head.size));
                if let Err((weight, check, message)) = seen.take(head, before, logs.get(&head.log)) {
                    let subject = format!("{}, entry {}", layout::log(log.id), told.entry.seq);
                    troubles.push((place, Finding { weight, check, subject, message }));
                }
            }
            all.insert(place, seen);
        }
    }
    (all, troubles)
}

impl Seen {
    /// Takes in one state; `before` is the size at which the same log was named earlier.
    fn take(&mut self, head: &Head, before: u64, log: Option<&Log>) -> Result<(), (Verdict, Check, String)> {
        let Head { log: id, size, .. } = head;
        if before >= *size {
            let message = format!("it names log {id} at {size} entries, and named it at no fewer before");
            return Err((Verdict::Invalid, Check::Reference, message));
        }
        if log.is_some_and(|log| log.root_at(*size) == Some(head.root)) {
            self.here.push(*head);
            return Ok(());
        }
        // Whoever saw the other of two histories tells the truth: the fork is the fault of the log's own member. It may be
        // the longer one, where a cut has named the other.
        if let Some((log, fork)) = log.and_then(|log| Some((log, log.fork_of(head)?))) {
            self.blind = true;
            let common = log.root_at(fork.parted).filter(|_| fork.parted > 0);
            self.here.extend(common.map(|root| Head { log: *id, size: fork.parted, root }));
            return Ok(());
        }
        if log.is_none_or(|log| log.head.size < *size) {
            let here = log.map_or(0, |log| log.head.size);
            self.blind = true;
            self.beyond.extend(log.map(|log| log.id));
            let message = format!("it names log {id} at {size} entries; this copy has {here}");
            return Err((Verdict::Incomplete, Check::Behind, message));
        }
        let message = format!("what it says of log {id} at {size} entries contradicts that log's own signed history");
        Err((Verdict::Invalid, Check::Reference, message))
    }
}

/// What stands next in each log, by when its turn comes.
struct Queue<'a> {
    logs: &'a BTreeMap<LogId, Log>,
    seen: &'a BTreeMap<Place, Seen>,
    /// Everything that was seen is taken: the earliest claimed time goes first, then the lower log id.
    ready: BTreeSet<(Timestamp, LogId)>,
    /// The same, but a state beyond this copy was seen, and what is here of that log is not all taken.
    impatient: BTreeSet<(Timestamp, LogId)>,
    /// By log and the size that it must reach first: whose next entry waits for that.
    waiting: BTreeMap<LogId, BTreeMap<u64, Vec<LogId>>>,
}

impl Queue<'_> {
    /// Finds out what the next entry of a log waits for. Each condition, once it holds, holds for ever.
    fn look_at(&mut self, log: LogId, walk: &Walk) {
        let seq = walk.done(log);
        let next = self.logs.get(&log).and_then(|log| log.entries.get(usize::try_from(seq).ok()?));
        let Some(time) = next.and_then(|told| told.entry.time.parse().ok()) else { return };
        let nothing = Seen::default();
        let seen = self.seen.get(&Place { log, seq }).unwrap_or(&nothing);
        if let Some(missing) = seen.here.iter().find(|head| walk.done(head.log) < head.size) {
            return self.wait(log, missing.log, missing.size);
        }
        let size_here = |log: &LogId| self.logs.get(log).map_or(0, |log| log.head.size);
        let missing = seen.beyond.iter().find(|log| walk.done(**log) < size_here(log));
        if let Some((missing, size)) = missing.map(|missing| (*missing, size_here(missing))) {
            self.impatient.insert((time, log));
            self.wait(log, missing, size);
        } else {
            self.impatient.remove(&(time, log));
            self.ready.insert((time, log));
        }
    }

    fn wait(&mut self, log: LogId, until: LogId, size: u64) {
        self.waiting.entry(until).or_default().entry(size).or_default().push(log);
    }

    /// Takes the log whose entry comes next.
    fn take(&mut self) -> Option<LogId> {
        self.ready.pop_first().or_else(|| self.impatient.pop_first()).map(|(_, log)| log)
    }

    /// A log has got one entry further.
    fn advanced(&mut self, log: LogId, walk: &Walk) {
        self.look_at(log, walk);
        let size = walk.done(log);
        while let Some(entry) = self.waiting.get_mut(&log).and_then(BTreeMap::first_entry) {
            if *entry.key() > size {
                break;
            }
            for waiting in entry.remove() {
                self.look_at(waiting, walk);
            }
        }
    }
}

impl Walk {
    /// How many entries of a log are taken.
    fn done(&self, log: LogId) -> u64 {
        self.done.get(&log).map_or(0, |(done, _)| *done)
    }

    /// Takes one entry; returns what its author had seen before it, and whether all of that is here.
    fn step(&mut self, place: Place, named: Option<&Seen>) -> (Arc<Past>, bool) {
        let done = self.done.get(&place.log);
        let mut past = done.map_or_else(|| Arc::clone(&self.nothing), |(_, past)| Arc::clone(past));
        let nothing = Seen::default();
        let named = named.unwrap_or(&nothing);
        let beyond = named.beyond.iter().map(|log| (*log, self.done.get(log).map_or(0, |(done, _)| *done)));
        let heads: Vec<(LogId, u64)> = named.here.iter().map(|head| (head.log, head.size)).chain(beyond).collect();
        if !heads.is_empty() {
            let mut seen = Past::clone(&past);
            for (log, size) in &heads {
                seen.see(log, *size);
                seen.see_all(self.past_at(*log, *size));
            }
            past = Arc::new(seen);
            self.steps.entry(place.log).or_default().push((place.seq, Arc::clone(&past)));
        }
        let was_blind = |log: &LogId, size: u64| self.blind.get(log).is_some_and(|from| *from < size);
        let blind =
            named.blind || was_blind(&place.log, place.seq) || heads.iter().any(|(log, size)| was_blind(log, *size));
        if blind {
            self.blind.entry(place.log).or_insert(place.seq);
        }
        self.done.insert(place.log, (place.seq + 1, Arc::clone(&past)));
        (past, blind)
    }

    /// What the owner of a log had seen when it had `size` entries.
    fn past_at(&self, log: LogId, size: u64) -> &Past {
        let steps = self.steps.get(&log).map(Vec::as_slice).unwrap_or_default();
        let known = steps.partition_point(|(seq, _)| *seq < size);
        known.checked_sub(1).map_or(&self.nothing, |last| &steps[last].1)
    }
}

#[cfg(test)]
mod tests;
