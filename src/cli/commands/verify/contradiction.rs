//! Proofs of contradicting histories: written from a vault, and told to somebody who has only cards.

use std::path::{Path, PathBuf};

use super::paper::{Signer, signer};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::shown;
use crate::cli::room::Output;
use crate::format::card::Card;
use crate::format::fork_proof::{ForkProof, State};
use crate::store::Mode;

/// So many proofs can be written: their files are made before anybody knows how many there are.
const PROOFS_MAX: u32 = 16;

/// The files that proofs may go into.
pub(super) fn made_ahead(file: &Path) -> Vec<Output<'static>> {
    let named = std::iter::once(Output::named(file, Mode::Open, false));
    let more = (2..=PROOFS_MAX).map(|number| numbered(file, number));
    named.chain(more.map(|file| Output { perhaps: true, ..Output::named(&file, Mode::Open, false) })).collect()
}

/// Writes each proof to a file of its own, the second to `FILE.2` and on; returns their names.
pub(super) fn write(proofs: &[ForkProof], file: &Path, call: &mut Call<'_, '_>) -> Result<Vec<String>, CliError> {
    let mut written = Vec::new();
    for (number, proof) in (1..=PROOFS_MAX).zip(proofs) {
        let path = if number == 1 { file.to_path_buf() } else { numbered(file, number) };
        call.write_file(&path, proof.print().as_bytes(), Mode::Open, false)?;
        written.push(path.display().to_string());
        call.say(&format!("The proof that one key signed two histories is in {}.", shown(&path.to_string_lossy())));
    }
    if proofs.len() > written.len() {
        call.warn(&format!(
            "there are {} more contradicting histories than proofs were written",
            proofs.len() - written.len()
        ));
    }
    if proofs.is_empty() {
        call.say("No contradicting histories were found; no proof was written.");
    }
    Ok(written)
}

fn numbered(file: &Path, number: u32) -> PathBuf {
    let mut name = file.as_os_str().to_os_string();
    name.push(format!(".{number}"));
    name.into()
}

/// Whose keys signed both states: one card's, nobody's here, or a card's that one of them contradicts.
pub(super) fn signers<'c>(proof: &ForkProof, cards: &'c [Card]) -> Signer<'c> {
    let of = |state: &State| signer(&state.checkpoint, &state.note, cards);
    match (of(&proof.first), of(&proof.second)) {
        (Signer::Wrong(message), _) | (_, Signer::Wrong(message)) => Signer::Wrong(message),
        (Signer::Known(one), Signer::Known(other)) if one.member() == other.member() => Signer::Known(one),
        _ => Signer::Unknown,
    }
}

/// What a proof shows, in words.
pub(super) fn tell(proof: &ForkProof) -> Vec<String> {
    let origin = proof.first.checkpoint.origin;
    let state =
        |state: &State| format!("{} events, state {}", state.checkpoint.size, &state.checkpoint.root.to_string()[..16]);
    vec![
        "a proof of contradicting histories: two histories signed with one key".into(),
        format!("vault          {}", origin.vault.fingerprint()),
        format!("record         {}", origin.log),
        format!("one history    {}", state(&proof.first)),
        format!("the other      {}", state(&proof.second)),
        "neither continues the other; a restored copy of a whole computer can cause it honestly".into(),
    ]
}
