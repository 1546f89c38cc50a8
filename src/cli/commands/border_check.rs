//! `amparo border-check`: what a search of this device would find, and what it would open.

mod card;
mod words;

use std::path::PathBuf;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::{Tone, count, shown};
use crate::cli::{DONE, Exit, FAILED, INCOMPLETE};
use crate::store::Mode;
use crate::vault::border_check::{Border, SearchRequest, search};
use crate::vault::device::{Find, Home, Kind, Opens};

/// Nobody types more passphrases than these; the rest stays locked, and counts.
const ASKED_MAX: usize = 8;
/// Everybody may write there.
const OTHERS_WRITE: u32 = 0o002;

/// What a search of this device would find; fails if anything opens content
///
/// Looks through your home folder, the current one and what you name besides: for identities and other keys under any
/// name, vaults, opened exhibits, forms, shell history, recent files, and for what the system itself writes to disk. Each
/// key is tried on each vault it finds. A key of which nobody can tell what it opens counts as one that opens content.
/// Nothing is changed.
///
/// Ends with 0 only if nothing was found that opens content and nothing was left out; with 1 if something opens content,
/// or could; with 4 if something could not be looked at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo border-check
  amparo border-check /media/stick
  amparo border-check --card")]
pub(crate) struct Args {
    /// More folders and files to look through, such as a stick, beside your home folder and the current one
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print a short statement that the bearer holds no key, if that is so
    #[arg(long)]
    card: bool,
    /// With --card: write it to this file
    #[arg(short, long, value_name = "FILE", requires = "card")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if let Some(output) = &args.output {
        call.must_be_free(output)?;
    }
    let border = look(args, call)?;
    let exit = match (border.opens_content(), border.is_whole()) {
        (true, _) => FAILED,
        (false, false) => INCOMPLETE,
        (false, true) => DONE,
    };
    if args.card {
        return give_card(args, call, &border, exit);
    }
    if call.global.json {
        call.print_json(described(&border))?;
        return Ok(exit);
    }
    for find in &border.finds {
        tell(find, call)?;
    }
    if border.unlisted > 0 {
        call.print(&format!("… and {} of these kinds that open nothing\n", count(border.unlisted, "other")))?;
    }
    verdict(&border, call)?;
    for line in words::NOT_LOOKED_AT {
        call.print(line)?;
    }
    if !border.opens_content() {
        call.suggest("amparo doctor");
    }
    Ok(exit)
}

fn look(args: &Args, call: &mut Call<'_, '_>) -> Result<Border, CliError> {
    let (identity, state) = (call.identity_file()?, call.state_folder()?);
    let vault = call.vault_folder()?;
    let home = home(call);
    let named: Vec<PathBuf> = args.paths.iter().map(|path| call.path(path)).collect();
    // Whatever was named: what is said afterwards is said of this device.
    let mut always: Vec<PathBuf> = home.iter().map(|home| home.folder.clone()).collect();
    always.push(call.context.folder.clone());
    always.extend(temporary(call));
    let request = SearchRequest {
        identity: &identity,
        state: &state,
        vault: vault.as_deref(),
        named: &named,
        always: &always,
        home: home.as_ref(),
    };
    let found = search(&mut call.parts().setting(), &request)?;
    let passphrases = ask(&found.locked(), call)?;
    Ok(found.judge(&mut call.parts().setting(), &passphrases)?)
}

/// One passphrase from a file is tried on everything; else each locked file is asked for, and Enter leaves it locked.
fn ask(locked: &[PathBuf], call: &mut Call<'_, '_>) -> Result<Vec<Option<Zeroizing<String>>>, CliError> {
    if locked.is_empty() {
        return Ok(Vec::new());
    }
    if call.passphrase_file().is_some() {
        let passphrase = call.need_passphrase("")?;
        return Ok(locked.iter().map(|_| Some(passphrase.clone())).collect());
    }
    let mut passphrases = Vec::new();
    for path in locked {
        let may_ask = !call.global.no_input && passphrases.len() < ASKED_MAX;
        let prompt = format!("Passphrase of {} (Enter leaves it locked): ", shown(&path.to_string_lossy()));
        let typed = if may_ask { call.context.ask.passphrase(&prompt) } else { Ok(None) };
        let typed = typed.map_err(|source| CliError::Terminal { source })?;
        passphrases.push(typed.filter(|typed| !typed.is_empty()));
    }
    Ok(passphrases)
}

fn home(call: &Call<'_, '_>) -> Option<Home> {
    let folder = PathBuf::from(call.variable("HOME")?);
    let own = |variable: &str, below: &str| {
        call.variable(variable).map(PathBuf::from).filter(|own| own.is_absolute()).unwrap_or_else(|| folder.join(below))
    };
    let (data, cache) = (own("XDG_DATA_HOME", ".local/share"), own("XDG_CACHE_HOME", ".cache"));
    let history = call.variable("HISTFILE").map(|history| call.path(&PathBuf::from(history)));
    Some(Home { folder, data, cache, history })
}

