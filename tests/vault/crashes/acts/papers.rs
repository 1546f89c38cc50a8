//! Papers that a command writes beside a vault: when it says so, the paper is whole; before that it is absent, or shows
//! by itself that it is none.

use std::sync::Arc;

use amparo::crypto::envelope;
use amparo::crypto::seed::Seed;
use amparo::format::card::Card;
use amparo::format::fork_proof::ForkProof;
use amparo::format::receipt::Receipt;
use amparo::format::{armor, cosignatures, words};
use amparo::store::RelPath;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::VaultError;
use amparo::vault::custody::note::{self, note};
use amparo::vault::findings::Verdict;

use super::super::super::merging::merge_into;
use super::super::super::people::World;
use super::super::judge::Stage;
use super::super::unchanged;
use super::replacing::{OLD, any};
use super::typed::{At, Said, at_home, is_said, prepared, read, types};
use super::{Act, PLAIN, READERS, as_who, at, check, members};

/// A paper, and the command that writes it.
pub(super) struct Paper {
    pub(super) at: fn(&World) -> At<'_>,
    pub(super) words: &'static [&'static str],
    pub(super) file: &'static str,
    pub(super) is_whole: fn(&World, &[u8]) -> bool,
    /// Whether the command says that it is written.
    pub(super) is_told: fn(&Said) -> bool,
}

pub(super) const PAPER: Paper = Paper {
    at: |world| at_home(&world.lawyer, "vault"),
    words: &[],
    file: "",
    is_whole: |_, _| false,
    is_told: |said| said.exit == 0,
};

impl Paper {
    pub(super) fn types(&self, world: &World, acknowledged: &mut dyn FnMut()) -> Result<bool, VaultError> {
        let said = types(world, &(self.at)(world), self.words, b"", acknowledged);
        if (self.is_told)(&said) { Ok(true) } else { said.done() }
    }

    /// Something of that name is there, of which nobody was told that it is whole: it makes room, and the command is
    /// typed again.
    pub(super) fn settles(&self, world: &World, error: VaultError) -> Result<bool, VaultError> {
        let path = world.path(self.file);
        if world.disk().stat(&path).is_err() {
            return Err(error);
        }
        let folder = world.disk().folder(path.parent().expect("a folder"))?;
        folder.remove_all(&[path.file_name().and_then(RelPath::parse).expect("a name")])?;
        self.types(world, &mut || ())
    }

    pub(super) fn is_there(&self, world: &World) -> Result<(), String> {
        let is_whole = read(world, self.file).is_some_and(|bytes| (self.is_whole)(world, &bytes));
        check(is_whole, &format!("{} is not there, or not whole", self.file))
    }
}

/// An act that is the writing of a paper.
macro_rules! writes {
    ($name:literal, $paper:ident, $($rest:tt)*) => {
        Act {
            name: $name,
            run: |world, acknowledged| $paper.types(world, acknowledged),
            settles: |world, error| $paper.settles(world, error),
            effect: |world| $paper.is_there(world),
            $($rest)*
        }
    };
}

/// A text that ends so, and of which no part is zeros.
fn ends(bytes: &[u8], end: &str) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.trim_end().ends_with(end) && !text.contains('\0'))
}

const CARD: Paper = Paper {
    words: &["identity", "card", "-o", "paper/heron.card"],
    file: "paper/heron.card",
    is_whole: |world, bytes| Card::parse(bytes).is_ok_and(|card| card.member() == world.lawyer.person.member()),
    ..PAPER
};

const BACKUP: Paper = Paper {
    words: &["identity", "backup", "-o", "paper/words.txt"],
    file: "paper/words.txt",
    is_whole: |_, bytes| {
        let words = words::of_seed(&Seed::from_bytes(&[1; 32]));
        let lines: Vec<String> = (1..).zip(words).map(|(number, word)| format!("{number:>2}. {word}\n")).collect();
        bytes == lines.concat().as_bytes()
    },
    ..PAPER
};

pub(super) fn is_receipt(bytes: &[u8]) -> bool {
    Receipt::parse(bytes).is_ok_and(|receipt| receipt.print().as_bytes() == bytes)
}

const RECEIPT: Paper = Paper {
    words: &["custody", "receipt", "K7-0001", "-o", "paper/first.receipt"],
    file: "paper/first.receipt",
    is_whole: |_, bytes| is_receipt(bytes),
    ..PAPER
};

const CODE: Paper = Paper {
    words: &["custody", "receipt", "K7-0001", "--qr-svg", "paper/first.svg"],
    file: "paper/first.svg",
    is_whole: |_, bytes| ends(bytes, "</svg>"),
    ..PAPER
};

const SHARE: Paper = Paper {
    at: |world| at_home(&world.reader, "two"),
    words: &["identity", "lend", "--to", "Lantern", "-o", "paper/share.txt"],
    file: "paper/share.txt",
    is_whole: |world, bytes| {
        let lent = armor::parse(bytes).ok();
        lent.is_some_and(|lent| envelope::open(&lent, &[&world.monitor.person.keys.age]).is_ok())
    },
    ..PAPER
};

