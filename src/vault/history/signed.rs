//! The signed states of a log: which of its checkpoints bear both of its owner's signatures. A vault has one for every
//! entry, of 3 kB, so that of each only the state is kept; the few whose signatures are needed again are read again.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::chain::{Candidate, Reading, root_at};
use super::reach::{Reached, reach};
use super::trouble::{Trouble, Troubles};
use crate::crypto::hash::Hash;
use crate::format::card::Card;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::event::Head;
use crate::format::ids::{LogId, VaultId};
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::layout::{self, CheckpointName};
use crate::vault::findings::{Check, Verdict};
use crate::vault::parallel;
use crate::vault::survey::LogFiles;

/// Of which signed states the signatures are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signatures {
    /// Of all: each one that does not hold is a finding.
    All,
    /// Of those that the story rests on: the last one of each log, and whatever does not agree with it. The last one's root
    /// covers all entries, so that the story is the same; that an older state's signatures do not hold is not noticed.
    OfStory,
}

/// What a checkpoint shows.
pub(super) enum Look {
    /// A state whose signatures were checked, or why it is none.
    Checked(Result<Head, NotAHead>),
    /// A state that somebody claims; `None` where none can be read.
    Claims(Option<Head>),
}

/// A state that bears both signatures of its log's owner.
pub(super) struct SignedState {
    pub(super) head: Head,
    pub(super) shown: Shown,
}

/// Where the signatures are.
pub(super) enum Shown {
    /// In this checkpoint.
    Checkpoint(CheckpointName),
    /// In a cosignature: here.
    Cosigned(Note),
}

/// Why a checkpoint's file is no state of its log.
#[derive(Clone)]
pub(crate) enum NotAHead {
    /// No line in it is by the log's owner.
    Stranger,
    /// It does not hold, or cannot be read.
    Trouble(Trouble),
}

impl NotAHead {
    fn wrong(reason: &(impl ToString + ?Sized)) -> Self {
        Self::Trouble(Trouble::new(Verdict::Invalid, reason))
    }
}

impl From<Trouble> for NotAHead {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Reading<'_> {
    /// Looks at every checkpoint of the logs whose owners are known, on all cores at once.
    pub(super) fn look_at_states(&self, owners: &BTreeMap<LogId, &Card>) -> BTreeMap<LogId, Vec<Look>> {
        let names = owners.iter().flat_map(|(log, card)| {
            let files = self.survey.logs.get(log);
            files.into_iter().flat_map(|files| &files.checkpoints).map(|name| (*log, *card, name))
        });
        let names: Vec<(LogId, &Card, &CheckpointName)> = names.collect();
        let looks = parallel::map(&names, |(log, card, name)| match self.signatures {
            Signatures::All => Look::Checked(self.checkpoint(*log, name, card).map(|(head, _)| head)),
            Signatures::OfStory => Look::Claims(self.claim(*log, name)),
        });
        let mut of_logs: BTreeMap<LogId, Vec<Look>> = BTreeMap::new();
        for ((log, ..), look) in names.iter().zip(looks) {
            of_logs.entry(*log).or_default().push(look);
        }
        of_logs
    }

    /// The states of a log that bear both of its owner's signatures, largest first, and where its entries lead.
    pub(super) fn signed_states(
        &self,
        (id, files, card): (LogId, &LogFiles, &Card),
        looks: &[Look],
        candidates: &BTreeMap<u64, Vec<Candidate>>,
        troubles: &mut Troubles,
    ) -> (Vec<SignedState>, Reached) {
        let (mut states, mut claims) = (Vec::new(), Vec::new());
        for (name, look) in files.checkpoints.iter().zip(looks) {
            match look {
                Look::Checked(result) => self.take(id, name, result.clone(), &mut states, troubles),
                Look::Claims(claimed) => claims.push((*claimed, name)),
            }
        }
        // What claims no state cannot be told from one that does not hold: it comes last, and is checked.
        claims.sort_by_key(|(claimed, _)| Reverse(claimed.map(|head| (head.size, Reverse(head.root)))));
        let claimed = claims.iter().filter_map(|(claimed, _)| *claimed);
        let reached = reach(candidates, states.iter().map(|state| state.head).chain(claimed));
        let mut story: Option<(Head, Vec<usize>)> = None;
        for (claimed, name) in claims {
            // The last state's root covers those that lead up to it.
            if let (Some(claimed), Some((head, path))) = (&claimed, &story)
                && (claimed == head || root_at(candidates, path, claimed.size) == Some(claimed.root))
            {
                continue;
            }
            let result = self.checkpoint(id, name, card).map(|(head, _)| head);
            let signed = result.as_ref().ok().copied();
            self.take(id, name, result, &mut states, troubles);
            if let Some(head) = signed.filter(|head| story.is_none() && reached.heads.contains_key(head)) {
                story = Some((head, reached.path(&head)));
            }
        }
        largest_first(&mut states);
        (states, reached)
    }

