//! `amparo list`: what the vault holds, as far as this identity may see.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::cli::Exit;
use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::Contact;
use crate::cli::output::{count, shown, size};
use crate::cli::stream::ObjectStream;
use crate::vault::VaultError;
use crate::vault::findings::Verdict;
use crate::vault::list::{Listed, list};

/// List the exhibits, as far as you may see them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo list
  amparo list --json")]
pub(crate) struct Args {
    /// A share of the key that another reader lent you, where several must come together
    #[arg(long, value_name = "FILE")]
    share: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Looks)?;
    let mut person = call.person()?;
    person.lent = call.lent(&args.share)?;
    call.warn_if_unknown(&place)?;
    let (mut exhibits, mut first) = (0_u64, None);
    let mut object = call.global.json.then(ObjectStream::default);
    let troubles = {
        let mut parts = call.parts();
        let (mut setting, _, stdout, progress) = parts.split_live();
        let mut tell = |listed: Listed| {
            exhibits += 1;
            first.get_or_insert_with(|| listed.id.clone());
            let told = progress.step_aside(|| tell(&mut object, &listed, stdout));
            told.map_err(|source| VaultError::Output { source })
        };
        list(&mut setting, &place.request(Some(&person)), &mut tell)?
    };
    call.warn_of_troubles("the list", troubles.iter());
    let worst = troubles.iter().map(|trouble| trouble.weight).max().unwrap_or(Verdict::Valid);
    let exit = by_weight(worst);
    if let Some(mut object) = object {
        let out = &mut *call.context.stdout;
        let warnings = Map::from_iter([("warnings".to_string(), json!(call.warnings))]);
        let mut end = || object.begin(out, "exhibits").and_then(|()| object.members(out, warnings.clone()));
        end().and_then(|()| object.end(out)).map_err(|source| CliError::Output { source })?;
        return Ok(exit);
    }
    if exhibits == 0 && troubles.is_empty() {
        call.say("Nothing is sealed here yet.");
        call.suggest("amparo seal FILE");
    } else {
        call.say(&count(exhibits, "exhibit"));
    }
    if let Some(first) = first {
        call.suggest(format!("amparo show {first}"));
    }
    Ok(exit)
}

/// Tells of one exhibit, now: a vault may hold a million.
fn tell(object: &mut Option<ObjectStream>, listed: &Listed, out: &mut dyn Write) -> io::Result<()> {
    match object {
        None => out.write_all(format!("{}\n", line(listed)).as_bytes()),
        Some(object) => {
            object.begin(out, "exhibits")?;
            object.item(out, &Value::Object(described(listed)))
        }
    }
}

fn line(listed: &Listed) -> String {
    let day = listed.sealed_at.get(..16).unwrap_or(&listed.sealed_at).replace('T', " ");
    let mut line = format!("{}  {day}  {}  {}", listed.id, shown(&listed.sealer), listed.section);
    let field = |path| listed.record.as_ref().and_then(|record| record.field(path));
    if let Some(bytes) = field("original/bytes").and_then(|bytes| bytes.parse().ok()) {
        line.push_str(&format!("  {}", size(bytes)));
    }
    for path in ["identity/kind", "identity/title"] {
        if let Some(value) = field(path) {
            line.push_str(&format!("  {}", shown(value)));
        }
    }
    if let Some(scope) = &listed.withdrawn {
        line.push_str(&format!("  CONSENT WITHDRAWN ({scope})"));
    }
    line
}

/// An exhibit as JSON.
pub(super) fn described(listed: &Listed) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.into(), value);
    put("id", json!(listed.id));
    put("sealed_at", json!(listed.sealed_at));
    put("sealer", json!(listed.sealer));
    put("section", json!(listed.section));
    put("blobs", json!(listed.blobs));
    put("withdrawn", json!(listed.withdrawn));
    if let Some(record) = &listed.record {
        if let Some(bytes) = record.field("original/bytes").and_then(|bytes| bytes.parse::<u64>().ok()) {
            put("bytes", json!(bytes));
        }
        for (key, path) in [("title", "identity/title"), ("kind", "identity/kind"), ("sha256", "original/sha256")] {
            if let Some(value) = record.field(path) {
                put(key, json!(value));
            }
        }
    }
    object
}
