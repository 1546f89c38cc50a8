//! `custody note`: a remark on custody, or that custody was not recorded for a while. What was not written down at the
//! time is a gap or is marked as reconstructed; nothing is ever back-filled.

use super::super::commit::OwnLog;
use super::super::session::{Request, Session};
use super::super::{Setting, VaultError, exhibits};
use super::{Said, say, words};
use crate::format::event::Event;

/// What kind of remark it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Written down at the time.
    Note,
    /// Written down later, from memory or papers.
    Reconstructed,
    /// Custody was not recorded between two times, as far as they are known.
    Gap {
        /// Since when.
        from: String,
        /// Until when.
        to: String,
    },
}

/// A remark that was entered.
#[derive(Clone, Debug)]
pub struct Noted {
    /// The entry.
    pub said: Said,
    /// The exhibit that it is about, if one.
    pub exhibit: Option<String>,
}

/// Enters a remark.
pub fn note(
    setting: &mut Setting<'_>,
    request: &Request<'_>,
    text: &str,
    exhibit: Option<&str>,
    kind: Kind,
) -> Result<Noted, VaultError> {
    let session = Session::open_to_write(setting, request)?;
    let person = request.person()?;
    session.sound_history()?;
    let exhibit = exhibit.map(|id| exhibits::find(&session, id)).transpose()?;
    let about = exhibit.as_ref().map(exhibits::Exhibit::reference);
    let text = words("the text", text)?;
    let event = match kind {
        Kind::Note => Event::Note { text, exhibit: about, reconstructed: false },
        Kind::Reconstructed => Event::Note { text, exhibit: about, reconstructed: true },
        Kind::Gap { from, to } => {
            Event::Gap { text, from: words("--from", &from)?, to: words("--to", &to)?, exhibit: about }
        }
    };
    let mut own = OwnLog::find(setting, &session, person.member())?;
    let said = say(setting, &session, person, &mut own, event)?;
    session.remember_heads()?;
    Ok(Noted { said, exhibit: exhibit.map(|exhibit| exhibit.id) })
}
