//! What the command line itself says when it does not understand, and its help.

use std::ffi::OsString;

use clap::error::ErrorKind;

use super::output::json_text;
use super::{Context, DONE, Exit, USAGE};

/// Prints help to standard output, or what is wrong to standard error.
pub(crate) fn tell(error: &clap::Error, args: &[OsString], context: &mut Context<'_>) -> Exit {
    let text = error.render().to_string();
    if !error.use_stderr() {
        let _ = context.stdout.write_all(text.as_bytes());
        return DONE;
    }
    // The arguments could not be read, so this looks for the flag as a person would.
    let json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    if json {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing".to_string(),
            _ => lines.next().unwrap_or_default().trim_start_matches("error: ").to_string(),
        };
        let hint = lines.next().map(|line| line.trim_start_matches("tip: ").to_string());
        let object = serde_json::json!({ "format": 1, "error": message, "hint": hint, "code": USAGE });
        let _ = context.stderr.write_all(json_text(&object).as_bytes());
    } else {
        // A value is repeated as it was typed; what the terminal would obey stays text.
        let _ = context.stderr.write_all(super::output::printable_lines(&text).as_bytes());
    }
    USAGE
}
