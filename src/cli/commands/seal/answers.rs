//! What is said of the evidence: by form, by flag, and for the rest by question.

use std::collections::BTreeSet;

use super::Args;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::format::fields::{self, Answer, Field, FieldError, Kind, REGISTER, SIX_QUESTIONS};
use crate::format::form::{self, FORM_BYTES_MAX, FormAnswers};

/// What flags and form say. A flag counts more than the form.
pub(super) fn given(args: &Args, call: &mut Call<'_, '_>) -> Result<FormAnswers, CliError> {
    let mut answers = match &args.form {
        Some(file) => {
            call.claim_stdin(file, "--form")?;
            let bytes = call.read_input(file, FORM_BYTES_MAX as u64)?;
            let text = String::from_utf8(bytes).map_err(|_| CliError::NotText { what: "the form" })?;
            form::parse(&text).map_err(|error| CliError::Form { file: file.clone(), error })?
        }
        None => FormAnswers::default(),
    };
    let mut flagged = BTreeSet::new();
    let mut once = |path: &str| if flagged.insert(path.to_string()) { Ok(()) } else { Err(twice(path)) };
    for field in &args.field {
        let (path, value) = field.split_once('=').ok_or_else(|| CliError::Usage {
            message: format!("{field} is not PATH=VALUE"),
            hint: Some("amparo seal FILE --field acquisition/when=2026-11-20".into()),
        })?;
        let value = fields::check(path, value)?;
        once(path)?;
        set(&mut answers.fields, path, value);
    }
    if let Some(title) = &args.title {
        once("identity/title")?;
        set(&mut answers.fields, "identity/title", fields::check("identity/title", title)?);
    }
    if let Some(kind) = args.kind {
        once("identity/kind")?;
        set(&mut answers.fields, "identity/kind", kind.word().into());
    }
    Ok(answers)
}

/// Of two answers to one question nobody can tell which was meant.
fn twice(path: &str) -> CliError {
    let hint = "give one answer; --title and --kind are identity/title and identity/kind".to_string();
    CliError::Usage { message: format!("{path} is given twice on one command line"), hint: Some(hint) }
}

fn set(answers: &mut Vec<(String, String)>, path: &str, value: String) {
    answers.retain(|(other, _)| other != path);
    answers.push((path.into(), value));
}

/// Asks, where somebody can be asked, what flags and form have left open.
pub(super) fn ask_the_rest(mut answers: FormAnswers, call: &mut Call<'_, '_>) -> Result<FormAnswers, CliError> {
    if !call.interactive() {
        return Ok(answers);
    }
    let open = |answers: &FormAnswers, path: &str| answers.fields.iter().all(|(other, _)| other != path);
    let paths = SIX_QUESTIONS.iter().flat_map(|question| question.paths.iter());
    let mut begun = false;
    for field in paths.filter_map(|path| fields::find(path)) {
        let kind = kind_of(&answers);
        if !open(&answers, field.path) || kind.is_some_and(|kind| !field.applies_to(kind)) {
            continue;
        }
        if !begun {
            call.talk("What a court will ask of it. The answers are sealed with it; Enter leaves one open.");
            begun = true;
        }
        if let Some(value) = ask(field, call)? {
            answers.fields.push((field.path.into(), value));
        }
    }
    if kind_of(&answers) == Some(Kind::Testimony) && answers.register.is_empty() {
        call.talk(
            "Who testifies goes to a record of its own in the section register, which can have fewer readers than",
        );
        call.talk("the testimony: whom you named with --register-reader when the vault was founded, else the same.");
        for field in REGISTER {
            if let Some(value) = ask(field, call)? {
                answers.register.push((field.path.into(), value));
            }
        }
    }
    Ok(answers)
}

fn kind_of(answers: &FormAnswers) -> Option<Kind> {
    let kind = answers.fields.iter().find(|(path, _)| path == "identity/kind");
    kind.and_then(|(_, word)| Kind::from_word(word))
}

fn ask(field: &'static Field, call: &mut Call<'_, '_>) -> Result<Option<String>, CliError> {
    let question = match field.answer {
        Answer::Text => field.question.to_string(),
        answer => format!("{} ({answer})", field.question),
    };
    loop {
        let Some(line) = call.ask_line(&question)? else { return Ok(None) };
        match field.check(&line) {
            Ok(value) => return Ok(Some(value)),
            Err(FieldError::NoOffset { .. }) => {
                call.talk("A time needs its offset from UTC: 2026-11-20T14:30+02:00, or give the date alone.");
            }
            Err(_) => call.talk(&format!("This takes {}; Enter leaves it open.", field.answer)),
        }
    }
}
