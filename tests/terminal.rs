//! The second screen on a real terminal, in `tmux`: the words of an identity are shown on it, and no scrollback keeps them,
//! however the command ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::peers;

/// A terminal with something that runs in it.
pub(crate) struct Terminal {
    folder: tempfile::TempDir,
    tmux: PathBuf,
}

impl Terminal {
    fn new() -> Option<Self> {
        Some(Self { tmux: peers::program("tmux")?, folder: tempfile::tempdir().expect("a folder") })
    }

    /// A command of its own, whose terminal stays when it has ended.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        let terminal = Self::new()?;
        let text = |part: &OsStr| part.to_str().expect("text").to_string();
        let folder = text(command.get_current_dir().expect("a folder").as_os_str());
        let mut args: Vec<String> = ["new-session", "-d", "-x", "100", "-y", "40", "-c"].map(String::from).into();
        args.push(folder);
        for (name, value) in command.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            args.extend(["-e".into(), format!("{}={}", text(name), text(value))]);
        }
        args.extend(std::iter::once(command.get_program()).chain(command.get_args()).map(text));
        args.extend([";", "set-option", "-g", "remain-on-exit", "on"].map(String::from));
        terminal.tmux(&args.iter().map(String::as_str).collect::<Vec<_>>());
        Some(terminal)
    }

    /// The process that runs in it.
    pub(crate) fn process(&self) -> u32 {
        self.tmux(&["display-message", "-p", "#{pane_pid}"]).trim().parse().expect("a number")
    }

    /// A shell in a terminal of its own, in the home of somebody who has an identity.
    fn open(term: &str) -> Option<Self> {
        let terminal = Self::new()?;
        let made = Command::new(amparo())
            .args(["identity", "new", "--name", "Heron", "--no-passphrase", "--quiet"])
            .env_clear()
            .env("HOME", terminal.folder.path())
            .output()
            .expect("it starts");
        assert!(made.status.success());
        let shell = format!("TERM={term} PS1='ready> ' sh");
        terminal.tmux(&["new-session", "-d", "-x", "100", "-y", "40", &shell]);
        terminal.waits_for("ready>");
        Some(terminal)
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut command = Command::new(&self.tmux);
        command.arg("-S").arg(self.folder.path().join("socket")).args(["-f", "/dev/null"]).args(args);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", path)
            .env("TERM", "xterm")
            .env("LANG", "C.UTF-8");
        let output = command.output().expect("tmux starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn types(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.tmux(&["send-keys", "Enter"]);
    }

    /// All that the terminal has kept.
    fn kept(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-S", "-"])
    }

    pub(crate) fn waits_for(&self, text: &str) -> String {
        self.waits_for_times(text, 1)
    }

    fn waits_for_times(&self, text: &str, times: usize) -> String {
        let began = Instant::now();
        loop {
            let shown = self.kept();
            if shown.matches(text).count() >= times {
                return shown;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "{text:?} does not come:\n{shown}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn on_second_screen(&self) -> bool {
        self.tmux(&["display-message", "-p", "#{alternate_on}"]).trim() == "1"
    }

    /// The terminal is as it was: its first screen, echoing what is typed.
    fn is_restored(&self) {
        assert!(!self.on_second_screen());
        self.types("stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e icanon | tr '\\n' '+'; echo over");
        self.waits_for("icanon+echo+over");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn amparo() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_amparo"))
}

/// The numbered words of a page.
pub(crate) fn words(page: &str) -> Vec<String> {
    let all: Vec<&str> = page.split_whitespace().collect();
    let numbered = all.windows(2).filter(|pair| pair[0].strip_suffix('.').is_some_and(|n| n.parse::<u8>().is_ok()));
    numbered.map(|pair| pair[1].to_string()).collect()
}

fn has_none_of(text: &str, words: &[String]) {
    let shown: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let left = words.iter().filter(|word| shown.contains(&word.as_str())).count();
    // One of 2,048 words may stand in a sentence by chance; a page of them does not.
    assert!(left <= 2, "{left} of the words are left:\n{text}");
}

fn backup() -> String {
    format!("{} identity backup", amparo().display())
}

#[test]
fn no_scrollback_keeps_a_word_when_the_backup_is_done() {
    let Some(terminal) = Terminal::open("tmux-256color") else { return };
    terminal.types(&backup());
    let page = terminal.waits_for("they vanish");
    let secret = words(&page);
    assert!(secret.len() == 24 && terminal.on_second_screen(), "{page}");
    terminal.tmux(&["send-keys", "Enter"]);
    terminal.waits_for("Word 1 and on");
    terminal.types(&secret.join(" "));
    let kept = terminal.waits_for("DONE: what is on paper");
    has_none_of(&kept, &secret);
    terminal.is_restored();
}

#[test]
fn ctrl_c_takes_the_words_away_and_gives_the_terminal_back() {
    let Some(terminal) = Terminal::open("tmux-256color") else { return };
    terminal.types(&backup());
    let secret = words(&terminal.waits_for("they vanish"));
    assert_eq!(secret.len(), 24);
    terminal.tmux(&["send-keys", "C-c"]);
    has_none_of(&terminal.waits_for("stopped, as asked"), &secret);
    terminal.is_restored();
    terminal.types(&backup());
    terminal.waits_for("they vanish");
    terminal.tmux(&["send-keys", "Enter"]);
    terminal.waits_for("Word 1 and on");
    terminal.types(&secret[..9].join(" "));
    terminal.waits_for("Word 10 and on");
    terminal.tmux(&["send-keys", "C-c"]);
    let began = Instant::now();
    while terminal.on_second_screen() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    has_none_of(&terminal.kept(), &secret);
    terminal.is_restored();
}

#[test]
fn a_passphrase_is_typed_where_everything_else_is_out_of_reach() {
    let Some(terminal) = Terminal::open("tmux-256color") else { return };
    let home = terminal.folder.path();
    std::fs::write(home.join("passphrase"), "five words of a canary\n").expect("a file");
    std::fs::write(home.join("t.txt"), "what was said").expect("a source");
    let new = ["identity", "new", "--name", "Owl", "-o", "owl.age"];
    let seal = ["seal", "t.txt", "--vault", "evidence", "--identity", "owl.age"];
    for args in [&new[..], &["init", "evidence", "--identity", "owl.age"], &seal] {
        let mut command = Command::new(amparo());
        command.args(args).args(["--passphrase-file", "passphrase", "--no-input"]);
        let made = command.current_dir(home).env_clear().env("HOME", home).output().expect("it starts");
        assert!(made.status.success(), "{args:?}: {}", String::from_utf8_lossy(&made.stderr));
    }
    terminal.types(&format!("cd {}; {} verify evidence --identity owl.age", home.display(), amparo().display()));
    terminal.waits_for("Passphrase:");
    terminal.types("five words of a canary");
    let shown = terminal.waits_for("not checked");
    assert!(shown.contains("VALID") && !shown.contains("without protection") && !shown.contains("canary"), "{shown}");
    terminal.is_restored();
    terminal.types(&format!("{} open K1-0001 -o opened --vault evidence --identity owl.age", amparo().display()));
    terminal.waits_for_times("Passphrase:", 2);
    terminal.tmux(&["send-keys", "C-c"]);
    terminal.waits_for("stopped, as asked");
    terminal.is_restored();
}

#[test]
fn a_terminal_without_a_second_screen_is_told_so_before_the_words() {
    let Some(terminal) = Terminal::open("dumb") else { return };
    terminal.types(&backup());
    let page = terminal.waits_for("press Enter: they vanish");
    assert!(!terminal.on_second_screen());
    let told = page.find("no second screen").expect("it is told");
    assert!(told < page.find(" 1. ").expect("the words"), "{page}");
}
