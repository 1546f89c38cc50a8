//! The answer that goes back to those who offered: its file is marked, and made, before anybody knows whether one is signed.

use std::path::{Path, PathBuf};

use super::Args;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Place;
use crate::cli::hints;
use crate::cli::output::{Tone, all_of, shown};
use crate::cli::room::Output;
use crate::vault::custody::acknowledge::Acknowledged;
use crate::vault::custody::offer::{Circumstances, Receiver};
use crate::vault::pouch::pack::{PackRequest, answers};
use crate::vault::pouch::unfinished::Mark;
use crate::vault::session::Person;

/// Where it goes.
pub(super) struct Answer {
    file: PathBuf,
    /// `None` where it could not be marked, and nobody named it: whoever comes to write it says why.
    mark: Option<Mark>,
    was_named: bool,
}

impl Answer {
    /// Marks its file, where one may be signed.
    pub(super) fn ahead(args: &Args, vault: &Path, call: &Call<'_, '_>) -> Result<Option<Self>, CliError> {
        if let Some(file) = &args.answer {
            call.must_be_free_or_unfinished(file)?;
            call.must_be_outside(vault, file)?;
            let mark = marked(file, call)?;
            return Ok(Some(Self { file: file.clone(), mark: Some(mark), was_named: true }));
        }
        if !args.sign && !call.interactive() {
            return Ok(None);
        }
        let file = free_name(&args.files[0], call)?;
        let mark = call.must_be_outside(vault, &file).and_then(|()| marked(&file, call)).ok();
        Ok(Some(Self { file, mark, was_named: false }))
    }

    /// What the room is to hold of it.
    pub(super) fn output(&self) -> Option<Output<'_>> {
        let mark = self.mark.as_ref()?;
        Some(Output { perhaps: !self.was_named, ..Output::marked(&self.file, mark) })
    }

    /// Writes what goes back; where.
    pub(super) fn write(
        &self,
        signed: &[Acknowledged],
        place: &Place,
        person: &Person,
        call: &mut Call<'_, '_>,
    ) -> Result<PathBuf, CliError> {
        let file = &self.file;
        call.must_be_outside(&place.vault, file)?;
        let to: Vec<Receiver> =
            signed.iter().map(|one| Receiver { typed: one.giver.to_string(), card: None }).collect();
        let (folder, name) = call.split_path(file)?;
        let request = PackRequest {
            place: place.request(Some(person)),
            to: &to,
            ids: &[],
            told: &Circumstances::default(),
            out: (&folder, &name),
            parity: None,
            volume_bytes: None,
        };
        let late = if self.mark.is_none() { Some(marked(file, call)?) } else { None };
        let mark = self.mark.as_ref().or(late.as_ref()).expect("one of them");
        let packed = answers(&mut call.parts().setting(), &request, mark)?;
        let names: Vec<String> = packed.to.iter().map(|(_, name)| shown(name)).collect();
        if !call.global.json {
            let terminal = call.context.terminal.output;
            let word = call.set_off("ANSWER", Tone::Good, terminal);
            let typed = hints::word(&file.to_string_lossy());
            call.print(&format!(
                "{word} {} for {}: send it back, as a file or as text",
                shown(&file.to_string_lossy()),
                all_of(&names)
            ))?;
            call.say(&format!("They type {}.", hints::checked(format!("amparo merge {typed}"))));
        }
        Ok(file.clone())
    }
}

fn marked(file: &Path, call: &Call<'_, '_>) -> Result<Mark, CliError> {
    let (folder, name) = call.split_path(file)?;
    Ok(Mark::file(call.context.disk, (&folder, &name))?)
}

/// A name beside the person that is free.
fn free_name(pouch: &Path, call: &Call<'_, '_>) -> Result<PathBuf, CliError> {
    let stem = pouch.file_stem().map_or_else(|| "pouch".into(), |stem| stem.to_string_lossy().into_owned());
    let mut names =
        std::iter::once(format!("{stem}.answer")).chain((2..1000).map(|number| format!("{stem}-{number}.answer")));
    let free = names.find(|name| call.must_be_free_or_unfinished(Path::new(name)).is_ok());
    free.map(PathBuf::from).ok_or_else(|| CliError::Exists { path: format!("{stem}.answer").into() })
}
