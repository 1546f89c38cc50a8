//! A pouch without a key, as a courier checks it: whether it is undamaged, what can be restored, how much more may be lost.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::paper::Paper;
use super::{Wanted, whole};
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{Tone, count, shown, size};
use crate::cli::pieces::{self, ranges};
use crate::cli::{DONE, Exit, INCOMPLETE, INVALID, hints};
use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::crypto::pad::padme;
use crate::format::pouch::ANSWERS_BYTES_MIN;
use crate::store::mounted::Mounted;
use crate::vault::VaultError;
use crate::vault::pouch::PouchError;
use crate::vault::pouch::archive::Archive;
use crate::vault::pouch::opened::Opened;
use crate::vault::pouch::pieces::{Condition, MayLose, Pieces};
use crate::vault::pouch::repair::repair_if;
use crate::vault::pouch::unfinished::Mark;
use crate::vault::session::Person;

const NOT_CHECKED: [&str; 2] = [
    "what is in it, for whom, and who packed it: that takes the key of somebody it is for",
    "whether other pouches belong to it",
];
const ON_PURPOSE: &str = "whether somebody changed it on purpose: checksums tell damage; compare its SHA-256 with the sender's, \
                          by another road";
const NO_DIGEST: &str = "64 digits and letters from a to f";
const COMPARED_LATER: &str =
    "so much of it is damaged that its SHA-256 is compared only when it is repaired: give --repair as well";
const NEVER_COMPARED: &str = "its SHA-256 cannot be compared: a part of it is lost";
/// Whoever types nonsense is not asked for ever.
const TRIES: usize = 3;
/// The longest header that an age file may have here, and the nonce.
const START_BYTES: u64 = envelope::HEADER_BYTES_MAX as u64 + 16;

/// What was found.
struct Told {
    verdict: &'static str,
    tone: Tone,
    exit: Exit,
    lines: Vec<String>,
    not_checked: Vec<&'static str>,
}

/// A SHA-256 as people write it down.
pub(super) fn digest(text: &str) -> Result<Hash, String> {
    let digits: String = text.split_whitespace().collect();
    Hash::from_hex(&digits.to_ascii_lowercase()).ok_or_else(|| NO_DIGEST.into())
}

