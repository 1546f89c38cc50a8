//! `amparo show`: everything that this identity may see of one exhibit.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::list;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::shown;
use crate::cli::{DONE, Exit};
use crate::vault::show::{Shown, show};

/// Show what is known of one exhibit
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo show K7-0001
  amparo show K7-0001 --json")]
pub(crate) struct Args {
    /// The exhibit
    #[arg(value_name = "ID")]
    id: String,
    /// A share of the key that another reader lent you, where several must come together
    #[arg(long, value_name = "FILE")]
    share: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Looks)?;
    let mut person = call.person()?;
    person.lent = call.lent(&args.share)?;
    call.warn_if_unknown(&place)?;
    let found = show(&mut call.parts().setting(), &place.request(Some(&person)), &args.id)?;
    if call.global.json {
        call.print_json(described(&found))?;
    } else {
        tell(&found, call)?;
    }
    Ok(DONE)
}

fn tell(found: &Shown, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let listed = &found.listed;
    call.print(&listed.id)?;
    let mut line = |label: &str, value: &str| call.print(&format!("  {label:<16}{value}"));
    line("sealed", &format!("{} by {} (the device's clock)", shown(&listed.sealed_at), shown(&listed.sealer)))?;
    line("section", &listed.section)?;
    line("custody event", &format!("{} of the record {}", found.seq, found.head.log))?;
    line("read back", if found.readback { "yes, before it was signed" } else { "no" })?;
    if let Some(scope) = &listed.withdrawn {
        line("consent", &format!("WITHDRAWN ({scope})"))?;
    }
    for (number, blob) in listed.blob_names.iter().enumerate() {
        line(if number == 0 { "sealed files" } else { "" }, &blob.to_string())?;
    }
    if let Some(why) = &found.closed {
        call.say(&format!("Its record and content are closed: {}.", shown(&why.to_string())));
    }
    if let Some(record) = &listed.record {
        for (path, value) in record.fields() {
            let mut lines = value.split('\n');
            call.print(&format!("  {path}: {}", shown(lines.next().unwrap_or_default())))?;
            for line in lines {
                call.print(&format!("      {}", shown(line)))?;
            }
        }
        call.suggest(format!("amparo open {} -o ../opened", listed.id));
    }
    Ok(())
}

fn described(found: &Shown) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("format".into(), json!(1));
    object.extend(list::described(&found.listed));
    object.insert("log".into(), json!(found.head.log.to_string()));
    object.insert("seq".into(), json!(found.seq));
    object.insert("readback".into(), json!(found.readback));
    let names: Vec<String> = found.listed.blob_names.iter().map(ToString::to_string).collect();
    object.insert("blob_names".into(), json!(names));
    let fields = found.listed.record.as_ref().map(|record| json!(record.fields()));
    object.insert("fields".into(), fields.unwrap_or(Value::Null));
    object.insert("closed".into(), json!(found.closed.as_ref().map(ToString::to_string)));
    Value::Object(object)
}
