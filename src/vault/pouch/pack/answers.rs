//! `pack --answers`: what logs say, without sealed files, as a text that goes by mail or telephone. No entry is written for it,
//! and nobody is asked to sign.

use super::super::pieces::TEXT_BYTES_MAX;
use super::super::select;
use super::super::unfinished::Mark;
use super::super::write::{Plan, Unwritten};
use super::{PackRequest, Packed, Packing, in_order};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::armor;
use crate::format::ids::MemberId;
use crate::format::pouch::ANSWERS_BYTES_MIN;
use crate::store::{Mode, StoreError};
use crate::vault::pouch::PouchError;
use crate::vault::{Setting, Stage, VaultError};

/// Makes a text of what logs say and the receivers are not known to have seen: no sealed files, and nothing to sign for.
/// `mark` stands for the file; whoever has it sets it first.
pub fn answers(setting: &mut Setting<'_>, request: &PackRequest<'_>, mark: &Mark) -> Result<Packed, VaultError> {
    let packing = Packing::begin(setting, request)?;
    let session = &packing.session;
    let mut wanted = select::custody(session)?;
    let lacking: Vec<String> = select::unread(session, &wanted)?.iter().map(ToString::to_string).collect();
    let to: Vec<MemberId> = packing.to.iter().map(|(member, _)| *member).collect();
    select::news(&mut wanted, session, &to)?;
    let nothing_new = wanted.entries.is_empty() && wanted.cosignatures.is_empty();
    if nothing_new {
        // What could not be read may be the answer.
        let unread = lacking.into_iter().next().map(|path| PouchError::NotPackable { path });
        return Err(VaultError::Pouch(unread.unwrap_or(PouchError::NothingToAnswer)));
    }
    if let Some(path) = wanted.unsigned().next() {
        return Err(VaultError::Pouch(PouchError::NotPackable { path: path.to_string() }));
    }
    let pieces = in_order(session, select::paths(&wanted))?;
    let recipients = packing.recipients(setting)?;
    let recipients: Vec<&Recipient> = recipients.iter().collect();
    let plan = Plan { folder: &*session.folder, pieces: &pieces, recipients: &recipients, floor: ANSWERS_BYTES_MIN };
    setting.watch.begin(Stage::Packing, None);
    let (start, key, bytes) = plan.begin();
    must_be_taken(bytes)?;
    let mut bytes = Vec::new();
    plan.write(setting.watch, (&start, &key), &mut bytes).map_err(|unwritten| match unwritten {
        Unwritten::Other(error) => error,
        Unwritten::Unreadable(path) => VaultError::Pouch(PouchError::NotPackable { path: path.to_string() }),
        Unwritten::Out(error) => StoreError::from_io(request.out.0, error).into(),
    })?;
    let text = armor::print(&bytes);
    let (folder, name) = request.out;
    let folder = setting.disk.folder(folder)?;
    folder.create(name, text.as_bytes(), Mode::Open)?;
    folder.sync(std::slice::from_ref(name))?;
    mark.lift()?;
    Ok(Packed {
        to: packing.to,
        offers: Vec::new(),
        said: None,
        exhibits: Vec::new(),
        everything: false,
        known: 0,
        withdrawn: Vec::new(),
        withdrawn_records: Vec::new(),
        broken: Vec::new(),
        lacking,
        made: (vec![name.to_string()], Vec::new()),
        absent: None,
        bytes: text.len() as u64,
        sha256: Hash::of(text.as_bytes()),
        files: pieces.len() as u64,
    })
}

/// Refuses a text that is longer than what anybody reads.
fn must_be_taken(bytes: u64) -> Result<(), PouchError> {
    let bytes = armor::text_bytes_max(bytes);
    if bytes > TEXT_BYTES_MAX {
        return Err(PouchError::TooLongForText { bytes, bytes_max: TEXT_BYTES_MAX });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_nobody_takes_in_is_not_written() {
        // The longest that fits, and the next group of bytes.
        let longest = (1..TEXT_BYTES_MAX).rev().find(|bytes| armor::text_bytes_max(*bytes) <= TEXT_BYTES_MAX);
        let longest = longest.expect("some are short enough");
        assert!(longest > 46 << 20 && must_be_taken(longest).is_ok());
        let refused = must_be_taken(longest + 1);
        assert!(
            matches!(refused, Err(PouchError::TooLongForText { bytes, bytes_max }) if bytes > bytes_max),
            "{refused:?}"
        );
        let text = armor::print(&vec![7; usize::try_from(longest).expect("in memory")]).replace('\n', "\r\n");
        assert!(text.len() as u64 <= TEXT_BYTES_MAX, "{}", text.len());
    }
}
