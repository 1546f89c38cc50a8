//! `amparo tour`: the whole story once, with the program's own commands, on sample evidence or on one's own files.

mod lines;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use lines::{INDENT, Indented, typed};

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::wrapped;
use crate::cli::{Context, DONE, Exit, FAILED, INCOMPLETE, NO_KEY, Terminal, run as run_program};
use crate::format::vault_file;
use crate::store::{Disk, Mode, RelPath, StoreError};

/// Where the tour makes its folder; a second one gets a number.
const FOLDER: &str = "amparo-tour";
/// What travels, and what travels back.
const POUCH: &str = "holiday.bin";
const PARITY: &str = "holiday.bin.parity";
const MONITOR_ANSWER: &str = "monitor-answer.txt";
const READER_ANSWER: &str = "reader-answer.txt";
/// Longer lines are not read.
const LINE_CHARS_MAX: usize = 100;
/// The same for all three people, because this is a tour.
const PASSPHRASE: &[u8] = b"only for the tour\n";

/// Evidence of our own making; no person in it is real.
const SAMPLES: [(&str, &[u8]); 6] = [
    ("testimony.md", include_bytes!("../../../tests/evidence/testimony.md")),
    ("letter.pdf", include_bytes!("../../../tests/evidence/letter.pdf")),
    ("scan.png", include_bytes!("../../../tests/evidence/scan.png")),
    ("photo.jpg", include_bytes!("../../../tests/evidence/photo.jpg")),
    ("call.wav", include_bytes!("../../../tests/evidence/call.wav")),
    ("clip.mp4", include_bytes!("../../../tests/evidence/clip.mp4")),
];

/// See the whole story: three people, one vault, sample evidence or the files in FOLDER
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The tour makes a folder `amparo-tour` here and leaves everything in it for you to look at.

Examples:
  amparo tour
  amparo tour my-files")]
pub(crate) struct Args {
    /// Seal the files of this folder instead of the samples
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Tells the story; every step is a command that anybody can type again.
pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let disk = call.context.disk;
    let source = args.folder.as_ref().map(|folder| call.context.folder.join(folder));
    if let Some(folder) = &source {
        disk.list_source(folder)?;
    }
    let place = make_place(disk, &call.context.folder)?;
    lay_out(disk, &place, source.is_none())?;
    let evidence = source.map(|folder| folder.display().to_string());
    let mut tour = Tour { context: &mut *call.context, place: &place };
    match tour.tell(evidence.as_deref()) {
        Ok(()) => Ok(DONE),
        Err(Broken::Step(exit)) => {
            tour.say(&format!(
                "The tour stopped: this step ended with {exit}. What it made lies in {}.",
                place.display()
            ))?;
            Ok(FAILED)
        }
        Err(Broken::Cli(error)) => Err(*error),
    }
}

/// One of the three.
#[derive(Clone, Copy)]
struct Person {
    word: &'static str,
    pseudonym: &'static str,
    card: &'static str,
}

const LAWYER: Person = Person { word: "lawyer", pseudonym: "Blue Heron", card: "cards/blue-heron.card" };
const READER: Person = Person { word: "reader", pseudonym: "Grey Owl", card: "cards/grey-owl.card" };
/// Has no identity, and needs none.
const COURIER: Person = Person { word: "courier", pseudonym: "Blue Tit", card: "" };
const MONITOR: Person = Person { word: "monitor", pseudonym: "Red Kite", card: "cards/red-kite.card" };

enum Broken {
    Step(Exit),
    Cli(Box<CliError>),
}

impl From<CliError> for Broken {
    fn from(error: CliError) -> Self {
        Self::Cli(Box::new(error))
    }
}

struct Tour<'t, 'a> {
    context: &'t mut Context<'a>,
    place: &'t Path,
}

