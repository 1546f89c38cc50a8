//! What the real program does with one hostile input: under limits of memory and time, with every system call traced that makes,
//! changes or removes a name.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::commands::harness::World;
use crate::peers;
use crate::trace::{NAMING, touched};

/// Data in memory, in MiB.
const MEMORY_MAX: u64 = 256;
/// Of a processor.
const SECONDS_MAX: u64 = 5;
/// By the clock on the wall, for what waits without working: generously, on a machine that does other things as well.
const WAIT_SECONDS_MAX: u64 = 60;
/// All that a command says by its exit code.
const EXITS: [i32; 9] = [0, 1, 2, 3, 4, 5, 10, 11, 12];

/// Who meets hostile inputs, with which program.
pub(super) struct Desk<'a> {
    pub(super) world: &'a World,
    pub(super) program: PathBuf,
    pub(super) wait_seconds: u64,
    strace: PathBuf,
}

/// One input, laid out already: the command that meets it, and what must come of it.
pub(super) struct Input<'a> {
    pub(super) what: String,
    pub(super) who: &'a str,
    pub(super) args: &'a [&'a str],
    /// Where it may write, below the world.
    pub(super) writes: &'a [&'a str],
    pub(super) exit: i32,
    pub(super) says: Says<'a>,
}

/// What is said.
pub(super) enum Says<'a> {
    /// The checks and subjects of all findings, and no other.
    Findings(BTreeSet<(String, String)>),
    /// Something with these words.
    Words(&'a str),
}

/// What the program did.
pub(super) struct Met {
    /// As a shell tells it: above 128, the signal that ended it.
    exit: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
    /// Names that it made, changed or removed, or tried to.
    touched: BTreeSet<PathBuf>,
}

impl<'a> Desk<'a> {
    /// `None` where there is no `strace`.
    pub(super) fn new(world: &'a World) -> Option<Self> {
        let strace = peers::program("strace")?;
        let program = PathBuf::from(env!("CARGO_BIN_EXE_amparo"));
        Some(Self { world, program, wait_seconds: WAIT_SECONDS_MAX, strace })
    }

    /// Runs the program. What it says is text, or this is a fault.
    pub(super) fn run(&self, who: &str, args: &[&str]) -> Result<Met, String> {
        let (home, trace) = (self.world.home(who), self.world.path("trace"));
        let limits = format!(
            "ulimit -d {} && ulimit -S -t {SECONDS_MAX} && ulimit -H -t {} && exec \"$@\"",
            MEMORY_MAX << 10,
            SECONDS_MAX + 1
        );
        let mut command = Command::new("sh");
        command.args(["-c", &limits, "sh"]).arg(&self.strace).args(["--seccomp-bpf", "-f", "-y", "-s", "4096"]);
        command.arg("-o").arg(&trace).args(["-e", &format!("trace={NAMING}")]);
        command.args(["timeout", "--foreground", "-s", "KILL", &self.wait_seconds.to_string()]).arg(&self.program);
        command.args(args).current_dir(&home).env_clear().env("HOME", &home).env("PATH", "/usr/bin:/bin");
        let output = command.stdin(std::process::Stdio::null()).output().expect("a shell starts it");
        let text = |bytes| String::from_utf8(bytes).map_err(|_| "it says what is no text".to_string());
        let trace = std::fs::read(trace).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).expect("a trace");
        let touched = touched(&trace, &home);
        let exit = output.status.code().or(output.status.signal().map(|signal| 128 + signal));
        Ok(Met { exit, out: text(output.stdout)?, err: text(output.stderr)?, touched })
    }

    /// What is wrong with what becomes of an input, if anything is.
    pub(super) fn meets(&self, input: &Input<'_>) -> Result<Met, String> {
        let met = self.run(input.who, input.args).map_err(|fault| format!("{}: {fault}", input.what))?;
        match self.fault(input, &met) {
            Some(fault) => Err(format!("{}: {fault}\n{}{}", input.what, met.out, met.err)),
            None => Ok(met),
        }
    }

    fn fault(&self, input: &Input<'_>, met: &Met) -> Option<String> {
        let Some(exit) = met.exit.filter(|exit| EXITS.contains(exit)) else {
            return Some(format!("it ends otherwise than by itself: {:?}", met.exit));
        };
        if let Some(raw) = met.out.chars().chain(met.err.chars()).find(|c| commands_a_terminal(*c)) {
            return Some(format!("{raw:?} reaches the terminal"));
        }
        let home = self.world.home(input.who);
        // Beside the copy, before a byte of a pouch is read: the file into which a damaged one would be restored.
        let is_ahead =
            |path: &Path| path.parent() == Some(&home) && path.extension().is_some_and(|end| end == "restored");
        let may =
            |path: &Path| is_ahead(path) || input.writes.iter().any(|place| path.starts_with(self.world.path(place)));
        if std::fs::read_dir(&home).expect("a home").flatten().any(|item| is_ahead(&item.path())) {
            return Some("what was made ahead is left".into());
        }
        if let Some(outside) = met.touched.iter().find(|path| !may(path)) {
            return Some(format!("it writes outside: {}", outside.display()));
        }
        if exit != input.exit {
            return Some(format!("exit code {exit} instead of {}", input.exit));
        }
        match &input.says {
            Says::Words(words) => {
                (!met.out.contains(words) && !met.err.contains(words)).then(|| format!("it does not say: {words}"))
            }
            Says::Findings(expected) => {
                let Some(found) = findings(&met.out) else { return Some("no verdict".into()) };
                (found != *expected).then(|| format!("{found:?} instead of {expected:?}"))
            }
        }
    }
}

/// The checks and subjects of a verdict.
fn findings(out: &str) -> Option<BTreeSet<(String, String)>> {
    let verdict: Value = serde_json::from_str(out).ok()?;
    let pairs = verdict["findings"].as_array()?.iter();
    pairs.map(|one| Some((one["check"].as_str()?.into(), one["subject"].as_str()?.into()))).collect()
}

/// Controls but the end of a line, and what hides or turns the direction of what stands around it.
pub(super) fn commands_a_terminal(c: char) -> bool {
    c != '\n' && c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
