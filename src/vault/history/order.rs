//! Puts all entries into one order in which each stands after what its author had seen: order without trusted clocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Log, Past, Place};
use crate::format::event::Head;
use crate::format::ids::LogId;
use crate::store::layout;
use crate::vault::findings::{Check, Findings};

/// How far each log has been put in order, and what was seen at each step that saw something new.
#[derive(Default)]
struct Walk {
    /// For each log: entries done, and the past after the last of them.
    done: BTreeMap<LogId, (u64, Arc<Past>)>,
    /// For each log: the past after each entry at which it changed by more than the entry itself.
    steps: BTreeMap<LogId, Vec<(u64, Arc<Past>)>>,
}

/// Orders all entries, fills in each one's past, and checks what logs say of each other's states.
pub(super) fn causal(logs: &mut BTreeMap<LogId, Log>, findings: &mut Findings) -> Vec<Place> {
    let believed = believed_heads(logs, findings);
    let mut walk = Walk::default();
    let mut order = Vec::with_capacity(logs.values().map(|log| log.entries.len()).sum());
    // Among logs whose next entry is ready, the earliest claimed time goes first, then the lower log id.
    while let Some(log) = next_ready(logs, &believed, &walk) {
        let seq = walk.done.get(&log).map_or(0, |(done, _)| *done);
        let place = Place { log, seq };
        let past = walk.step(place, believed.get(&place).map(Vec::as_slice).unwrap_or_default());
        let entries = &mut logs.get_mut(&log).expect("the walk names logs of the vault").entries;
        entries[usize::try_from(seq).expect("entries are in memory")].past = past;
        order.push(place);
    }
    order
}

/// The heads that each entry names and that this copy can confirm; the others become findings.
fn believed_heads(logs: &BTreeMap<LogId, Log>, findings: &mut Findings) -> BTreeMap<Place, Vec<Head>> {
    let mut believed = BTreeMap::new();
    for log in logs.values() {
        let mut named: BTreeMap<LogId, u64> = BTreeMap::new();
        for told in &log.entries {
            let mut holds = Vec::new();
            let subject = || format!("{}, entry {}", layout::log(log.id), told.entry.seq);
            for head in &told.entry.heads {
                let before = named.insert(head.log, head.size);
                let here = logs.get(&head.log);
                if before.is_some_and(|before| before >= head.size) {
                    findings.invalid(
                        Check::Reference,
                        subject(),
                        format!("it names log {} at {} entries, and named it at no fewer before", head.log, head.size),
                    );
                } else if here.is_none_or(|other| other.head.size < head.size) {
                    let size = here.map_or(0, |other| other.head.size);
                    let message = format!("it names log {} at {} entries; this copy has {size}", head.log, head.size);
                    findings.incomplete(Check::Behind, subject(), message);
                } else if here.and_then(|other| other.root_at(head.size)) == Some(head.root) {
                    holds.push(*head);
                } else {
                    let message = format!(
                        "what it says of log {} at {} entries contradicts that log's own signed history",
                        head.log, head.size
                    );
                    findings.invalid(Check::Reference, subject(), message);
                }
            }
            if !holds.is_empty() {
                believed.insert(Place { log: log.id, seq: told.entry.seq }, holds);
            }
        }
    }
    believed
}

fn next_ready(logs: &BTreeMap<LogId, Log>, believed: &BTreeMap<Place, Vec<Head>>, walk: &Walk) -> Option<LogId> {
    let done = |log: &LogId| walk.done.get(log).map_or(0, |(done, _)| *done);
    let ready = logs.values().filter_map(|log| {
        let seq = done(&log.id);
        let told = log.entries.get(usize::try_from(seq).ok()?)?;
        let heads = believed.get(&Place { log: log.id, seq }).map(Vec::as_slice).unwrap_or_default();
        let time: jiff::Timestamp = told.entry.time.parse().ok()?;
        heads.iter().all(|head| done(&head.log) >= head.size).then_some((time, log.id))
    });
    ready.min().map(|(_, log)| log)
}

impl Walk {
    /// Takes one entry; returns what its author had seen before it.
    fn step(&mut self, place: Place, heads: &[Head]) -> Arc<Past> {
        let (_, seen) = self.done.get(&place.log).cloned().unwrap_or_default();
        let past = if heads.is_empty() {
            seen
        } else {
            let mut past = Past::clone(&seen);
            for head in heads {
                merge(&mut past, head.log, head.size);
                for (log, size) in self.past_at(*head).iter() {
                    merge(&mut past, *log, *size);
                }
            }
            let past = Arc::new(past);
            self.steps.entry(place.log).or_default().push((place.seq, Arc::clone(&past)));
            past
        };
        self.done.insert(place.log, (place.seq + 1, Arc::clone(&past)));
        past
    }

    /// What the owner of a log had seen when it had `head.size` entries.
    fn past_at(&self, head: Head) -> Arc<Past> {
        let steps = self.steps.get(&head.log).map(Vec::as_slice).unwrap_or_default();
        let known = steps.partition_point(|(seq, _)| *seq < head.size);
        known.checked_sub(1).map(|last| Arc::clone(&steps[last].1)).unwrap_or_default()
    }
}

fn merge(past: &mut Past, log: LogId, size: u64) {
    let seen = past.entry(log).or_default();
    *seen = size.max(*seen);
}