/// This person's own folder for what is temporary. In those that everybody shares, others' folders cannot be looked into, so
/// that no check would ever be whole: they are told of instead, and can be named.
fn temporary(call: &Call<'_, '_>) -> Option<PathBuf> {
    let own = call.variable("TMPDIR").map(PathBuf::from).filter(|own| own.is_absolute())?;
    let shared = call.context.disk.stat_behind(&own).is_ok_and(|stat| stat.permissions & OTHERS_WRITE != 0);
    (!shared).then_some(own)
}

fn tell(find: &Find, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let (word, tone) = match find.opens {
        _ if find.may_open_content() && find.opens == Opens::Unknown => ("MAY OPEN CONTENT", Tone::Bad),
        Opens::Content => ("OPENS CONTENT", Tone::Bad),
        Opens::Custody if find.kind == Kind::Report => ("shows the custody record", Tone::Careful),
        Opens::Custody => ("opens the custody record", Tone::Careful),
        Opens::Unknown => ("may hold more", Tone::Careful),
        Opens::Nothing => ("opens nothing", Tone::Good),
    };
    let word = call.set_off(word, tone, call.context.terminal.output);
    call.print(&format!("{}  {}", words::kind(find), shown(&find.path.to_string_lossy())))?;
    call.print(&format!("    {word}: {}", shown(&words::what(find))))?;
    if let Some(advice) = words::advice(find) {
        call.print(&format!("    what to do: {advice}"))?;
    }
    Ok(())
}

fn verdict(border: &Border, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let bad = border.finds.iter().filter(|find| find.may_open_content()).count() as u64;
    let (text, tone) = match (bad, border.is_whole()) {
        (0, true) => ("Nothing that was found here opens content.".into(), Tone::Good),
        (0, false) => {
            ("Nothing that was found here opens content, and not everything could be looked at.".into(), Tone::Careful)
        }
        (1, _) => ("Content is within reach here: 1 thing opens it, or could.".into(), Tone::Bad),
        (many, _) => (format!("Content is within reach here: {many} things open it, or could."), Tone::Bad),
    };
    let text = call.set_off(&text, tone, call.context.terminal.output);
    call.print(&format!("\n{text}"))?;
    call.print(&format!("{} looked at.", count(border.files, "file")))?;
    if !border.skipped.is_empty() {
        call.print("Not looked at:")?;
        for skipped in &border.skipped {
            call.print(&format!("  {}: {}", shown(&skipped.path.to_string_lossy()), shown(&skipped.reason)))?;
        }
        let more = border.skipped_count.saturating_sub(border.skipped.len() as u64);
        if more > 0 {
            call.print(&format!("  and {}", count(more, "other")))?;
        }
    }
    if border.links > 0 {
        call.print(&format!("Not followed: {} inside these folders.", count(border.links, "link")))?;
    }
    Ok(())
}

fn give_card(args: &Args, call: &mut Call<'_, '_>, border: &Border, exit: Exit) -> Result<Exit, CliError> {
    if let Some(reason) = card::refusal(border) {
        return Err(CliError::NoCard { reason, exit: if exit == DONE { FAILED } else { exit } });
    }
    let text = card::text(border, &call.context.clock.now().strftime("%-d %B %Y").to_string());
    if let Some(output) = &args.output {
        call.write_file(output, text.as_bytes(), Mode::Open, false)?;
        call.say(&format!("The statement is in {}.", shown(&output.to_string_lossy())));
    }
    if call.global.json {
        let mut object = described(border);
        object["card"] = text.into();
        call.print_json(object)?;
    } else if args.output.is_none() {
        call.print_bytes(text.as_bytes())?;
    }
    Ok(DONE)
}

fn described(border: &Border) -> Value {
    let findings: Vec<Value> = border
        .finds
        .iter()
        .map(|find| {
            json!({
                "kind": words::machine_kind(find.kind),
                "path": find.path.to_string_lossy(),
                "opens": words::machine_opens(find.opens),
                "what": words::what(find),
                "advice": words::advice(find).unwrap_or_default(),
            })
        })
        .collect();
    let skipped: Vec<Value> = border
        .skipped
        .iter()
        .map(|skipped| json!({ "path": skipped.path.to_string_lossy(), "reason": skipped.reason }))
        .collect();
    json!({
        "format": 1,
        "opens_content": border.opens_content(),
        "complete": border.is_whole(),
        "findings": findings,
        "unlisted": border.unlisted,
        "files": border.files,
        "links": border.links,
        "skipped": skipped,
        "not_looked_at": words::NOT_LOOKED_AT[1..].iter().map(|line| line.trim_start_matches("  - ")).collect::<Vec<_>>(),
    })
}