/// A share that left unrecorded would be worse than a record of one that never arrived.
fn lending_is_recorded(world: &World) -> Result<(), String> {
    match read(world, SHARE.file) {
        Some(_) => is_said(world, ("two", &world.reader), "note"),
        None => Ok(()),
    }
}

const REPORT: Paper = Paper {
    at: |world| at_home(&world.reader, "vault"),
    words: &["verify", "--report", "paper/report.md", "--names", "roles"],
    file: "paper/report.md",
    is_whole: |_, bytes| is_report(bytes),
    ..PAPER
};

const NEWER_REPORT: Paper =
    Paper { words: &["verify", "--report", "paper/report.md", "--names", "roles", "--overwrite"], ..REPORT };

fn is_report(bytes: &[u8]) -> bool {
    ends(bytes, "`amparo verify --receipt FILE`.")
}

fn is_old_or_new(world: &World) -> Result<(), String> {
    any(world, "paper", "", |read| read == OLD || is_report(read))
}

const COSIGNATURES: Paper = Paper {
    at: |world| at_home(&world.monitor, "vault"),
    words: &["verify", "--cosign", "--cosignatures", "paper/lantern.txt"],
    file: "paper/lantern.txt",
    is_whole: |_, bytes| cosignatures::parse(bytes).is_ok_and(|notes| !notes.is_empty()),
    ..PAPER
};

const PROOF: Paper = Paper {
    at: |world| at_home(&world.reader, "nest"),
    words: &["verify", "--fork-proof", "paper/proof.txt"],
    file: "paper/proof.txt",
    is_whole: |_, bytes| ForkProof::parse(bytes).is_ok(),
    is_told: |said| said.err.contains("The proof that one key signed two histories is in"),
};

/// The lawyer's computer was restored from an image, and she went on twice; somebody has a copy with both histories.
fn forked(disk: &FaultyDisk, world: &World) {
    prepared(disk, world);
    let image = disk.crash(0);
    let says = |world: &World, text| {
        let place = at(&world.vault, &world.lawyer);
        as_who(world, &world.lawyer, |setting| note(setting, &place, text, None, note::Kind::Note)).expect("noted");
    };
    says(world, "by bus");
    says(&world.moved_to(Arc::new(image.clone())), "by train");
    let nest = world.path("nest");
    for (path, bytes) in image.files() {
        if let Ok(below) = path.strip_prefix(&world.vault) {
            disk.put(&nest.join(below), &bytes);
        }
    }
    let merged = merge_into(disk, &world.reader, &nest, &world.vault, false).expect("merged");
    assert_eq!(merged.forks.len(), 1, "{:?}", merged.findings);
}

const STATEMENT: Paper = Paper {
    at: |world| At { who: &world.lawyer, vault: None, folder: "traveller" },
    words: &["border-check", "--card", "-o", "statement.txt"],
    file: "traveller/statement.txt",
    is_whole: |_, bytes| ends(bytes, "It does not say what is in the files."),
    ..PAPER
};

fn split(disk: &FaultyDisk, world: &World) {
    prepared(disk, world);
    members::split_key(disk, world);
}

pub(super) static ACTS: [Act; 10] = [
    writes!("identity card -o", CARD, before: prepared, ..PLAIN),
    writes!("identity backup -o", BACKUP, before: prepared, ..PLAIN),
    writes!("custody receipt -o", RECEIPT, before: prepared, ..PLAIN),
    writes!("custody receipt --qr-svg", CODE, before: prepared, ..PLAIN),
    writes!("identity lend -o", SHARE, before: split, copy: "two", always: lending_is_recorded, ..READERS),
    writes!("verify --report", REPORT, before: prepared, who: |world| &world.reader, ..PLAIN),
    writes!(
        "verify --report --overwrite",
        NEWER_REPORT,
        before: |disk, world| {
            prepared(disk, world);
            disk.put(&world.path(NEWER_REPORT.file), OLD);
        },
        who: |world| &world.reader,
        always: is_old_or_new,
        ..PLAIN
    ),
    writes!(
        "verify --cosignatures",
        COSIGNATURES,
        before: prepared,
        who: |world| &world.monitor,
        says: &[("verify", 1)],
        ..PLAIN
    ),
    writes!(
        "verify --fork-proof",
        PROOF,
        before: forked,
        copy: "nest",
        worst: [Verdict::Invalid; 2],
        ..READERS
    ),
    writes!(
        "border-check --card",
        STATEMENT,
        before: |disk, world| disk.put(&world.path("traveller/readme.txt"), b"mine"),
        ..PLAIN
    ),
];

/// It looks whole, and may be gone after a power cut: nobody shall find it and rely on it.
#[test]
fn a_paper_that_could_not_be_made_durable_is_not_left() {
    let stage = Stage::set(&ACTS[0], Rules::Ext4, unchanged);
    let disk = stage.base.twin();
    disk.fail_at(0, Fault::Sync, Times::FromThenOn);
    let told = CARD.types(&stage.program_on(&disk), &mut || ());
    disk.heal();
    let left = disk.files().into_iter().any(|(path, _)| path.ends_with(CARD.file));
    assert!(told.is_err() && !left && disk.struck() > 0, "{told:?}, and it is left: {left}");
}
