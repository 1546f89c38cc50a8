//! What other members signed of the logs' states, against the story that this copy tells.

use super::Examiner;
use crate::vault::cosign::check::{check, notices};
use crate::vault::findings::Check;
use crate::vault::history::History;
use crate::vault::session::Session;

impl Examiner {
    /// Every cosignature, once; what is found of it stands in the findings, what it is worth is kept for the report.
    pub(super) fn check_cosignatures(&mut self, session: &Session, history: &History) {
        self.cosignatures = check(session, history);
        self.findings.extend(std::mem::take(&mut self.cosignatures.findings));
        self.count(Check::Behind, self.cosignatures.files);
        self.notices.extend(notices(history, &self.cosignatures.held));
    }
}
