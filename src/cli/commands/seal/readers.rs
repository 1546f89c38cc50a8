//! Who will be able to read, where the key is new to this device: shown by name and digits, agreed to by a typed word.

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::shown;
use crate::vault::VaultError;
use crate::vault::seal::NewReaders;

/// What agreeing is typed as: no key that is pressed by habit.
const WORD: &str = "yes";

/// Asks, or takes the flag for the answer.
pub(super) fn accept(by_flag: bool, keys: &[NewReaders], call: &mut Call<'_, '_>) -> Result<(), CliError> {
    if !by_flag && !call.interactive() {
        return Err(VaultError::NewReaders { keys: keys.to_vec() }.into());
    }
    let mut lines = Vec::new();
    for key in keys {
        lines.push(format!("The key of the section {} is new to this device. It is opened by:", key.section));
        lines.extend(key.readers.iter().map(|(name, digits)| format!("  {}  {digits}", shown(name))));
    }
    if by_flag {
        for line in &lines {
            call.say(line);
        }
        return Ok(());
    }
    for line in &lines {
        call.talk(line);
    }
    let typed = call.ask_line(&format!("Type {WORD} if these are the readers you mean; Enter seals nothing:"))?;
    match typed {
        Some(typed) if typed.to_lowercase() == WORD => Ok(()),
        _ => Err(CliError::ReadersRefused),
    }
}
