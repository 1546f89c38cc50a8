//! How long the verbs take in a vault of many members and many entries: `cargo bench --bench entries -- ENTRIES MEMBERS`.
//! What is timed are the verbs themselves on the machine's own disk (TMPDIR says where). Each has beside it what only
//! opening the same age files takes on all cores: a ratio says the same on another machine, a time does not.

#![allow(clippy::print_stdout, missing_docs)]

#[path = "../../copied.rs"]
mod copied;
mod vault;
mod writing;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use amparo::crypto::envelope;
use amparo::vault::custody::story::story;
use amparo::vault::custody::waiting;
use amparo::vault::findings::Verdict;
use amparo::vault::list::list;
use amparo::vault::session::Request;
use amparo::vault::show::show;
use amparo::vault::verify::{VerifyRequest, verify};

use vault::{Many, on_all_cores, with};

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [entries, members] = [(0, 10_000), (1, 100)].map(|(at, usual)| numbers.get(at).copied().unwrap_or(usual));
    let folder = tempfile::tempdir().expect("a folder");
    let many = timed("made", None, || Many::write(folder.path(), entries, members));
    println!("{} entries in {} logs, {} sealed files", many.entries, members + 1, many.exhibits);
    let opening = timed_only("open: every entry's age file, on all cores", None, || open_all(&many));
    timed("verify", Some(opening), || {
        let verified = with(&many.founder, |setting| {
            let request = VerifyRequest { place: many.request(), receipts: &[], short_receipts: &[], checkpoints: &[] };
            verify(setting, &request).expect("a verdict")
        });
        assert_eq!(verified.verdict, Verdict::Valid, "{:#?}", verified.findings);
    });
    timed("verify without a key", Some(opening), || {
        let verified = with(&many.founder, |setting| {
            let place = Request { person: None, ..many.request() };
            let request = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
            verify(setting, &request).expect("a verdict")
        });
        assert_ne!(verified.verdict, Verdict::Invalid, "{:#?}", verified.findings);
    });
    timed("custody log ID", Some(opening), || {
        let lines = with(&many.founder, |setting| {
            let story = story(setting, &many.request(), Some("K7-0001")).expect("a story");
            story.lines().count()
        });
        assert!(lines > entries / 100, "the story has only {lines} lines");
        println!("  {lines} lines");
    });
    timed("list", Some(opening), || {
        let mut listed = 0;
        with(&many.founder, |setting| {
            let count = &mut |_| {
                listed += 1;
                Ok(())
            };
            list(setting, &many.request(), count).expect("a list")
        });
        assert_eq!(listed, many.exhibits);
    });
    timed("show ID", Some(opening), || {
        with(&many.founder, |setting| show(setting, &many.request(), "K7-0001").expect("an exhibit"));
    });
    timed("amparo alone", Some(opening), || {
        let waiting = with(&many.founder, |setting| waiting(setting, &many.request(), None).expect("no offers"));
        assert!(waiting.is_empty());
    });
    writing::all(&many, folder.path(), opening);
}

/// Reads and decrypts every entry, and nothing else.
fn open_all(many: &Many) {
    let opened = AtomicUsize::new(0);
    on_all_cores(&many.files, |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).expect("an entry");
        envelope::open(&bytes, &[&many.custody]).expect("to the custody key");
        opened.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(opened.into_inner(), many.files.len());
}

fn timed<T>(what: &str, beside: Option<Duration>, act: impl FnOnce() -> T) -> T {
    let mut result = None;
    timed_only(what, beside, || result = Some(act()));
    result.expect("it was done")
}

fn timed_only(what: &str, beside: Option<Duration>, act: impl FnOnce()) -> Duration {
    forget_memory();
    let (began, cpu) = (Instant::now(), processor_time());
    act();
    let (took, cpu) = (began.elapsed(), processor_time().saturating_sub(cpu));
    let ratio = beside.map(|cpu_beside| format!(", {:.2} times opening", cpu.as_secs_f64() / cpu_beside.as_secs_f64()));
    println!(
        "{what}: {:.2} s, {:.2} s of processor{}, {} MiB",
        took.as_secs_f64(),
        cpu.as_secs_f64(),
        ratio.unwrap_or_default(),
        memory_mib_max()
    );
    cpu
}

/// What this process has used of all cores, its own work and the system's for it: on a machine that others use too,
/// this says more than the clock.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string(Path::new("/proc/self/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10) // Linux counts in hundredths of a second for every process that asks
}

/// The most memory that this process held since it was last forgotten, in MiB.
fn memory_mib_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Forgets how much memory was held so far.
fn forget_memory() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
