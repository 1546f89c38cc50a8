//! What others remember, against this copy: receipts and signed states that came by another road.

use super::{Examiner, VerifyRequest};
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::fork_proof::{self, ForkProof};
use crate::format::note::Note;
use crate::vault::findings::{Check, Verdict};
use crate::vault::history::{History, Place, Standing, Told};

/// What it makes of a receipt that the sealing it is about does not count; `None` where it does. One judgement for receipts
/// of both forms.
pub(super) fn uncounted(told: &Told) -> Option<(Verdict, String)> {
    let (weight, why) = match &told.standing {
        Standing::Counted => return None,
        Standing::Late => (Verdict::Incomplete, "it came after the record was cut"),
        Standing::Refused(_) if told.undecided => {
            (Verdict::Incomplete, "what is missing here, or came too late, might allow it")
        }
        Standing::Refused(reason) => (Verdict::Invalid, reason.as_str()),
    };
    Some((weight, format!("its sealing is told here and does not count: {why}")))
}

impl Examiner {
    /// What others remember, against this copy.
    pub(super) fn check_remembered(&mut self, history: &History, request: &VerifyRequest<'_>) {
        self.count(Check::Receipt, (request.receipts.len() + request.checkpoints.len()) as u64);
        for (name, receipt) in request.receipts {
            // Of one whose state is not this story's, nothing stands at that place here.
            if !self.check_state(history, name, &receipt.note) {
                continue;
            }
            let place = Place { log: receipt.checkpoint.origin.log, seq: receipt.entry.seq };
            if let Some((weight, message)) = history.find(place).and_then(uncounted) {
                self.findings.add(weight, Check::Receipt, name.clone(), message);
            }
        }
        for (name, bytes) in request.checkpoints {
            if bytes.starts_with(fork_proof::FIRST_LINE.as_bytes()) {
                self.check_proof(history, name, bytes);
                continue;
            }
            match Note::parse(bytes) {
                Ok(note) => drop(self.check_state(history, name, &note)),
                Err(error) => self.findings.invalid(Check::Signature, name, error.to_string()),
            }
        }
    }

    /// A proof of contradicting histories holds or not by itself; here are the cards to tell whose keys signed it.
    fn check_proof(&mut self, history: &History, name: &str, bytes: &[u8]) {
        let proof = match ForkProof::parse(bytes) {
            Ok(proof) => proof,
            Err(error) => return self.findings.invalid(Check::Fork, name, error.to_string()),
        };
        let origin = proof.first.checkpoint.origin;
        if origin.vault != history.vault {
            return self.findings.invalid(Check::Receipt, name, "it is about another vault");
        }
        let member = history.logs.get(&origin.log).and_then(|log| history.members.get(&log.member));
        let Some(member) = member else {
            let message = "it is about a log that this copy lacks";
            return self.findings.incomplete(Check::Behind, name, message);
        };
        for state in [&proof.first, &proof.second] {
            if let Err(error) = Checkpoint::verify(&state.note, member.card.keys()) {
                return self.findings.invalid(Check::Receipt, name, format!("its signatures do not hold: {error}"));
            }
        }
        let message = format!(
            "two histories signed with one key: it proves that {} signed two states of log {} that contradict each other",
            member.card.name(),
            history.logs[&origin.log].handle,
        );
        self.findings.invalid(Check::Fork, name, message);
    }

    /// Whether a signed state is one of this story; if not, that becomes a finding.
    pub(super) fn check_state(&mut self, history: &History, name: &str, note: &Note) -> bool {
        let held = self.hold_state(history, note);
        if let Err((weight, check, message)) = &held {
            self.findings.add(*weight, *check, name.into(), message.clone());
        }
        held.is_ok()
    }

    fn hold_state(&mut self, history: &History, note: &Note) -> Result<(), (Verdict, Check, String)> {
        let invalid = |message: String| Err((Verdict::Invalid, Check::Receipt, message));
        let Ok(checkpoint) = Checkpoint::parse_text(note.text()) else {
            return invalid("it holds no signed state".into());
        };
        let log = history.logs.values().find(|log| checkpoint.origin == (Origin { vault: history.vault, log: log.id }));
        let Some(log) = log else {
            if checkpoint.origin.vault != history.vault {
                return invalid("it is about another vault".into());
            }
            return Err((Verdict::Incomplete, Check::Behind, "it names a log that this copy lacks".into()));
        };
        let Some(card) = history.members.get(&log.member).map(|member| &member.card) else {
            let message = "nobody whom this vault admits keeps the log that it is about: it was not checked";
            return Err((Verdict::Incomplete, Check::Receipt, message.into()));
        };
        if let Err(error) = Checkpoint::verify(note, card.keys()) {
            return invalid(format!("its signatures do not hold: {error}"));
        }
        let (handle, size) = (&log.handle, checkpoint.size);
        if size > log.head.size {
            self.surpassed.insert(log.id);
            let message = format!("it shows log {handle} with {size} entries; this copy has {}", log.head.size);
            return Err((Verdict::Incomplete, Check::Behind, message));
        }
        if log.root_at(size) != Some(checkpoint.root) {
            let message =
                format!("two histories signed with one key: it shows another state of log {handle} at {size} entries");
            return Err((Verdict::Invalid, Check::Fork, message));
        }
        Ok(())
    }

    /// Without a custody key nobody knows whose log is whose; what was asked for was then not done.
    pub(super) fn leave_remembered(&mut self, request: &VerifyRequest<'_>) {
        let receipts = request.receipts.iter().map(|(name, _)| name);
        let short = request.short_receipts.iter().map(|(name, _)| name);
        let names = receipts.chain(short).chain(request.checkpoints.iter().map(|(name, _)| name));
        for name in names {
            self.findings.incomplete(
                Check::Receipt,
                name,
                "it was not compared with the vault: no custody key is here",
            );
        }
    }
}
