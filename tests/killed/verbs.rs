//! Every verb between people, killed before each change that it makes on the disk: the vault verifies at once, the same
//! command goes on, nothing that was there is lost, nothing is said twice, and another's copy that takes it in has no
//! finding. `AMPARO_KILLS=all cargo test killed::verbs` kills before every change, `AMPARO_KILLS=pack`
//! before every one of that verb; else before some of each. Where `AMPARO_SOAK` asks for more than there are, each is killed again,
//! and going on from there before one change after another.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::stage::{Before, HERE, Stage, Survived};
use crate::{peers, soak};

/// So many kills of each verb, where not all are asked for; half of the time it is killed again while it goes on.
const SAMPLE: usize = 63;
/// So many that come there must be, those while it went on among them. One in a hundred does not come.
const DEMANDED: usize = 1_000;
/// Of one in so many all is looked at; of the others whether what is there is sound, and the same command goes on.
const FULLY: usize = 4;

/// One verb, by whom it is typed.
pub(super) struct Verb {
    pub(super) who: &'static str,
    pub(super) args: &'static [&'static str],
    /// The copy that it is about, in her home; a new one is there when it is done.
    pub(super) copy: &'static str,
    /// What typing it again may end with: done, or done before.
    pub(super) again: &'static [i32],
    /// Whose copy takes the outcome in.
    pub(super) other: &'static str,
    /// The custody events that it leaves of hers: so many more than before.
    pub(super) leaves: &'static [(&'static str, usize)],
}

pub(super) const VERBS: [Verb; 11] = [
    verb("lawyer", &["seal", "first.txt"], "owl", &[]),
    verb("owl", &["merge", "../lawyer/evidence"], "lawyer", &[]),
    verb("lawyer", &["merge", "../osprey.txt"], "owl", &[]),
    Verb { again: &[0, 1], ..verb("owl", &["custody", "acknowledge"], "lawyer", &[("acknowledge", 1)]) },
    verb(
        "lawyer",
        &["member", "add", "../gull.card", "--role", "sealer", "--fingerprint", "DIGITS"],
        "owl",
        &[("admit", 1)],
    ),
    verb("lawyer", &["member", "remove", "Red Kite", "--reason", "left"], "owl", &[("remove", 1)]),
    verb("tern", &["identity", "lend", "--to", "Grey Owl", "-o", "../t.share", "--overwrite"], "lawyer", &[]),
    verb("kite", &["verify", "--cosign"], "owl", &[("verify", 1)]),
    Verb {
        again: &[0, 1],
        ..verb(
            "lawyer",
            &[
                "pack",
                "--to",
                "Grey Owl",
                "--to",
                "Tern",
                "-o",
                "../stick/out.bin",
                "--parity",
                "10%",
                "--volumes",
                "700KB",
            ],
            "owl",
            &[("offer", 2), ("pack", 1)],
        )
    },
    verb("owl", &["unpack", "../trip.bin", "--sign"], "lawyer", &[("acknowledge", 2)]),
    Verb {
        copy: "new",
        ..verb("tern", &["unpack", "../trip.bin", "-o", "new", "--sign"], "lawyer", &[("acknowledge", 1)])
    },
];

pub(super) const fn verb(
    who: &'static str,
    args: &'static [&'static str],
    other: &'static str,
    leaves: &'static [(&'static str, usize)],
) -> Verb {
    Verb { who, args, copy: HERE, again: &[0], other, leaves }
}

/// One kill of a verb, and what there was before it.
pub(super) struct Kill<'v> {
    pub(super) verb: &'v Verb,
    pub(super) before: Arc<Before>,
    pub(super) change: (String, u64),
    /// Going on is killed as well, before this one of its changes, counted round and round.
    pub(super) second: Option<usize>,
}