/// Whether one of these files is a part of a pouch. Then all of them are taken for parts of it.
pub(super) fn is_meant(files: &[PathBuf], call: &Call<'_, '_>) -> Result<bool, CliError> {
    for file in files.iter().filter(|file| !is_dash(file)) {
        if Pieces::is_part(call.context.disk, &call.path(file))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The pouch, for somebody at hand whom it is for. Nobody is asked who cannot answer; whoever has no key checks it as a courier.
pub(super) fn opened(files: &[PathBuf], call: &mut Call<'_, '_>) -> Result<Option<(Person, Arc<Archive>)>, CliError> {
    let person = if call.interactive() { call.person_if_any().ok().flatten() } else { call.person_unasked() };
    let Some(person) = person else { return Ok(None) };
    let paths: Vec<PathBuf> = files.iter().map(|file| call.path(file)).collect();
    let pieces = Pieces::gather(call.context.disk, &paths)?;
    if pieces.must_be_repaired_first(call.parts().setting().watch)? {
        call.warn("so much of the pouch is damaged that what is in it can be checked only once it is repaired");
        return Ok(None);
    }
    match Opened::open(pieces, &[&person.keys.age]) {
        Ok(opened) => {
            pieces::warn_of_files(opened.pieces(), call);
            Ok(Some((person, Arc::new(Archive::read(opened, &files[0])?))))
        }
        Err(VaultError::Pouch(PouchError::ForOthers | PouchError::StartLost { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Verifies what is in it, as a copy of the vault: it is read as a folder, and nothing is unpacked.
pub(super) fn verify_within(
    (person, pouch): (Person, Arc<Archive>),
    (file, papers, wanted): (&Path, &[Paper], &Wanted),
    call: &mut Call<'_, '_>,
) -> Result<Exit, CliError> {
    if wanted.cosigning.is_some() {
        let message = "what is in a pouch is cosigned once it is unpacked".into();
        return Err(CliError::Usage { message, hint: Some("amparo unpack FILE".into()) });
    }
    let at = call.path(file);
    let disk = call.context.disk;
    let exit = call.on_disk(&Mounted::new(disk, &at, Arc::clone(&pouch) as _), |call| {
        let place = call.place_at(at.clone(), Contact::May)?;
        whole::verify_as(Some(person), &place, Some(&pouch), (papers, wanted), call)
    });
    exit.map_err(|error| pieces::or_damage(error, &pouch))
}

/// Checks it, also against the SHA-256 that was `sent`, and writes it as it was where that is wanted, to a file that is marked.
pub(super) fn verify(
    files: &[PathBuf],
    sent: Option<Hash>,
    to: Option<(&Path, &Mark)>,
    call: &mut Call<'_, '_>,
) -> Result<Exit, CliError> {
    let paths: Vec<PathBuf> = files.iter().map(|file| call.path(file)).collect();
    let pieces = Pieces::gather(call.context.disk, &paths)?;
    let (mut condition, looked) = pieces.look(call.parts().setting().watch)?;
    let nothing_tells = condition.damaged.is_empty() && !condition.unchecked.is_empty();
    let sent = if nothing_tells && sent.is_none() && looked.is_some() { ask_for_digest(call)? } else { sent };
    let is_sent =
        |sha256: Option<Hash>| sent.zip(sha256).map(|(sent, sha256)| sent == sha256 || pieces.was_made_as(sent));
    if nothing_tells && is_sent(looked) == Some(true) {
        condition.unchecked.clear();
    }
    // What is not what was sent is no repair of it: where that is known, nothing is written, and else it does not stay.
    let is_wanted = |sha256| is_sent(Some(sha256)) != Some(false);
    let written = match to.filter(|_| looked.is_none_or(is_wanted)) {
        Some((_, mark)) => Some(write(&pieces, &condition, (mark, is_wanted), call)?),
        None => None,
    };
    // Of much that is damaged the repaired file tells.
    let sha256 = looked.or(written.map(|(sha256, _)| sha256));
    let repaired = to.zip(written).filter(|(_, (_, is_kept))| *is_kept).map(|((to, _), (sha256, _))| (to, sha256));
    let told = tell(&pieces, &condition).against((sent, sha256), is_sent(sha256), condition.can_be_repaired());
    if call.global.json {
        call.print_json(described(&pieces, &condition, &told, (sha256, is_sent(sha256)), repaired))?;
    } else {
        print(&pieces, &told, sha256, call)?;
        if let Some((to, sha256)) = repaired {
            call.print(&format!("\nrepaired: {}, SHA-256 {sha256}", shown(&to.to_string_lossy())))?;
        } else if let Some((to, _)) = to {
            let to = shown(&to.to_string_lossy());
            call.print(&format!("\nnot repaired: it is not what was sent, and nothing was kept as {to}"))?;
        } else if !condition.is_whole() && condition.can_be_repaired() {
            let typed: Vec<String> = files.iter().map(|file| hints::word(&file.to_string_lossy())).collect();
            call.suggest(format!("amparo verify {} --repair whole.bin", typed.join(" ")));
        }
    }
    Ok(if repaired.is_some() { DONE } else { told.exit })
}

/// Somebody who came with a lone pouch may have been told what it should be.
fn ask_for_digest(call: &mut Call<'_, '_>) -> Result<Option<Hash>, CliError> {
    if !call.interactive() {
        return Ok(None);
    }
    for _ in 0..TRIES {
        let typed = call.ask_line("The SHA-256 that its sender told you by another road (Enter: none):")?;
        match typed.as_deref().map(digest) {
            None => break,
            Some(Ok(sent)) => return Ok(Some(sent)),
            Some(Err(_)) => call.talk(&format!("That is no SHA-256: it has {NO_DIGEST}.")),
        }
    }
    Ok(None)
}

impl Told {
    /// The same, once it was held against the SHA-256 that was sent, if one was.
    fn against(
        mut self,
        (sent, sha256): (Option<Hash>, Option<Hash>),
        is_sent: Option<bool>,
        can_be_repaired: bool,
    ) -> Self {
        match (sent, is_sent) {
            (None, _) => {
                self.not_checked.push(ON_PURPOSE);
                if sha256.is_some() && self.exit == INCOMPLETE {
                    let more = "--sha256, with what its sender told by another road, shows whether it is the same";
                    self.lines.push(more.into());
                }
            }
            (Some(_), None) => {
                self.not_checked.push(ON_PURPOSE);
                self.lines.push(if can_be_repaired { COMPARED_LATER } else { NEVER_COMPARED }.into());
            }
            (Some(sent), Some(false)) => {
                self.lines.push(format!(
                    "the SHA-256 that was given is {sent}: damaged on the way, another pouch, or mistyped"
                ));
                let verdict = "INVALID: it has not the SHA-256 that was given";
                return Self { verdict, tone: Tone::Bad, exit: INVALID, ..self };
            }
            (Some(sent), Some(true)) if self.exit == DONE => {
                self.verdict = "VALID: undamaged, it has the SHA-256 that was given";
                if sha256 != Some(sent) {
                    self.lines
                        .push("its line ends are others, or something stands around it: that does no harm".into());
                }
            }
            (Some(_), Some(true)) => self.lines.push("what comes back has the SHA-256 that was given".into()),
        }
        self
    }
}

/// Without a key or parity nothing tells what belongs into a lone pouch: it is not repaired by copying it.
fn write(
    pieces: &Pieces,
    condition: &Condition,
    (mark, is_wanted): (&Mark, impl FnOnce(Hash) -> bool),
    call: &mut Call<'_, '_>,
) -> Result<(Hash, bool), CliError> {
    if !condition.can_be_repaired() {
        let bytes = |ranges: &[Range<u64>]| ranges.iter().map(|range| range.end - range.start).sum();
        let (lost, unchecked, bytes) = (bytes(&condition.lost), bytes(&condition.unchecked), pieces.bytes());
        let error = match lost {
            0 => PouchError::NothingTells { unchecked, bytes },
            _ => PouchError::BeyondRepair { lost, bytes },
        };
        return Err(VaultError::Pouch(error).into());
    }
    Ok(repair_if(&call.parts().setting(), pieces, mark, is_wanted)?)
}

fn tell(pieces: &Pieces, condition: &Condition) -> Told {
    let mut lines = Vec::new();
    let told = |verdict, tone, exit, lines| Told { verdict, tone, exit, lines, not_checked: NOT_CHECKED.to_vec() };
    if let Some(may_lose) = condition.may_lose {
        lines.push(match condition.packets_damaged {
            0 => "its parity is undamaged".into(),
            damaged => format!("{damaged} of {} of its parity damaged or missing", count(condition.packets, "packet")),
        });
        if condition.can_be_repaired() {
            lines.push(may_still(may_lose));
        }
    }
    lines.extend(pieces::missing(pieces));
    lines.extend(pieces::places("damaged", &condition.damaged));
    if condition.is_whole() {
        return told("VALID: undamaged, every byte was checked", Tone::Good, DONE, lines);
    }
    if condition.can_be_repaired() {
        lines.push("all of it can be restored".into());
        return told("INCOMPLETE: damaged, and all of it can be restored", Tone::Careful, INCOMPLETE, lines);
    }
    if condition.damaged.is_empty() && condition.may_lose.is_none() {
        let verdict = match cut_short(pieces) {
            None => "INCOMPLETE: nothing shows damage, and without a key or parity little of it can be checked",
            Some(why) => {
                lines.push(why.into());
                "INCOMPLETE: it is damaged"
            }
        };
        return told(verdict, Tone::Careful, INCOMPLETE, lines);
    }
    if condition.damaged.is_empty() {
        lines.extend(pieces::places("not known to be whole", &condition.unchecked));
        let verdict =
            "INCOMPLETE: nothing shows damage, but so much of its parity is lost that a part cannot be checked";
        return told(verdict, Tone::Careful, INCOMPLETE, lines);
    }
    lines.extend(pieces::places("lost", &condition.lost));
    lines.extend(pieces::places("not known to be whole", &condition.unchecked));
    if condition.lost.is_empty() {
        lines.push("what is known to be damaged can be restored".into());
    }
    lines.push("give all volumes and parity files that there are, of every copy: they help each other".into());
    let verdict = match condition.lost.as_slice() {
        [] => "INCOMPLETE: damaged, and so much of its parity is lost that a part cannot be checked",
        _ => "INCOMPLETE: damaged, and a part of it is lost",
    };
    told(verdict, Tone::Bad, INCOMPLETE, lines)
}

/// How much more may be lost: what holds wherever it lies.
fn may_still(MayLose { pieces, of, run_bytes }: MayLose) -> String {
    let run = if run_bytes > 0 { format!("a run of {}, or ", size(run_bytes)) } else { String::new() };
    match pieces {
        0 => "nothing more of it may be lost: one group of its pieces has none to spare".into(),
        _ => format!("{run}any {pieces} of the {of} pieces of each group may still be lost, and all comes back"),
    }
}

/// What the length and the header of a lone pouch tell: it was cut, or something was added.
fn cut_short(pieces: &Pieces) -> Option<&'static str> {
    let mut start = vec![0; usize::try_from(pieces.bytes().min(START_BYTES)).unwrap_or(0)];
    if pieces.read_at(0, &mut start).is_err() {
        return Some("its beginning cannot be read");
    }
    let held = envelope::hybrid_stanzas(&start).ok().and_then(|_| envelope::payload_bytes(&start, pieces.bytes()));
    match held {
        None => Some(
            "its beginning is damaged, or its length is that of no pouch: it was cut short, or something was added",
        ),
        Some(held) if held < ANSWERS_BYTES_MIN || padme(held) != held => {
            Some("its length is that of no pouch: it was cut short, or something was added")
        }
        Some(_) => None,
    }
}

fn print(pieces: &Pieces, told: &Told, sha256: Option<Hash>, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let verdict = call.set_off(told.verdict, told.tone, call.context.terminal.output);
    call.print(&verdict)?;
    call.print(&format!("\na pouch of {}", size(pieces.bytes())))?;
    for line in &told.lines {
        call.print(&format!("  {}", shown(line)))?;
    }
    if let Some(sha256) = sha256 {
        call.print(&format!("  SHA-256 {sha256}"))?;
    }
    for line in pieces::unknown(pieces) {
        call.print(&format!("  {line}"))?;
    }
    call.print("\nnot checked:")?;
    for text in &told.not_checked {
        call.print(&format!("  {text}"))?;
    }
    Ok(())
}

fn described(
    pieces: &Pieces,
    condition: &Condition,
    told: &Told,
    (sha256, is_sent): (Option<Hash>, Option<bool>),
    repaired: Option<(&Path, Hash)>,
) -> Value {
    let verdict = match told.exit {
        DONE => "valid",
        INVALID => "invalid",
        _ => "incomplete",
    };
    let files: Vec<Value> =
        pieces.known().map(|path| json!({ "path": path.to_string_lossy(), "kind": "pouch" })).collect();
    let unknown: Vec<Value> = pieces.unknown().iter().map(|path| json!(path.to_string_lossy())).collect();
    let may_lose = condition
        .may_lose
        .map(|MayLose { pieces, of, run_bytes }| json!({ "pieces": pieces, "of": of, "run_bytes": run_bytes }));
    json!({
        "format": 1, "verdict": verdict, "level": "bytes", "pinned": false, "checks": [], "findings": [],
        "not_checked": told.not_checked, "notices": told.lines, "logs": [], "exhibits": 0, "blobs": 0, "exhibit_verdicts": {},
        "files": files,
        "pouch": {
            "bytes": pieces.bytes(), "sha256": sha256.map(|sha256| sha256.to_string()),
            "is_as_sent": is_sent, "share": pieces.parity().map(|layout| layout.share), "may_lose": may_lose,
            "whole": condition.is_whole(), "repairable": condition.can_be_repaired(),
            "damaged": ranges(&condition.damaged), "lost": ranges(&condition.lost),
            "unchecked": ranges(&condition.unchecked), "packets": condition.packets,
            "packets_damaged": condition.packets_damaged, "missing": pieces.missing(), "unknown": unknown,
            "repaired": repaired.map(|(path, sha256)| {
                json!({ "path": path.to_string_lossy(), "sha256": sha256.to_string() })
            }),
        },
    })
}