impl Tour<'_, '_> {
    fn tell(&mut self, evidence: Option<&str>) -> Result<(), Broken> {
        self.say(&format!(
            "Three people, each with a device of their own: a lawyer in the country,\n\
             a reader abroad, and a monitor of an observer mission. All happens in the folder\n\
             \x20 {}\n\
             The word before each $ says who types. To type along as the lawyer, stand in\n\
             that folder and set\n\
             \x20 AMPARO_IDENTITY=lawyer/identity.age\n\
             \x20 AMPARO_STATE=lawyer/state\n\
             \x20 AMPARO_PASSPHRASE_FILE=lawyer/passphrase\n\
             (In real life a passphrase is typed, never kept beside what it protects.)",
            self.place.display()
        ))?;
        self.chapter("1. Each makes an identity, and gives out the card: the public half, under a pseudonym.")?;
        for person in [LAWYER, READER, MONITOR] {
            self.step(person, DONE, &["identity", "new", "--name", person.pseudonym])?;
            self.step(person, DONE, &["identity", "card", "-o", person.card])?;
        }
        self.chapter("2. The lawyer founds a vault that the reader can open and the monitor can check.")?;
        self.step(
            LAWYER,
            DONE,
            &["init", "vault", "--reader", READER.card, "--monitor", MONITOR.card, "--handle", "K7"],
        )?;
        self.chapter("3. At night, in a hurry, the lawyer seals what there is.")?;
        let shown = match evidence {
            Some(folder) => {
                // Links and pipes among a person's own files are skipped; that stops no tour.
                let words = ["--vault", "vault", "seal", folder, "--receipt", "receipt.txt"];
                match self.step(LAWYER, DONE, &words) {
                    Err(Broken::Step(INCOMPLETE)) => {}
                    other => other?,
                }
                "K7-0001"
            }
            None => self.seal_samples()?,
        };
        self.step(LAWYER, DONE, &["--vault", "vault", "list"])?;
        self.chapter("4. From now on the lawyer cannot open it, whoever demands it. This must fail, and it does.")?;
        self.step(LAWYER, NO_KEY, &["--vault", "vault", "open", "K7-0001", "-o", "forced"])?;
        self.chapter(
            "5. A courier is leaving. The lawyer packs what the others lack into one file; it tells nobody what it is, and \
             neither courier nor lawyer can open it.",
        )?;
        let pack = ["--vault", "vault", "pack", "--to", READER.pseudonym, "--to", MONITOR.pseudonym];
        let way = ["-o", POUCH, "--parity", "10%", "--medium", "USB stick", "--carrier", "Blue Tit"];
        self.step(LAWYER, DONE, &[pack.as_slice(), &way].concat())?;
        self.step(COURIER, DONE, &["verify", POUCH, PARITY])?;
        let digits = self.digits()?;
        self.abroad(&digits, shown)?;
        self.chapter(
            "8. The answers come back by mail. Does the vault still hold what the receipt of that night says? And what \
             happened to it since?",
        )?;
        for answer in [MONITOR_ANSWER, READER_ANSWER] {
            self.step(LAWYER, DONE, &["--vault", "vault", "merge", answer])?;
        }
        self.step(LAWYER, DONE, &["--vault", "vault", "verify", "--receipt", "receipt.txt"])?;
        self.step(LAWYER, DONE, &["--vault", "vault", "custody", "log"])?;
        self.farewell()
    }

    /// What the monitor and the reader do with the pouch that reached them.
    fn abroad(&mut self, digits: &str, shown: &str) -> Result<(), Broken> {
        self.chapter(
            "6. The monitor unpacks it, checks the chain of custody without being able to read a word, and signs what she saw: \
             from now on nobody can tell it differently unnoticed. At first contact the program asks for the digits of the \
             vault, which the founder gave by another road: here they stand in the command.",
        )?;
        let hers = "monitor/vault";
        self.step(MONITOR, DONE, &["unpack", POUCH, PARITY, "-o", hers, "--vault-id", digits])?;
        self.step(MONITOR, DONE, &["--vault", hers, "custody", "acknowledge"])?;
        self.step(MONITOR, DONE, &["--vault", hers, "verify", "--cosign"])?;
        let answers = ["--vault", hers, "pack", "--answers", "--to", LAWYER.pseudonym, "-o", MONITOR_ANSWER];
        self.step(MONITOR, DONE, &answers)?;
        self.chapter(
            "7. The reader abroad unpacks it too, checks everything, content included, and signs that it arrived whole. Then \
             she lists, shows and opens.",
        )?;
        let hers = "reader/vault";
        let unpack = ["unpack", POUCH, PARITY, "-o", hers, "--vault-id", digits, "--sign", "--answer", READER_ANSWER];
        self.step(READER, DONE, &unpack)?;
        self.step(READER, DONE, &["--vault", hers, "list"])?;
        self.step(READER, DONE, &["--vault", hers, "show", shown])?;
        self.step(READER, DONE, &["--vault", hers, "open", "K7-0001", "-o", "opened"])
    }

