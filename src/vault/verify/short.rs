//! Receipts in their short form against this copy. They bear no signature: they can show that a vault does not hold to
//! what was noted, and never by whose fault.

use super::remembered::uncounted;
use super::{Examiner, VerifyRequest};
use crate::format::short_receipt::ShortReceipt;
use crate::vault::exhibits;
use crate::vault::findings::{Check, Verdict};
use crate::vault::history::{History, Place};
use crate::vault::session::Session;

impl Examiner {
    /// Whether the vault still holds to each of them.
    pub(super) fn check_short_receipts(&mut self, session: &Session, history: &History, request: &VerifyRequest<'_>) {
        self.count(Check::Receipt, request.short_receipts.len() as u64);
        for (name, short) in request.short_receipts {
            if let Err((weight, check, message)) = self.check_short(session, history, short) {
                self.findings.add(weight, check, name.clone(), message);
            }
        }
        if !request.short_receipts.is_empty() {
            let not = "who signed what short receipts name: they bear no signature, a whole receipt does";
            self.not_checked.push(not.into());
        }
    }

    fn check_short(
        &mut self,
        session: &Session,
        history: &History,
        short: &ShortReceipt,
    ) -> Result<(), (Verdict, Check, String)> {
        let state = short.checkpoint;
        let invalid = |message: String| Err((Verdict::Invalid, Check::Receipt, message));
        if state.origin.vault != history.vault {
            return invalid("it is about another vault".into());
        }
        let Some(log) = history.logs.get(&state.origin.log) else {
            return Err((Verdict::Incomplete, Check::Behind, "it names a log that this copy lacks".into()));
        };
        if state.size > log.head.size {
            self.surpassed.insert(log.id);
            let message =
                format!("it names log {} with {} entries; this copy has {}", log.handle, state.size, log.head.size);
            return Err((Verdict::Incomplete, Check::Behind, message));
        }
        if log.root_at(state.size) != Some(state.root) {
            return invalid(format!(
                "log {} had another state at {} entries; which of the two was changed an unsigned receipt cannot tell",
                log.handle, state.size
            ));
        }
        let found = self.rows_wanted.get(&short.row).map(Vec::as_slice).unwrap_or_default();
        if found.iter().any(|place| place.log == log.id && place.seq < state.size) {
            return Ok(());
        }
        if self.unread > 0 {
            let message = format!("its exhibit was not found; {} inventories could not be read", self.unread);
            return Err((Verdict::Incomplete, Check::Receipt, message));
        }
        if let Some((weight, message)) = beside(session, history, short) {
            return Err((weight, Check::Receipt, message));
        }
        invalid(format!("no exhibit that was sealed in log {} by then has its row", log.handle))
    }
}

/// What it makes of a short receipt that its exhibit is in a sealing which does not count; the mildest, should there be two.
fn beside(session: &Session, history: &History, short: &ShortReceipt) -> Option<(Verdict, String)> {
    let log = history.logs.get(&short.checkpoint.origin.log)?;
    let entries = (0..short.checkpoint.size).zip(&log.entries);
    let (mut judged, mut unread) = (Vec::new(), false);
    for (seq, told) in entries {
        let Some(found) = uncounted(told) else { continue };
        let Some(sealing) = history.sealing(Place { log: log.id, seq }, told) else { continue };
        match exhibits::rows(session, &sealing) {
            Ok(rows) if rows.iter().any(|(row, _)| row.leaf() == short.row) => judged.push(found),
            Ok(_) => {}
            // A pouch brings no inventory of what does not count.
            Err(_) => unread |= found.0 == Verdict::Incomplete,
        }
    }
    let in_doubt = || {
        let message = "it may be of a sealing that does not count, whose inventory is not here, or damaged";
        unread.then(|| (Verdict::Incomplete, message.into()))
    };
    judged.into_iter().min().or_else(in_doubt)
}
