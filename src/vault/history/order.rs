//! Puts all entries into one order in which each stands after what its author had seen: order without trusted clocks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Log, Past, Place, Told};
use crate::format::event::Head;
use crate::format::ids::LogId;
use crate::store::layout;
use crate::vault::findings::{Check, Finding, Verdict};
use crate::vault::parallel;

/// How far each log has been put in order, and what was seen at each step that saw something new. Here as in all that
/// follows a log is its number among all, in ascending order of their ids: for every state that every entry names,
/// nothing is searched for.
struct Walk {
    /// For each log: entries done, and the past after the last of them.
    done: Vec<(u64, Arc<Past>)>,
    /// For each log: the past after each entry at which it changed by more than the entry itself.
    steps: Vec<Vec<(u64, Arc<Past>)>>,
    /// For each log: the first entry whose author had seen something that is not here.
    blind: Vec<Option<u64>>,
}

/// What an entry says of other logs' states, as far as it can be told here.
#[derive(Default)]
struct Seen {
    /// States that this copy has: log and size.
    here: Vec<(usize, u64)>,
    /// States beyond this copy: what is here of their logs had been seen as well, but that cannot be shown.
    beyond: Vec<usize>,
    /// Whether anything was seen that is not here.
    blind: bool,
}

/// What the order rests on of an entry.
struct Said {
    /// When, as claimed.
    time: Option<Timestamp>,
    /// What it says of other logs; `None` where that is nothing.
    seen: Option<Seen>,
}

/// Of each log, what its entries say.
type AllSaid = Vec<Vec<Said>>;

/// All entries in order, and what does not hold of what they say of other logs' states.
pub(super) struct Ordered {
    pub(super) order: Vec<Place>,
    pub(super) troubles: Vec<(Place, Finding)>,
}

/// Orders all entries, fills in each one's past, and checks what logs say of each other's states.
pub(super) fn causal(logs: &mut BTreeMap<LogId, Log>) -> Ordered {
    let (steps, troubles) = walk(&logs.values().collect::<Vec<_>>());
    let mut logs: Vec<&mut Log> = logs.values_mut().collect();
    let mut order = Vec::with_capacity(steps.len());
    for Step { log, seq, past, blind } in steps {
        let told = &mut logs[log].entries[usize::try_from(seq).expect("entries are in memory")];
        (told.past, told.blind) = (past, blind);
        order.push(Place { log: logs[log].id, seq });
    }
    Ordered { order, troubles }
}

/// One entry that was taken: what its author had seen before it, and whether something of that is not here.
struct Step {
    log: usize,
    seq: u64,
    past: Arc<Past>,
    blind: bool,
}

fn walk(logs: &[&Log]) -> (Vec<Step>, Vec<(Place, Finding)>) {
    let (said, troubles) = all_said(logs);
    let nothing = Arc::new(Past::of_nothing(logs.iter().map(|log| log.id).collect()));
    let mut walk = Walk {
        done: vec![(0, nothing); logs.len()],
        steps: vec![Vec::new(); logs.len()],
        blind: vec![None; logs.len()],
    };
    let mut queue = Queue {
        logs,
        said: &said,
        ready: BTreeSet::new(),
        impatient: BTreeSet::new(),
        waiting: vec![BTreeMap::new(); logs.len()],
    };
    for log in 0..logs.len() {
        queue.look_at(log, &walk);
    }
    let mut steps = Vec::with_capacity(logs.iter().map(|log| log.entries.len()).sum());
    while let Some(log) = queue.take() {
        steps.push(walk.step(log, at(&said, log, walk.done[log].0).and_then(|said| said.seen.as_ref())));
        queue.advanced(log, &walk);
    }
    (steps, troubles)
}

/// What each entry says, the states that it names held against the logs themselves.
fn all_said(logs: &[&Log]) -> (AllSaid, Vec<(Place, Finding)>) {
    let of_each = parallel::map(logs, |log| {
        let mut troubles = Vec::new();
        let mut named: BTreeMap<LogId, u64> = BTreeMap::new();
        let said_by = |told: &Told| {
            let mut seen = Seen::default();
            for head in &told.entry.heads {
                let largest = named.entry(head.log).or_default();
                let before = std::mem::replace(largest, head.size.max(*largest));
                let other = logs.binary_search_by_key(&head.log, |log| log.id).ok();
                if let Err((weight, check, message)) = seen.take(head, before, other.map(|at| (at, logs[at]))) {
                    let place = Place { log: log.id, seq: told.entry.seq };
                    let subject = format!("{}, entry {}", layout::log(log.id), place.seq);
                    troubles.push((place, Finding { weight, check, subject, message }));
                }
            }
            Said { time: told.entry.time.parse().ok(), seen: (!told.entry.heads.is_empty()).then_some(seen) }
        };
        let said: Vec<Said> = log.entries.iter().map(said_by).collect();
        (said, troubles)
    });
    let (said, troubles): (AllSaid, Vec<_>) = of_each.into_iter().unzip();
    (said, troubles.concat())
}

/// What the entry at a place says, if one stands there.
fn at(said: &AllSaid, log: usize, seq: u64) -> Option<&Said> {
    said[log].get(usize::try_from(seq).ok()?)
}

