//! What the page tells of custody: handovers and how they ended, what is still open, who checked, and the whole story.

use super::super::cosigned::{NO_MONITOR, covered};
use super::page::{Page, list};
use crate::cli::story::{beside, details, what};
use crate::format::event::Event;
use crate::vault::cosign::coverage::SignedBy;
use crate::vault::custody::contradictions::OtherHistory;
use crate::vault::custody::handovers::Status;
use crate::vault::custody::parted::Parted;
use crate::vault::custody::story::Story;
use crate::vault::history::{Place, Standing};

impl Page<'_> {
    /// What the story leaves out because a record has two histories.
    pub(super) fn contradictions(&self, text: &mut String) {
        let others = self.story.map(Story::other_histories).unwrap_or_default();
        let say =
            |other: &OtherHistory| format!("{} of {}: {}", other.handle, self.people.name(other.member), beside(other));
        list(text, "Contradicting histories", others.iter().map(say));
    }

    /// Each exhibit that somebody signed for as not whole, with the last time that who gave it away had it whole.
    pub(super) fn parted(&self, text: &mut String) {
        let Some(story) = self.story else { return };
        let say = |place: Place| {
            let line = story.line(place);
            format!("{} by {}, {} (claimed)", line.label, self.people.name(line.member), line.told.entry.time)
        };
        let parted = story.all_parted().into_iter().map(|(exhibit, Parted { whole, giver, offer, amiss })| {
            let whole = whole.map_or_else(
                || format!("{} had not signed before that she had it whole", self.people.name(giver)),
                |at| format!("whole in {}", say(at)),
            );
            format!("{exhibit}: {whole}; given in {}; not whole in {}", say(offer), say(amiss))
        });
        list(text, "Exhibits that stopped being whole", parted);
    }

    pub(super) fn handovers(&self, text: &mut String) {
        let Some(story) = self.story else { return };
        let offers: Vec<Place> = story.offers().collect();
        if offers.is_empty() {
            return;
        }
        text.push_str("\n## Handovers\n\n| offer | from | to | time, as claimed | status | answered in |\n");
        text.push_str("|---|---|---|---|---|---|\n");
        for place in offers {
            let line = story.line(place);
            let status = line.status.map_or("", Status::word);
            let (from, to) = (self.people.name(line.member), self.people.name(story.receiver(place)));
            let (label, time, answers) = (&line.label, &line.told.entry.time, line.answers.join(", "));
            text.push_str(&format!("| {label} | {from} | {to} | {time} | {status} | {answers} |\n"));
        }
    }

    pub(super) fn open_ends(&self, text: &mut String) {
        let Some(story) = self.story else { return };
        let line = |place: Place| story.line(place);
        let pending = story.pending().map(|place| {
            let (line, to) = (line(place), self.people.name(story.receiver(place)));
            format!(
                "{}: {} to {to}, since {} (claimed)",
                line.label,
                self.people.name(line.member),
                line.told.entry.time
            )
        });
        list(text, "Pending offers", pending);
        let gaps = story.gaps().filter_map(|place| {
            let line = line(place);
            let Event::Gap { text, from, to, .. } = &line.told.entry.event else { return None };
            let (from, to, said) = (self.people.quoted(from), self.people.quoted(to), self.people.quoted(text));
            let about = if line.exhibits.is_empty() { "the vault".into() } else { line.exhibits.join(", ") };
            Some(format!("{}, about {about}: from {from} to {to}, as told: {said}", line.label))
        });
        list(text, "Gaps in custody", gaps);
        let lessened = story.lines().filter(|line| line.told.standing != Standing::Counted || line.unconfirmed);
        let lessened =
            lessened.map(|line| format!("{}: {}, {}", line.label, self.people.name(line.member), what(&line)));
        list(text, "Late, refused and unconfirmed events", lessened);
    }

    /// Who of the monitors checked, and with what outcome.
    pub(super) fn monitors(&self, text: &mut String) {
        let Some(story) = self.story else { return };
        let history = story.history();
        // What she found while she was one stands, though she has left since, or come back as something else.
        let checks = story.lines().filter(|line| history.checks_by_monitors.contains(&line.place));
        let checks = checks.map(|line| {
            let (who, time) = (self.people.name(line.member), &line.told.entry.time);
            format!("{}: {who}, {}, {time} (claimed)", line.label, what(&line))
        });
        let title = format!("Checks by monitors ({} needed before a state counts as covered)", history.monitors_needed);
        list(text, &title, checks);
    }

    /// Which exhibits enough monitors vouch for, and up to where.
    pub(super) fn coverage(&self, text: &mut String) {
        let Some(needed) = self.verified.monitors_needed else { return };
        let signer = |by: &SignedBy| format!("{} at {} events", self.people.name(by.member), by.size);
        if needed == 0 {
            let signed = self.verified.logs.iter().flat_map(|log| {
                let handle = log.handle.as_deref().unwrap_or_default();
                let by = |by: &SignedBy| format!("{handle} by {}", signer(by));
                log.coverage.signed_by.iter().map(by).collect::<Vec<String>>()
            });
            let signed: Vec<String> = signed.collect();
            let said = (!signed.is_empty()).then(|| format!("This {NO_MONITOR}"));
            list(text, "Signed by other members", signed.into_iter().chain(said));
            return;
        }
        let sealed = self.verified.logs.iter().filter(|log| log.coverage.exhibits > 0);
        let lines = sealed.map(|log| {
            let signed: Vec<String> = log.coverage.signed_by.iter().filter(|by| by.monitor).map(signer).collect();
            let by = if signed.is_empty() { "no monitor".into() } else { signed.join(", ") };
            format!("{}. Signed by: {by}", covered(log, needed))
        });
        list(text, "Exhibits covered by monitors", lines);
    }

    pub(super) fn told_story(&self, text: &mut String) {
        text.push_str("\n## The custody story\n\n");
        let Some(story) = self.story else {
            text.push_str("It could not be read: that needs a custody key.\n");
            return;
        };
        text.push_str(
            "In causal order: each event stands after what its author had seen. All times are *claimed* by the devices; none \
             is *proven*.\n\n",
        );
        for line in story.lines() {
            let (label, time, who) = (&line.label, &line.told.entry.time, self.people.name(line.member));
            text.push_str(&format!("- **{label}** {time} (claimed), {who}: **{}**\n", what(&line)));
            for detail in details(&line, story.history()) {
                let said: String = detail.pieces.iter().map(|piece| self.people.piece(piece)).collect();
                text.push_str(&format!("  - {}: {said}\n", detail.label));
            }
        }
    }
}
