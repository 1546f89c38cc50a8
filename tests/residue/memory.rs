//! The memory of the real program at its very last system call: all values are dropped, nothing is given back yet. `strace`
//! holds the call back for as long as somebody looks.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Place, TRACE};
use crate::trace::NAMING;

/// What is searched for: a name, and the bytes.
pub(super) type Canary = (String, Vec<u8>);

/// As long as nobody needs to look, and strace in seconds.
const HELD: &str = "inject=exit_group:delay_enter=300s";
const CHUNK_BYTES: usize = 1 << 20;

/// What a run ended with, and which canaries lay in its memory then, with the part of it.
pub(super) struct Ended {
    pub(super) exit: i32,
    pub(super) found: Vec<String>,
    pub(super) environment: Vec<u8>,
    pub(super) arguments: Vec<u8>,
    pub(super) core_limit: String,
    pub(super) bytes: usize,
}

/// Runs a program under `strace`, with these further injections, and looks at it when it ends.
pub(super) fn at_the_end(
    place: &Place,
    command: &Command,
    inject: &[&str],
    stdin: &Path,
    canaries: &dyn Fn() -> Vec<Canary>,
) -> Ended {
    let mut traced = held(place, command, inject);
    let input = File::open(stdin).expect("an input");
    let mut tracer = traced.stdin(input).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("strace starts");
    let ended = looked_at(tracer.id(), command, canaries);
    tracer.wait().expect("strace ends");
    ended
}

/// A program under `strace`, which will hold it when it ends.
pub(super) fn held(place: &Place, command: &Command, inject: &[&str]) -> Command {
    let calls = format!("trace={NAMING},exit_group,clone3,fsync,syncfs");
    traced(place, command, &calls, &[&[HELD], inject].concat())
}

/// A program under `strace`, with these injections.
pub(super) fn traced(place: &Place, command: &Command, calls: &str, inject: &[&str]) -> Command {
    let mut traced = Command::new(&place.strace);
    traced.args(["-f", "-y", "-s", "4096", "-e", calls, "-o"]).arg(place.path(TRACE));
    for inject in inject {
        traced.args(["-e", inject]);
    }
    traced.arg(command.get_program()).args(command.get_args()).env_clear();
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.current_dir(command.get_current_dir().expect("a folder"));
    traced
}

/// Waits until the program ends that this `strace` holds, looks at it, and ends it.
pub(super) fn looked_at(tracer: u32, command: &Command, canaries: &dyn Fn() -> Vec<Canary>) -> Ended {
    let (process, exit) = ending(tracer, Path::new(command.get_program()));
    let (found, bytes) = search(process, &canaries());
    let of = |name: &str| fs::read(format!("/proc/{process}/{name}")).unwrap_or_default();
    let limits = String::from_utf8(of("limits")).expect("text");
    let core_limit = limits.lines().find(|line| line.starts_with("Max core")).unwrap_or_default().to_string();
    let ended = Ended { exit, found, environment: of("environ"), arguments: of("cmdline"), core_limit, bytes };
    // The other would wait for the end of the delay.
    let killed = Command::new("kill").args(["-KILL", &process.to_string(), &tracer.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    ended
}

/// Waits until the program is in its last call; its number, and the code that it ends with. `strace` has other children first,
/// with which it finds out what the system can do, and they end as well.
fn ending(tracer: u32, program: &Path) -> (u32, i32) {
    let program = fs::canonicalize(program).expect("a program");
    let began = Instant::now();
    let last = format!("{} ", libc::SYS_exit_group);
    let children = format!("/proc/{tracer}/task/{tracer}/children");
    loop {
        let children = fs::read_to_string(&children).unwrap_or_default();
        let numbers = children.split_whitespace().filter_map(|number| number.parse::<u32>().ok());
        let is_the_program =
            |process: &u32| fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|exe| exe == program);
        for process in numbers.filter(is_the_program) {
            let call = fs::read_to_string(format!("/proc/{process}/syscall")).unwrap_or_default();
            if let Some(rest) = call.strip_prefix(&last) {
                let code = rest.split_whitespace().next().and_then(|code| code.strip_prefix("0x"));
                return (process, code.and_then(|code| i32::from_str_radix(code, 16).ok()).expect("a code"));
            }
        }
        let is_there = fs::read_link(format!("/proc/{tracer}/exe")).is_ok();
        assert!(is_there, "it ended before anybody could look");
        assert!(began.elapsed() < Duration::from_mins(2), "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The canaries in what a process could write, each with the part of its memory; and how much was looked through.
fn search(process: u32, canaries: &[Canary]) -> (Vec<String>, usize) {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("its parts");
    let memory = File::open(format!("/proc/{process}/mem")).expect("its memory");
    let (mut found, mut looked) = (Vec::new(), 0);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').expect("a range");
        let number = |text| u64::from_str_radix(text, 16).expect("an address");
        let bytes = read(&memory, number(start), number(end));
        looked += bytes.len();
        let part = words.nth(3).unwrap_or("memory");
        found.extend(holding(&bytes, canaries).into_iter().map(|name| format!("{name} in {part}")));
    }
    (found, looked)
}

fn read(memory: &File, start: u64, end: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(end - start).expect("a length")];
    for (index, chunk) in bytes.chunks_mut(CHUNK_BYTES).enumerate() {
        // Parts that were never touched, and those of devices, cannot be read: nothing lies there.
        let _ = memory.read_exact_at(chunk, start + (index * CHUNK_BYTES) as u64);
    }
    bytes
}

/// Names of the canaries that these bytes hold.
pub(super) fn holding(bytes: &[u8], canaries: &[Canary]) -> Vec<String> {
    let mut begins = vec![false; 1 << 16];
    let pair = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
    for (_, canary) in canaries {
        begins[pair(canary)] = true;
    }
    let mut names = Vec::new();
    for at in 0..bytes.len().saturating_sub(1) {
        if begins[pair(&bytes[at..])] {
            let held =
                canaries.iter().filter(|(name, canary)| bytes[at..].starts_with(canary) && !names.contains(name));
            names.extend(held.map(|(name, _)| name.clone()).collect::<Vec<_>>());
        }
    }
    names
}
