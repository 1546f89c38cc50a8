//! `verify --report`: one page for a mission's file, in Markdown. The verdict in words, what it means and what not, what was
//! not checked, and the custody story. Nobody's words may change the page: see [`markdown`].

mod ends;
mod markdown;
mod page;
mod people;

use std::path::{Path, PathBuf};

pub(in crate::cli) use people::Names;

use crate::cli::Exit;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::hints;
use crate::format::ids::MemberId;
use crate::store::Mode;
use crate::vault::custody::story::Story;
use crate::vault::session::Session;
use crate::vault::verify::Verified;
use crate::vault::{TOOL, claimed_time};
use page::Page;
use people::People;

/// Where a report is to go, and whose names stand in it.
pub(super) struct Report {
    /// The file.
    pub(super) file: PathBuf,
    /// Whose names.
    pub(super) names: Names,
    /// Whether a file that is there is replaced.
    pub(super) overwrite: bool,
}

impl Report {
    /// Refuses early what could not be written in the end.
    pub(super) fn must_be_possible(&self, vault: &Path, call: &mut Call<'_, '_>) -> Result<(), CliError> {
        if is_dash(&self.file) {
            let message = "a report goes into a file: the verdict goes to standard output".into();
            return Err(CliError::Usage {
                message,
                hint: Some("amparo verify --report report.md --names roles".into()),
            });
        }
        call.must_be_outside(vault, &self.file)?;
        if self.overwrite { Ok(()) } else { call.must_be_free(&self.file) }
    }

    /// Writes the page of what was just checked.
    pub(super) fn write(
        &self,
        verified: &Verified,
        sentence: &str,
        exit: Exit,
        (session, checker): (Session, Option<MemberId>),
        call: &mut Call<'_, '_>,
    ) -> Result<(), CliError> {
        let history = session.history.is_some();
        let story = if history { Some(Story::of(session, None)?) } else { None };
        let people = People::new(story.as_ref().map(Story::history), self.names);
        let page = Page {
            verified,
            sentence,
            exit,
            story: story.as_ref(),
            people: &people,
            names: self.names,
            checker: checker.filter(|_| history),
            time: claimed_time(call.context.clock),
            tool: TOOL,
        };
        call.write_file(&self.file, page.text().as_bytes(), Mode::Private, self.overwrite)?;
        let file = hints::word(&self.file.display().to_string());
        call.say(&format!("\nThe report is in {}.", crate::cli::output::shown(&file)));
        if self.names == Names::Roles {
            call.say(
                "No member's pseudonym stands in it. It quotes what members wrote: read it before you give it away.",
            );
        }
        Ok(())
    }
}