    /// The samples: a testimony with what a court asks of it, then the rest at once. Returns the photo's label.
    fn seal_samples(&mut self) -> Result<&'static str, Broken> {
        let testimony = [
            "--vault",
            "vault",
            "seal",
            "evidence/testimony.md",
            "--kind",
            "testimony",
            "--title",
            "First account",
            "--field",
            "interview/first_account=yes",
            "--field",
            "consent/identifies=voice",
        ];
        self.step(LAWYER, DONE, &testimony)?;
        let rest = SAMPLES[1..].iter().map(|(name, _)| format!("evidence/{name}"));
        let rest: Vec<String> = rest.collect();
        let words: Vec<&str> = ["--vault", "vault", "seal"]
            .into_iter()
            .chain(rest.iter().map(String::as_str))
            .chain(["--receipt", "receipt.txt"])
            .collect();
        self.step(LAWYER, DONE, &words)?;
        // Small files are sealed first: the letter, the photo, the clip, the scan, the call.
        Ok("K7-0003")
    }

    fn farewell(&mut self) -> Result<(), Broken> {
        self.say(&format!(
            "\nThat was all of it. In {}:\n\
             \x20 evidence/   the samples, still readable: in real life they would have to go\n\
             \x20 vault/      the lawyer's copy; nothing in it tells names, titles or contents\n\
             \x20 holiday.bin what the courier carried, with what would have repaired it\n\
             \x20 opened/     what the reader got back, with its record\n\
             \x20 receipt.txt proves later that this existed and was not swapped\n\
             \x20 cards/      what the three gave to each other\n\
             \n\
             Try next, in that folder:\n\
             \x20 change one byte of any file in vault/blobs, and let the lawyer verify again\n\
             \x20 amparo tour FOLDER, with a folder of your own\n\
             \x20 amparo border-check, to see what a search of this device would find\n\
             \x20 amparo identity new, to begin in earnest; amparo --help for every command",
            self.place.display()
        ))?;
        Ok(())
    }

    /// What the founder would read to the others over the telephone.
    fn digits(&mut self) -> Result<String, Broken> {
        let folder = self.context.disk.folder(&self.place.join("vault")).map_err(CliError::from)?;
        let bytes = folder.read(&crate::store::layout::vault_file(), 1024).map_err(CliError::from)?;
        let id = vault_file::parse(&bytes).map_err(|error| CliError::from(crate::vault::VaultError::from(error)))?;
        Ok(id.fingerprint())
    }

    /// The columns of a line.
    fn width(&self) -> usize {
        match self.context.terminal.width {
            0 => LINE_CHARS_MAX,
            width => width.min(LINE_CHARS_MAX),
        }
    }

    fn chapter(&mut self, text: &str) -> Result<(), Broken> {
        Ok(self.say(&format!("\n{}", wrapped(text, self.width()).join("\n")))?)
    }

    fn say(&mut self, text: &str) -> Result<(), CliError> {
        writeln!(self.context.stdout, "{text}").map_err(|source| CliError::Output { source })
    }

    /// Shows a command as the person would type it, and runs it as that person.
    fn step(&mut self, person: Person, expected: Exit, words: &[&str]) -> Result<(), Broken> {
        self.say(&format!("\n{}", typed(person.word, words, self.width())))?;
        let args = std::iter::once("amparo").chain(words.iter().copied()).map(OsString::from);
        let exit = self.as_person(person, |context| run_program(args, context));
        if exit == expected { Ok(()) } else { Err(Broken::Step(exit)) }
    }

    fn as_person(&mut self, person: Person, act: impl FnOnce(&mut Context<'_>) -> Exit) -> Exit {
        let (home, width) = (self.place.join(person.word), self.width());
        let variable = |name: &str, file: &str| (name.to_string(), home.join(file).into_os_string());
        let env = BTreeMap::from([
            variable("AMPARO_IDENTITY", "identity.age"),
            variable("AMPARO_STATE", "state"),
            variable("AMPARO_PASSPHRASE_FILE", "passphrase"),
            variable("HOME", ""),
            ("NO_COLOR".to_string(), "1".into()),
        ]);
        let context = &mut *self.context;
        // One stream, so that the story keeps its order wherever it is sent.
        let stream = RefCell::new(&mut *context.stdout);
        let width = width.saturating_sub(INDENT.len());
        let mut stdout = Indented::new(&stream, width);
        let mut stderr = Indented::new(&stream, width);
        act(&mut Context {
            disk: context.disk,
            clock: context.clock,
            rng: &mut *context.rng,
            machine: context.machine,
            env,
            folder: self.place.to_path_buf(),
            rebase: true,
            stdin: &mut io::empty(),
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminal: Terminal { width, ..Terminal::default() },
            ask: &mut *context.ask,
            stopped: context.stopped,
            // One process plays all three, on samples of its own: whoever gave something up could not play the next.
            confine: &mut |_| Ok(()),
        })
    }
}

/// A new folder below `here`.
fn make_place(disk: &dyn Disk, here: &Path) -> Result<PathBuf, CliError> {
    let names = std::iter::once(FOLDER.to_string()).chain((2..100).map(|number| format!("{FOLDER}-{number}")));
    let mut refusal = None;
    for name in names {
        match disk.create_folder(&here.join(&name), Mode::Private) {
            Ok(_) => return Ok(here.join(name)),
            Err(error @ StoreError::Exists { .. }) => refusal = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    Err(refusal.expect("a hundred names were tried").into())
}

/// The samples, and each person's folder with a passphrase.
fn lay_out(disk: &dyn Disk, place: &Path, with_samples: bool) -> Result<(), CliError> {
    let folder = disk.folder(place)?;
    let write = |path: String, bytes: &[u8]| {
        let path = RelPath::parse(&path).ok_or_else(|| StoreError::BadPath { path: path.into() })?;
        folder.create(&path, bytes, Mode::Private)
    };
    for person in [LAWYER, READER, MONITOR] {
        write(format!("{}/passphrase", person.word), PASSPHRASE)?;
    }
    for (name, bytes) in SAMPLES.iter().filter(|_| with_samples) {
        write(format!("evidence/{name}"), bytes)?;
    }
    folder.create_folder(&RelPath::parse("cards").expect("a name"), Mode::Private)?;
    Ok(())
}