impl Seen {
    /// Takes in one state; `before` is the size at which the same log was named earlier.
    fn take(&mut self, head: &Head, before: u64, log: Option<(usize, &Log)>) -> Result<(), (Verdict, Check, String)> {
        let Head { log: id, size, .. } = head;
        if before >= *size {
            let message = format!("it names log {id} at {size} entries, and named it at no fewer before");
            return Err((Verdict::Invalid, Check::Reference, message));
        }
        if let Some((at, log)) = log
            && log.root_at(*size) == Some(head.root)
        {
            self.here.push((at, *size));
            return Ok(());
        }
        // Whoever saw the other of two histories tells the truth: the fork is the fault of the log's own member. It may be
        // the longer one, where a cut has named the other.
        if let Some((at, fork)) = log.and_then(|(at, log)| Some((at, log.fork_of(head)?))) {
            self.blind = true;
            self.here.extend((fork.parted > 0).then_some((at, fork.parted)));
            return Ok(());
        }
        let here = log.map_or(0, |(_, log)| log.head.size);
        if here < *size {
            self.blind = true;
            self.beyond.extend(log.map(|(at, _)| at));
            let message = format!("it names log {id} at {size} entries; this copy has {here}");
            return Err((Verdict::Incomplete, Check::Behind, message));
        }
        Err((Verdict::Invalid, Check::Reference, contradicts(head)))
    }
}

/// In words, that a state which somebody names is none of its log's here. Whose fault that is cannot be told from one copy:
/// the log's owner may have signed another history, of which this copy has nothing.
pub(super) fn contradicts(head: &Head) -> String {
    let Head { log, size, .. } = head;
    format!(
        "what it says of log {log} at {size} entries is not what is signed of that log here: either this entry or that log's owner signed falsely; another copy may show which"
    )
}

/// What stands next in each log, by when its turn comes: among those that are ready the earliest claimed time goes first,
/// then the lower log. A state that cannot be shown is waited for only while something else can go on: two lies must not
/// wait for each other.
struct Queue<'a> {
    logs: &'a [&'a Log],
    said: &'a AllSaid,
    /// Everything that was seen is taken.
    ready: BTreeSet<(Timestamp, usize)>,
    /// The same, but a state beyond this copy was seen, and what is here of that log is not all taken.
    impatient: BTreeSet<(Timestamp, usize)>,
    /// Of each log, by the size that it must reach first: whose next entry waits for that.
    waiting: Vec<BTreeMap<u64, Vec<usize>>>,
}

impl Queue<'_> {
    /// Finds out what the next entry of a log waits for. Each condition, once it holds, holds for ever.
    fn look_at(&mut self, log: usize, walk: &Walk) {
        let Some(Said { time: Some(time), seen }) = at(self.said, log, walk.done[log].0) else { return };
        let time = *time;
        let Some(seen) = seen else {
            self.ready.insert((time, log));
            return;
        };
        if let Some((missing, size)) = seen.here.iter().find(|(other, size)| walk.done[*other].0 < *size) {
            return self.wait(log, *missing, *size);
        }
        let size_here = |log: usize| self.logs[log].head.size;
        let missing = seen.beyond.iter().copied().find(|other| walk.done[*other].0 < size_here(*other));
        if let Some((missing, size)) = missing.map(|missing| (missing, size_here(missing))) {
            self.impatient.insert((time, log));
            self.wait(log, missing, size);
        } else {
            self.impatient.remove(&(time, log));
            self.ready.insert((time, log));
        }
    }

    fn wait(&mut self, log: usize, until: usize, size: u64) {
        self.waiting[until].entry(size).or_default().push(log);
    }

    /// Takes the log whose entry comes next.
    fn take(&mut self) -> Option<usize> {
        self.ready.pop_first().or_else(|| self.impatient.pop_first()).map(|(_, log)| log)
    }

    /// A log has got one entry further.
    fn advanced(&mut self, log: usize, walk: &Walk) {
        self.look_at(log, walk);
        let size = walk.done[log].0;
        while let Some(entry) = self.waiting[log].first_entry() {
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
    /// Takes the next entry of a log.
    fn step(&mut self, log: usize, named: Option<&Seen>) -> Step {
        let (seq, mut past) = self.done[log].clone();
        let was_blind = |log: usize, size: u64| self.blind[log].is_some_and(|from| from < size);
        let mut blind = was_blind(log, seq);
        if let Some(named) = named {
            let beyond = named.beyond.iter().map(|other| (*other, self.done[*other].0));
            let heads: Vec<(usize, u64)> = named.here.iter().copied().chain(beyond).collect();
            blind |= named.blind || heads.iter().any(|(other, size)| was_blind(*other, *size));
            if !heads.is_empty() {
                let mut seen = Past::clone(&past);
                for (other, size) in heads {
                    // Whoever had seen so much of a log had seen what its owner had by then.
                    if seen.see(other, size) {
                        seen.see_all(self.past_at(other, size));
                    }
                }
                past = Arc::new(seen);
                self.steps[log].push((seq, Arc::clone(&past)));
            }
        }
        if blind {
            self.blind[log].get_or_insert(seq);
        }
        self.done[log] = (seq + 1, Arc::clone(&past));
        Step { log, seq, past, blind }
    }

    /// What the owner of a log had seen of others when it had `size` entries, where it was anything.
    fn past_at(&self, log: usize, size: u64) -> Option<&Past> {
        let known = self.steps[log].partition_point(|(seq, _)| *seq < size);
        known.checked_sub(1).map(|last| &*self.steps[log][last].1)
    }
}

#[cfg(test)]
mod tests;
