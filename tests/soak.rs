//! How much the harnesses do, in one place: `AMPARO_SOAK=N .ci/run` makes each of them do N times what every run does, and
//! `AMPARO_SEED` lets chance begin elsewhere. What one harness alone shall do has a variable of its own, which wins.

use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Where chance begins unless something is said.
const SEED: u64 = 20_310_504;

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// So many times what every run does.
pub(crate) fn times() -> u64 {
    number("AMPARO_SOAK").unwrap_or(1).max(1)
}

/// How much to do: what `variable` says, else `usual`, as many times as was asked for.
pub(crate) fn count(variable: &str, usual: u64) -> u64 {
    number(variable).unwrap_or_else(|| usual.saturating_mul(times()))
}

/// Where chance begins.
pub(crate) fn seed() -> u64 {
    number("AMPARO_SEED").unwrap_or(SEED)
}

/// So many seeds, the first of which is where chance begins; which, is told.
pub(crate) fn seeds(variable: &str, usual: u64) -> Range<u64> {
    let (first, many) = (seed(), count(variable, usual));
    tell(&format!("{many} from seed {first} on ({variable})"));
    first..first + many
}

/// Tells what was done also where nothing is wrong: the test harness would swallow a `println!`.
pub(crate) fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// What the tests of each row took so far, in tenths of a second.
static TENTHS: [AtomicU64; 14] = [const { AtomicU64::new(0) }; 14];

/// A test of a row of `docs/RELIABILITY.md`. When it ends it tells how long it took; several run at a time.
pub(crate) struct Row(usize, Instant);

pub(crate) fn row(number: usize) -> Row {
    Row(number, Instant::now())
}

impl Drop for Row {
    fn drop(&mut self) {
        let tenths = u64::try_from(self.1.elapsed().as_millis() / 100).unwrap_or(u64::MAX);
        let all = TENTHS[self.0].fetch_add(tenths, Ordering::Relaxed) + tenths;
        let seconds = |tenths| format!("{}.{} s", tenths / 10, tenths % 10);
        tell(&format!("row {}: {}, and {} with what ended before", self.0, seconds(tenths), seconds(all)));
    }
}