/// The kills of some verbs, of each of which so many are tried.
pub(super) fn kills<'v>(stage: &Stage, strace: &Path, verbs: &'v [Verb], sample: usize) -> Vec<Kill<'v>> {
    let all = std::env::var("AMPARO_KILLS").unwrap_or_default();
    let wanted = usize::try_from(soak::times()).unwrap_or(usize::MAX).saturating_mul(sample);
    let mut kills = Vec::new();
    for verb in verbs {
        let (changes, before) = (stage.changes(verb, strace), Arc::new(stage.twin().before(verb, "at first")));
        assert!(changes.len() > 10, "{}: {changes:?}", verb.args.join(" "));
        let there = changes.len();
        let wanted = if all == "all" || all == verb.args[0] { wanted.max(there) } else { wanted }.min(there * there);
        // Evenly spread; where there are fewer, one after another, and then again.
        kills.extend((0..wanted).map(|number| {
            // The last is always among them: what a verb ends with is done once, too early or too late.
            let nth = if wanted < there { there - 1 - number * there / wanted } else { number % there };
            let round = number / there;
            // As many of those that are looked at fully as of the others.
            let second = (round > 0 || (number / FULLY).is_multiple_of(2)).then_some(nth * 7 + round);
            Kill { verb, before: Arc::clone(&before), change: changes[nth].clone(), second }
        }));
    }
    kills
}

#[test]
fn killed_before_any_change_no_verb_loses_or_accuses() {
    let _row = soak::row(1);
    let Some(strace) = peers::program("strace") else { return };
    let stage = Stage::set();
    let kills = kills(&stage, &strace, &VERBS, SAMPLE);
    let next = AtomicUsize::new(0);
    let survived = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(kill) = kills.get(number) else { break };
                    let became = stage.survives(kill, &strace, number.is_multiple_of(FULLY), |_| ());
                    survived.lock().expect("no thread panicked").extend(became);
                }
            });
        }
    });
    let survived = survived.into_inner().expect("no thread panicked");
    let of = |is_it: fn(&Survived) -> bool| survived.iter().filter(|one| is_it(one)).count();
    let (asked, again, orphans) = (of(|one| one.asked_again), of(|one| one.killed_again), of(|one| one.orphans));
    soak::tell(&format!(
        "{} kills, {} did not come; {again} of {asked} came while it went on; {orphans} left files that were told of",
        kills.len(),
        kills.len() - survived.len()
    ));
    assert!(survived.len() * 10 >= kills.len() * 9, "{} of {} came", survived.len(), kills.len());
    let is_whole = std::env::var_os("AMPARO_KILLS").is_none();
    let came = survived.len() + again;
    assert!(came >= DEMANDED || !is_whole, "only {came} came, those while it went on among them");
    assert!(asked > 0 && again * 10 >= asked * 9, "{again} of {asked} came while it went on");
}

/// What a verb that commits too early, takes back what it has signed, or does not know its own work again would leave.
#[test]
fn what_no_kill_may_leave_is_noticed() {
    let _row = soak::row(1);
    let stage = Stage::set();
    let newest = |below: &str| {
        let found =
            Command::new("find").arg(stage.path("lawyer/evidence")).args(["-type", "f", "-path", below]).output();
        let found = String::from_utf8(found.expect("find runs").stdout).expect("text");
        let newest = found.lines().map(PathBuf::from).max_by_key(|path| path.file_name().map(ToOwned::to_owned));
        newest.expect("a file").strip_prefix(stage.path("")).expect("on the stage").to_path_buf()
    };
    let is_noticed = |what: &str, verb: &Verb, plant: &dyn Fn(&Stage)| {
        let twin = stage.twin();
        let before = twin.before(verb, what);
        plant(&twin);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            assert!(twin.sound_exhibits(verb.who, HERE, what) >= before.exhibits, "{what}");
            twin.goes_on(verb, &before, what);
        }));
        assert!(outcome.is_err(), "{what}: nothing was noticed");
    };
    let lost = |names: &[&str]| {
        let paths: Vec<PathBuf> = names.iter().map(|name| newest(name)).collect();
        move |twin: &Stage| {
            for path in &paths {
                std::fs::remove_file(twin.path("").join(path)).expect("removed");
            }
        }
    };
    let (admits, entry, state) = (&VERBS[4], "*/entries/*", "*/checkpoints/*");
    is_noticed("a signed state without its entry", admits, &lost(&[entry]));
    is_noticed("an entry that nothing signed covers", admits, &lost(&[state]));
    is_noticed("a log that was taken back", admits, &lost(&[entry, state]));
    is_noticed("a sealing without a blob", admits, &lost(&["*/blobs/*"]));
    is_noticed("a key that nobody has", admits, &lost(&["*/keys/*"]));
    let args = &["custody", "note", "carried by bus"];
    let notes = verb("lawyer", args, "owl", &[("note", 1)]);
    is_noticed("a remark that is made twice", &notes, &|twin| drop(twin.done(notes.who, notes.args)));
}
