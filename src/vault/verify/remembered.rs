//! What others remember, against this copy: receipts and signed states that came by another road.

use super::{Examiner, VerifyRequest};
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::fork_proof::{self, ForkProof};
use crate::format::note::Note;
use crate::vault::findings::Check;
use crate::vault::history::History;

impl Examiner {
    /// What others remember, against this copy.
    pub(super) fn check_remembered(&mut self, history: &History, request: &VerifyRequest<'_>) {
        self.count(Check::Receipt, (request.receipts.len() + request.checkpoints.len()) as u64);
        for (name, receipt) in request.receipts {
            self.check_state(history, name, &receipt.note);
        }
        for (name, bytes) in request.checkpoints {
            if bytes.starts_with(fork_proof::FIRST_LINE.as_bytes()) {
                self.check_proof(history, name, bytes);
                continue;
            }
            match Note::parse(bytes) {
                Ok(note) => self.check_state(history, name, &note),
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

    pub(super) fn check_state(&mut self, history: &History, name: &str, note: &Note) {
        let Ok(checkpoint) = Checkpoint::parse_text(note.text()) else {
            return self.findings.invalid(Check::Receipt, name, "it holds no signed state");
        };
        let log = history.logs.values().find(|log| checkpoint.origin == (Origin { vault: history.vault, log: log.id }));
        let Some(log) = log else {
            let message = if checkpoint.origin.vault == history.vault {
                "it names a log that this copy lacks"
            } else {
                return self.findings.invalid(Check::Receipt, name, "it is about another vault");
            };
            return self.findings.incomplete(Check::Behind, name, message);
        };
        let Some(card) = history.members.get(&log.member).map(|member| &member.card) else {
            let message = "nobody whom this vault admits keeps the log that it is about: it was not checked";
            return self.findings.incomplete(Check::Receipt, name, message);
        };
        if let Err(error) = Checkpoint::verify(note, card.keys()) {
            return self.findings.invalid(Check::Receipt, name, format!("its signatures do not hold: {error}"));
        }
        if checkpoint.size > log.head.size {
            let message = format!(
                "it shows log {} with {} entries; this copy has {}",
                log.handle, checkpoint.size, log.head.size
            );
            self.findings.incomplete(Check::Behind, name, message);
            self.surpassed.insert(log.id);
        } else if log.root_at(checkpoint.size) != Some(checkpoint.root) {
            let message = format!(
                "two histories signed with one key: it shows another state of log {} at {} entries",
                log.handle, checkpoint.size
            );
            self.findings.invalid(Check::Fork, name, message);
        }
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