    /// The state that a checkpoint claims, whoever signed it; `None` where that cannot be read. Its text ends at the first
    /// empty line, where the signatures of a sound one begin.
    fn claim(&self, id: LogId, name: &CheckpointName) -> Option<Head> {
        let bytes = self.folder.read(&layout::checkpoint(id, name), NOTE_BYTES_MAX as u64).ok()?;
        let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
        let checkpoint = Checkpoint::parse_text(std::str::from_utf8(bytes.get(..=end)?).ok()?).ok()?;
        let is_here = checkpoint.origin == (Origin { vault: self.vault, log: id }) && checkpoint.size == name.size;
        is_here.then_some(Head { log: id, size: checkpoint.size, root: checkpoint.root })
    }

    fn take(
        &self,
        id: LogId,
        name: &CheckpointName,
        result: Result<Head, NotAHead>,
        states: &mut Vec<SignedState>,
        troubles: &mut Troubles,
    ) {
        let refused = match result {
            Ok(head) => return states.push(SignedState { head, shown: Shown::Checkpoint(*name) }),
            Err(refused) => refused,
        };
        let path = layout::checkpoint(id, name).to_string();
        match refused {
            _ if self.own.contains(&path) => {}
            NotAHead::Stranger => {
                let message = "it bears no signature of this log's owner";
                troubles.add(0, Verdict::Incomplete, Check::Foreign, path, message);
            }
            NotAHead::Trouble(trouble) => {
                // What its name covers last is what it is about.
                troubles.add_file(name.size.saturating_sub(1), Check::Signature, path, trouble);
            }
        }
    }

    /// The signatures of a state. A checkpoint is read and checked once more: what is kept is what was checked.
    pub(super) fn note_of(&self, state: SignedState, card: &Card, troubles: &mut Troubles) -> Option<Note> {
        let name = match state.shown {
            Shown::Cosigned(note) => return Some(note),
            Shown::Checkpoint(name) => name,
        };
        let again = self.checkpoint(state.head.log, &name, card).ok().filter(|(head, _)| *head == state.head);
        if again.is_none() {
            let path = layout::checkpoint(state.head.log, &name).to_string();
            let message = "it could be read before, and not again";
            troubles.add(name.size.saturating_sub(1), Verdict::Incomplete, Check::Signature, path, message);
            troubles.unread = true;
        }
        again.map(|(_, note)| note)
    }

    fn checkpoint(&self, id: LogId, name: &CheckpointName, card: &Card) -> Result<(Head, Note), NotAHead> {
        let bytes = self.folder.read(&layout::checkpoint(id, name), NOTE_BYTES_MAX as u64).map_err(Trouble::from)?;
        if Hash::of(&bytes) != name.sha256 {
            return Err(NotAHead::wrong("its bytes do not have the hash in its name"));
        }
        let (head, note) = check_head(&bytes, id, self.vault, card)?;
        if head.size == name.size { Ok((head, note)) } else { Err(NotAHead::wrong("its name tells another size")) }
    }
}

/// Puts states in order; of one that several files show, one stays.
pub(super) fn largest_first(states: &mut Vec<SignedState>) {
    states.sort_by(|one, other| other.head.size.cmp(&one.head.size).then(one.head.root.cmp(&other.head.root)));
    states.dedup_by_key(|state| state.head);
}

/// A checkpoint of log `id` against its owner's card.
pub(crate) fn check_head(bytes: &[u8], id: LogId, vault: VaultId, card: &Card) -> Result<(Head, Note), NotAHead> {
    let note = Note::parse(bytes).map_err(|error| NotAHead::wrong(&error))?;
    let checkpoint = Checkpoint::parse_text(note.text()).map_err(|error| NotAHead::wrong(&error))?;
    if checkpoint.origin != (Origin { vault, log: id }) {
        return Err(NotAHead::wrong("it is a state of another log"));
    }
    if !checkpoint.bears_lines_of(&note, card.keys()) {
        return Err(NotAHead::Stranger);
    }
    Checkpoint::verify(&note, card.keys()).map_err(|error| NotAHead::wrong(&error))?;
    Ok((Head { log: id, size: checkpoint.size, root: checkpoint.root }, note))
}
