//! Progress on a terminal, for anything over a second; and the person's wish to stop, which a verb asks for.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::vault::{ClockDoubt, Stage, Watch};

/// What is done sooner needs no bar.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// Who watches a verb for the person.
pub(crate) struct Progress<'a> {
    stopped: &'a AtomicBool,
    visible: bool,
    clock: &'a Mutex<Option<ClockDoubt>>,
    now: Mutex<Option<Running>>,
}

struct Running {
    stage: Stage,
    since: Instant,
    bytes: Option<u64>,
    done: u64,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    /// Shows bars only where `visible`; what is wrong with the clock is kept in `clock`.
    pub(crate) fn new(stopped: &'a AtomicBool, visible: bool, clock: &'a Mutex<Option<ClockDoubt>>) -> Self {
        Self { stopped, visible, clock, now: Mutex::new(None) }
    }

    /// Takes the bar away while something is printed.
    pub(crate) fn step_aside<T>(&self, print: impl FnOnce() -> T) -> T {
        let now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match now.as_ref().and_then(|running| running.bar.as_ref()) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn clear(running: Option<Running>) {
        if let Some(bar) = running.and_then(|running| running.bar) {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Progress<'_> {
    fn begin(&self, stage: Stage, bytes: Option<u64>) {
        if !self.visible {
            return;
        }
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self::clear(now.take());
        // Standard input is announced as endless.
        let bytes = bytes.filter(|bytes| *bytes < u64::MAX / 2);
        *now = Some(Running { stage, since: Instant::now(), bytes, done: 0, bar: None });
    }

    fn advance(&self, bytes: u64) {
        if !self.visible {
            return;
        }
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(running) = now.as_mut() else { return };
        running.done = running.done.saturating_add(bytes);
        if running.bar.is_none() && running.since.elapsed() > QUIET_TIME {
            running.bar = Some(bar(running));
        }
        if let Some(bar) = &running.bar {
            bar.set_position(running.done.min(running.bytes.unwrap_or(u64::MAX)));
        }
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn doubts_clock(&self, doubt: &ClockDoubt) {
        *self.clock.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(doubt.clone());
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self::clear(now.take());
    }
}

fn bar(running: &Running) -> ProgressBar {
    let (bar, template) = match running.bytes {
        Some(bytes) => {
            (ProgressBar::new(bytes), "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
        }
        None => (ProgressBar::new_spinner(), "{msg} {spinner} {bytes}, {bytes_per_sec}"),
    };
    let style = ProgressStyle::with_template(template).expect("the template is ours").progress_chars("=> ");
    bar.with_style(style).with_message(word(running.stage)).with_elapsed(running.since.elapsed())
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Logs => "reading the custody record",
        Stage::Looking => "looking",
        Stage::Sealing => "sealing",
        Stage::Opening => "opening",
        Stage::Checking => "checking",
        Stage::Merging => "merging",
        Stage::Packing => "packing",
        Stage::Parity => "making parity",
        Stage::Repairing => "repairing",
    }
}
