//! The process around a run: its arguments, its streams, its signals, and what it must not leave behind.

use std::ffi::OsString;
use std::io::{self, IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use rand_core::OsRng;
use rustix::termios::{self, OptionalActions, Termios};
use zeroize::Zeroizing;

use super::{Ask, Context, INTERRUPTED, Terminal, run};
use crate::crypto::hash::Hash;
use crate::store::confine::{self, Reach, Unconfined};
use crate::store::real::RealDisk;
use crate::store::{Disk, RelPath, hygiene};
use crate::vault::Clock;

/// The terminal's second screen, emptied: what stands there goes into no scrollback.
const ENTER_PAGE: &[u8] = b"\x1b[?1049h\x1b[H\x1b[2J";
/// Emptied again, and back to the first.
const LEAVE_PAGE: &[u8] = b"\x1b[H\x1b[2J\x1b[?1049l";
/// Said before a page where there is no second screen.
const KEPT: &str =
    "This terminal has no second screen: what it shows now it keeps until it is closed. Ctrl-C stops.\n\n";
/// Whoever listens to signals hears one well within this time.
const LISTENER_WAIT: Duration = Duration::from_secs(2);
/// A line of words is never longer.
const LINE_BYTES: usize = 4096;

/// Wider lines are hard to read, whatever the terminal.
const WIDTH_MAX: usize = 100;

/// Runs the program on the process's own arguments, streams and clock.
pub fn main() -> ExitCode {
    let mut stderr = io::stderr();
    if let Err(error) = hygiene::leave_no_dump() {
        let _ = writeln!(stderr, "warning: the system may write this program's memory to disk if it fails: {error}");
    }
    hygiene::allow_many_files();
    let signals = Signals::default();
    let mut listener = Listener::new(&signals)
        .inspect_err(|error| {
            let _ = writeln!(stderr, "warning: Ctrl-C will end this program at once: {error}");
        })
        .ok();
    let mut ask = Person {
        prompting: Arc::clone(&signals.prompting),
        private: Arc::clone(&signals.private),
        // Such a terminal has no second screen, and would print the commands for it.
        plain: std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb"),
    };
    let clock = SystemClock { start: Instant::now(), zone: TimeZone::system() };
    let terminal = Terminal {
        input: io::stdin().is_terminal(),
        output: io::stdout().is_terminal(),
        errors: io::stderr().is_terminal(),
        width: width(),
    };
    let mut context = Context {
        disk: &RealDisk,
        clock: &clock,
        rng: &mut OsRng,
        machine: machine(&RealDisk),
        env: std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect(),
        folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        rebase: false,
        stdin: &mut Input,
        stdout: &mut io::stdout(),
        stderr: &mut stderr,
        terminal,
        ask: &mut ask,
        stopped: &signals.stopped,
        confine: &mut |reach| confine(listener.as_mut(), reach),
    };
    let args: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(hygiene::leaving_nothing(|| run(args, &mut context)))
}

/// What tells this machine from another, so that a device memory copied elsewhere is not continued.
fn machine(disk: &dyn Disk) -> Hash {
    let read = |folder: &str, name: &str| {
        let name = RelPath::parse(name)?;
        disk.folder(Path::new(folder)).and_then(|folder| folder.read(&name, 4096)).ok().filter(|id| !id.is_empty())
    };
    let id = read("/etc", "machine-id").or_else(|| read("/proc/sys/kernel", "hostname")).unwrap_or_default();
    Hash::tagged("amparo.v1/machine", &[&id])
}

fn width() -> usize {
    let size = termios::tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if size == 0 { WIDTH_MAX } else { size.min(WIDTH_MAX) }
}

struct SystemClock {
    start: Instant,
    /// Read once, before the files that tell it are out of reach: read again, it would be UTC.
    zone: TimeZone,
}

impl Clock for SystemClock {
    fn now(&self) -> ZonedDateTime {
        ZonedDateTime::new(Timestamp::now(), self.zone.clone())
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// What asks this process to stop: Ctrl-C, the system, a terminal that is closed.
const SIGNALS: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];
/// Sent by this process itself: the thread that listens ends. A signal is any other byte.
const ENOUGH: u8 = b'.';

/// Ctrl-C, and the wish of the system that this process ends.
#[derive(Clone, Default)]
struct Signals {
    stopped: Arc<AtomicBool>,
    prompting: Arc<AtomicBool>,
    private: Arc<AtomicBool>,
}

impl Signals {
    /// The first signal asks the running verb to stop at a safe point. At a prompt, or for the second time, the process
    /// ends: a vault survives that at every point. The terminal gets back the echo that a passphrase prompt took.
    fn hear(&self, before: Option<&Termios>) {
        let again = self.stopped.swap(true, Ordering::SeqCst);
        if again || self.prompting.load(Ordering::SeqCst) {
            if self.private.load(Ordering::SeqCst) {
                let _ = io::stderr().write_all(LEAVE_PAGE);
            }
            if let Some(before) = before {
                let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, before);
            }
            let _ = writeln!(io::stderr(), "\nstopped, as asked");
            #[allow(clippy::exit, reason = "the thread that reads the terminal cannot be woken")]
            std::process::exit(i32::from(INTERRUPTED));
        }
    }
}

/// Whoever listens to signals: they come as bytes through a pipe, where they wait while nobody does.
struct Listener {
    signals: Signals,
    heard: PipeReader,
    enough: PipeWriter,
    before: Option<Termios>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    fn new(signals: &Signals) -> io::Result<Self> {
        let (heard, enough) = io::pipe()?;
        for signal in SIGNALS {
            signal_hook::low_level::pipe::register(signal, enough.try_clone()?)?;
        }
        let before = termios::tcgetattr(io::stdin()).ok();
        let mut listener = Self { signals: signals.clone(), heard, enough, before, thread: None };
        listener.begin()?;
        Ok(listener)
    }

    fn begin(&mut self) -> io::Result<()> {
        let (signals, mut heard, before) = (self.signals.clone(), self.heard.try_clone()?, self.before.clone());
        let listen = move || {
            let mut byte = [0];
            while heard.read_exact(&mut byte).is_ok() && byte != [ENOUGH] {
                signals.hear(before.as_ref());
            }
        };
        self.thread = Some(std::thread::Builder::new().name("signals".into()).spawn(listen)?);
        Ok(())
    }

    /// Ends the thread; what comes meanwhile waits.
    fn pause(&mut self) -> io::Result<()> {
        if let Some(thread) = self.thread.take() {
            self.enough.write_all(&[ENOUGH])?;
            thread.join().map_err(|_| io::Error::other("the thread that listens to signals ended"))?;
        }
        Ok(())
    }
}

/// Gives up what is not within reach: as one thread, so that none is left that could still reach it.
fn confine(listener: Option<&mut Listener>, reach: &Reach) -> Result<(), Unconfined> {
    let Some(listener) = listener else { return confine::whole_process(reach) };
    // A thread that could not be ended is noticed by whoever counts them.
    let _ = listener.pause();
    let confined = confine::whole_process(reach);
    // Ctrl-C would wait in the pipe for ever, and nobody could stop the work in good order.
    if listener.begin().is_err() {
        for signal in SIGNALS {
            let _ = signal_hook::flag::register(signal, Arc::clone(&listener.signals.stopped));
        }
    }
    confined
}

/// Standard input, as it comes: the library's own has a buffer that is never given back, and keeps what went through
/// it.
struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

impl Input {
    /// A line with its end, and nothing behind it; `None` where the input has ended.
    fn line(&mut self) -> io::Result<Option<Zeroizing<String>>> {
        let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES));
        let mut byte = [0];
        while byte != *b"\n" {
            match self.read_exact(&mut byte) {
                Ok(()) => line.push(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        let text = std::str::from_utf8(&line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok((!text.is_empty()).then(|| Zeroizing::new(text.to_string())))
    }
}

/// The person at the terminal.
struct Person {
    prompting: Arc<AtomicBool>,
    private: Arc<AtomicBool>,
    plain: bool,
}

impl Person {
    fn prompt<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.prompting.store(true, Ordering::SeqCst);
        let answer = read();
        self.prompting.store(false, Ordering::SeqCst);
        answer
    }
}

impl Ask for Person {
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>> {
        self.prompt(|| {
            let mut stderr = io::stderr();
            stderr.write_all(prompt.as_bytes())?;
            stderr.flush()?;
            Ok(Input.line()?.map(|line| line.trim_end_matches(['\n', '\r']).to_string()))
        })
    }

    fn passphrase(&mut self, prompt: &str) -> io::Result<Option<Zeroizing<String>>> {
        // From the terminal itself, so that standard input stays free for evidence.
        self.prompt(|| {
            let typed = rpassword::prompt_password(prompt);
            if typed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
                // Ctrl-C was typed: whoever listens to signals ends the process now, and is not to be overtaken.
                std::thread::sleep(LISTENER_WAIT);
            }
            Ok(typed.ok().map(Zeroizing::new))
        })
    }

    fn privately(&mut self, page: &str, prompt: &str) -> io::Result<Option<Zeroizing<String>>> {
        let mut stderr = io::stderr();
        if self.plain {
            stderr.write_all(KEPT.as_bytes())?;
        } else {
            // Before the page: whatever ends the process from here on takes it away.
            self.private.store(true, Ordering::SeqCst);
            stderr.write_all(ENTER_PAGE)?;
        }
        let answer = self.prompt(|| {
            let mut stderr = io::stderr();
            stderr.write_all(page.as_bytes())?;
            stderr.write_all(prompt.as_bytes())?;
            stderr.flush()?;
            Input.line()
        });
        if self.private.swap(false, Ordering::SeqCst) {
            stderr.write_all(LEAVE_PAGE)?;
            stderr.flush()?;
        }
        answer
    }
}
