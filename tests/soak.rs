//! How much the harnesses do, in one place: `AMPARO_SOAK=N cargo test` makes each of them do N times what every run does, and
//! `AMPARO_SEED` lets chance begin elsewhere. What one harness alone shall do has a variable of its own, which wins.

use std::io::Write;

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

/// Tells what was done also where nothing is wrong: the test harness would swallow a `println!`.
pub(crate) fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}
