//! The page itself: what was found, before the story of how it came about.

use super::markdown::sentence;
use super::people::{Names, People};
use crate::cli::output::count;
use crate::cli::{Exit, UNKNOWN};
use crate::format::ids::MemberId;
use crate::vault::custody::story::Story;
use crate::vault::device::REPORT_FIRST_LINE;
use crate::vault::findings::Verdict;
use crate::vault::verify::{Level, Verified};

/// All that a page is made of.
pub(super) struct Page<'a> {
    pub(super) verified: &'a Verified,
    pub(super) sentence: &'a str,
    pub(super) exit: Exit,
    /// `None` where no custody key was at hand.
    pub(super) story: Option<&'a Story>,
    pub(super) people: &'a People,
    pub(super) names: Names,
    /// Who checked, if somebody with an identity did who is a member.
    pub(super) checker: Option<MemberId>,
    pub(super) time: String,
    pub(super) tool: &'static str,
}

impl Page<'_> {
    /// The page.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.verdict(&mut text);
        self.facts(&mut text);
        self.records(&mut text);
        self.findings(&mut text);
        self.contradictions(&mut text);
        self.handovers(&mut text);
        self.parted(&mut text);
        self.open_ends(&mut text);
        self.monitors(&mut text);
        self.coverage(&mut text);
        list(&mut text, "What was not checked", self.not_checked().into_iter());
        let notices = self.verified.notices.iter().map(|notice| sentence(&self.people.plain(notice)));
        list(&mut text, "Good to know", notices);
        self.told_story(&mut text);
        self.check_again(&mut text);
        text
    }

    fn verdict(&self, text: &mut String) {
        text.push_str(&format!("{REPORT_FIRST_LINE}\n\n**{}**\n\n", self.sentence));
        text.push_str(match (self.verified.verdict, self.exit) {
            (Verdict::Valid, UNKNOWN) => {
                "Nothing that was checked contradicts it. Whose vault it is was not known where it was checked, so that \
                 this page vouches for nothing."
            }
            (Verdict::Valid, _) if self.verified.level == Level::Bytes => {
                "Each sealed file has the bytes that its name says. Who sealed, and whether anything is missing, was not \
                 checked."
            }
            (Verdict::Valid, _) => {
                "What is sealed is what was sealed: no sealed file was changed, swapped or dropped, and who signed was \
                 allowed to. It does not mean that what is sealed is true."
            }
            (Verdict::Incomplete, _) => {
                "Something is missing, could not be read, is older than what is known elsewhere, or is covered by no \
                 signature. That alone accuses nobody: a copy can travel badly. What is listed below is affected; the rest \
                 holds."
            }
            (Verdict::Invalid, _) => {
                "Something was checked and does not hold. What is listed below is affected. Who caused it is not shown by \
                 this check."
            }
        });
        text.push('\n');
    }

    fn facts(&self, text: &mut String) {
        let verified = self.verified;
        let who = match self.checker {
            Some(member) => self.people.name(member),
            None => "somebody without a key of this vault".into(),
        };
        let exhibits = if verified.level == Level::Bytes {
            "not countable without a key".into()
        } else {
            count(verified.exhibits, "exhibit")
        };
        let facts = [
            ("Vault", verified.vault.fingerprint()),
            ("Checked", format!("{} (claimed by the clock of the device; not proven)", self.time)),
            ("By", who),
            ("Depth", depth(verified.level).into()),
            ("Sealed", format!("{exhibits} in {}", count(verified.blobs, "sealed file"))),
            ("Program", self.tool.into()),
        ];
        text.push_str("\n| | |\n|---|---|\n");
        for (label, value) in facts {
            text.push_str(&format!("| {label} | {value} |\n"));
        }
        let people = self.people.list().map(|(_, name)| name);
        let title = if self.names == Names::Full { "People, and the digits of their cards" } else { "People" };
        list(text, title, people);
        if self.names == Names::Roles && self.story.is_some() {
            text.push_str(
                "\nPeople are called by what they do. The numbers hold within this page; no pseudonym stands in it.\n",
            );
        }
    }

    fn records(&self, text: &mut String) {
        let verified = self.verified;
        if verified.logs.is_empty() {
            return;
        }
        text.push_str("\n## Custody records\n\n| record | kept by | events | signed state |\n|---|---|---|---|\n");
        for log in &verified.logs {
            let who = log.member.map_or_else(|| "not known without a key".into(), |member| self.people.name(member));
            let handle = self.story.and_then(|story| story.history().logs.get(&log.log));
            let handle = handle.map_or_else(String::new, |log| format!("{} ", log.handle));
            let (id, root) = (log.log, log.root);
            text.push_str(&format!("| {handle}`{id}` | {who} | {} | `{root}` |\n", log.size));
        }
        text.push_str(
            "\nWhoever has a signed state of one of these records from elsewhere can compare it with this table.\n",
        );
    }

    fn findings(&self, text: &mut String) {
        let findings = self.verified.findings.iter().map(|finding| {
            let weight = finding.weight.to_string().to_uppercase();
            let (subject, message) = (&finding.subject, finding.message_for_members());
            format!("{weight}, {}: {}: {}", finding.check, self.people.found(subject), self.people.found(&message))
        });
        list(text, "Findings", findings);
        if self.verified.findings.is_empty() {
            text.push_str("\n## Findings\n\nNone.\n");
        }
        let verdicts = self.verified.exhibit_verdicts.iter();
        let verdicts = verdicts.map(|(id, verdict)| format!("`{id}`: {}", verdict.to_string().to_uppercase()));
        list(text, "Exhibits that are not valid", verdicts);
    }

    fn not_checked(&self) -> Vec<String> {
        let said = self.verified.not_checked.iter().map(|said| sentence(&self.people.plain(said)));
        let mut all: Vec<String> = said.collect();
        if self.exit == UNKNOWN {
            all.insert(0, "whose vault it is: its digits were not compared with what its founder gave".into());
        }
        all.push("what people wrote into the custody record: it is quoted, not examined".into());
        all
    }

    fn check_again(&self, text: &mut String) {
        text.push_str(&format!(
            "\n## How to check this page again\n\n\
             This page is not signed: it says what one device found. Whoever has a copy of the vault and its digits can make \
             the same check and should come to the same signed states, or to longer ones:\n\n\
             ```\namparo verify --vault-id \"{}\"\namparo custody log\n```\n\n\
             A receipt of an exhibit, given out on the day of its sealing, can be held against the vault with \
             `amparo verify --receipt FILE`.\n",
            self.verified.vault.fingerprint()
        ));
    }
}

/// A titled list; nothing where it is empty.
pub(super) fn list(text: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        text.push_str(&format!("\n## {title}\n\n"));
    }
    for item in items {
        text.push_str(&format!("- {item}\n"));
    }
}

fn depth(level: Level) -> &'static str {
    match level {
        Level::Bytes => "bytes: sealed files against their names, without a key",
        Level::Custody => "custody: signatures, authority, order, completeness; no content was opened",
        Level::Content => "content: custody, and every record and content that the checker can open",
    }
}
