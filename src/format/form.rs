//! A form in TOML that a person fills in with any editor, without the program and before sealing.

use std::collections::HashSet;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::{self, FIELDS, Field, FieldError, Kind, REGISTER};
use super::names::printable;

/// The most bytes of a form: 64 KiB.
pub const FORM_BYTES_MAX: usize = 64 << 10;

/// The table of a form whose answers belong to the section `register`.
const REGISTER_TABLE: &str = "register";
/// The group of the fields that it stands for.
const REGISTER_GROUP: &str = "person";

/// Why a form cannot be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Longer than 64 KiB.
    #[error("the form has {bytes} bytes, more than 64 KiB")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// No TOML.
    #[error("line {line}: {what}")]
    Toml {
        /// Line, from 1.
        line: usize,
        /// What the parser says, escaped for a terminal.
        what: String,
    },
    /// A question that does not exist, or an answer that does not fit.
    #[error("line {line}: {error}")]
    Field {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        error: FieldError,
    },
    /// An answer that is a table or a list of other things than texts.
    #[error("line {line}: {path} takes an answer in quotation marks")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Whose answer, escaped for a terminal.
        path: String,
    },
    /// The same question twice.
    #[error("line {line}: {path} was answered before")]
    Repeated {
        /// Line, from 1.
        line: usize,
        /// Which question.
        path: String,
    },
}

/// What a form says: checked values in the order of their lines.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FormAnswers {
    /// For the exhibit's own record.
    pub fields: Vec<(String, String)>,
    /// For a record in the section `register`.
    pub register: Vec<(String, String)>,
}

/// Answers are evidence; a debug line shows how many there are.
impl fmt::Debug for FormAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FormAnswers({} fields, {} for the register)", self.fields.len(), self.register.len())
    }
}

/// A blank form for an exhibit of this kind: every question explained, every answer empty but the kind.
pub fn blank(kind: Kind) -> String {
    let mut form = format!(
        "# A form for an exhibit of the kind {kind}.\n#\n\
         # Write answers between the quotation marks, or between three and three for several lines. Leave empty what\n\
         # you do not know or should not say; write unknown where you asked and nobody knows. This file is readable\n\
         # by anyone who finds it: delete it once the exhibit is sealed.\n"
    );
    let mut group = "";
    for field in FIELDS.iter().filter(|field| field.applies_to(kind)) {
        if field.group() != group {
            group = field.group();
            form.extend(["\n[", group, "]\n"]);
        }
        let value = if field.path == "identity/kind" { kind.word() } else { "" };
        print_question(&mut form, field, value);
    }
    if kind == Kind::Testimony {
        form.push_str(
            "\n# Who the witness is. These answers go to the section register, which can have fewer readers. Safer:\n\
             # leave them empty here and type them when the exhibit is sealed, so that no file ever holds them.\n\
             [register]\n",
        );
        for field in REGISTER {
            print_question(&mut form, field, "");
        }
    }
    form
}

fn print_question(form: &mut String, field: &Field, value: &str) {
    form.extend(["# ", field.question, "\n#   ", field.note, "\n"]);
    if field.answer != fields::Answer::Text {
        form.extend(["#   (", &field.answer.to_string(), ")\n"]);
    }
    form.extend([field.name(), " = \"", value, "\"\n\n"]);
}

/// Reads a form that someone filled in. Empty answers are left out.
pub fn parse(text: &str) -> Result<FormAnswers, FormError> {
    if text.len() > FORM_BYTES_MAX {
        return Err(FormError::TooLong { bytes: text.len() });
    }
    // Some editors put a byte order mark before everything.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let table = DeTable::parse(text).map_err(|error| FormError::Toml {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        what: printable(error.message().replace('\n', ", ").as_bytes()),
    })?;
    let mut answers: Vec<(usize, String, String)> = Vec::new();
    for (key, value) in table.get_ref() {
        match value.get_ref() {
            DeValue::Table(questions) => {
                for (name, value) in questions {
                    let path = format!("{}/{}", key.get_ref(), name.get_ref());
                    answers.push(read_answer(name.span().start, path, value, text)?);
                }
            }
            _ => answers.push(read_answer(key.span().start, key.get_ref().to_string(), value, text)?),
        }
    }
    answers.sort();
    sort_out(answers, text)
}

/// One answer: where it begins, its path, its value. An empty one is returned as well, so that a mistyped name need not
/// wait until it has an answer.
fn read_answer(
    at: usize,
    path: String,
    value: &Spanned<DeValue<'_>>,
    text: &str,
) -> Result<(usize, String, String), FormError> {
    let shape = || FormError::Shape { line: line_of(text, at), path: printable(path.as_bytes()) };
    let answer = match value.get_ref() {
        DeValue::String(answer) => answer.to_string(),
        DeValue::Boolean(true) => "yes".into(),
        DeValue::Boolean(false) => "no".into(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().into(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(words) => {
            let words: Option<Vec<&str>> = words.iter().map(|word| word.get_ref().as_str()).collect();
            words.ok_or_else(shape)?.join(", ")
        }
        _ => return Err(shape()),
    };
    Ok((at, path, answer))
}

fn sort_out(lines: Vec<(usize, String, String)>, text: &str) -> Result<FormAnswers, FormError> {
    let mut answers = FormAnswers::default();
    let mut seen = HashSet::new();
    for (at, path, value) in lines {
        let line = line_of(text, at);
        let of_register = path
            .strip_prefix(REGISTER_TABLE)
            .and_then(|rest| rest.strip_prefix('/'))
            .map(|name| format!("{REGISTER_GROUP}/{name}"));
        let checked = match &of_register {
            Some(path) => fields::check_register(path, &value),
            None => fields::check(&path, &value),
        };
        if !seen.insert(path.clone()) {
            return Err(FormError::Repeated { line, path });
        }
        let value = match checked {
            Ok(value) => value,
            Err(FieldError::Empty { .. }) => continue,
            Err(error) => return Err(FormError::Field { line, error }),
        };
        match of_register {
            Some(path) => answers.register.push((path, value)),
            None => answers.fields.push((path, value)),
        }
    }
    Ok(answers)
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_forms_are_read_as_nothing_but_the_kind() {
        for kind in Kind::ALL {
            let form = blank(*kind);
            let answers = parse(&form).expect("a form of our own");
            assert_eq!(answers.fields, [("identity/kind".to_owned(), kind.word().to_owned())]);
            assert!(answers.register.is_empty() && form.len() < FORM_BYTES_MAX);
            assert!(form.lines().all(|line| line.len() <= 120), "{kind}");
            assert_eq!(form.contains("[register]"), *kind == Kind::Testimony);
            for field in FIELDS.iter().filter(|field| field.applies_to(*kind)) {
                assert!(form.contains(field.question) && form.contains(&format!("\n{} = ", field.name())));
            }
        }
        assert!(!blank(Kind::Document).contains("[medical]"));
    }

    #[test]
    fn answers_come_in_many_shapes_and_in_order() {
        let form = "\u{feff}[interview]\nfirst_account = true\n[identity]\nkind = \"testimony\"\npages = 3\n\
                    description = \"\"\"\nOne.\nTwo.\n\"\"\"\n[acquisition]\nwhen = 2026-11-20T14:30:00+02:00\n\
                    where = \"  \"\n[consent]\nidentifies = [\"voice\", \"name\"]\n[register]\nname = \"N. N.\"\n";
        let answers = parse(form).expect("all fit");
        let fields: Vec<(&str, &str)> = answers.fields.iter().map(|(path, value)| (&**path, &**value)).collect();
        assert_eq!(
            fields,
            [
                ("interview/first_account", "yes"),
                ("identity/kind", "testimony"),
                ("identity/pages", "3"),
                ("identity/description", "One.\nTwo."),
                ("acquisition/when", "2026-11-20T14:30:00+02:00"),
                ("consent/identifies", "name, voice"),
            ]
        );
        assert_eq!(answers.register, [("person/name".into(), "N. N.".into())]);
        assert_eq!(format!("{answers:?}"), "FormAnswers(6 fields, 1 for the register)");
    }

    #[test]
    fn errors_tell_their_line() {
        for (form, message) in [
            ("[identity]\n\ntitel = \"\"", "line 3: there is no field identity/titel; the nearest is identity/title"),
            (
                "[identity]\nkind = \"foto\"",
                "line 2: identity/kind takes one of: testimony, document, medical, photo, \
              audio, video, web, object, other",
            ),
            ("title = \"x\"", "line 1: there is no field title; the nearest is identity/title"),
            ("[original]\nname = \"x\"", "line 2: original/name is filled in by the program and cannot be set by hand"),
            (
                "[person]\nname = \"x\"",
                "line 2: person/name belongs to the register of witnesses, not to the exhibit's \
              own record",
            ),
            ("[register]\nnam = \"x\"", "line 2: there is no field person/nam; the nearest is person/name"),
            ("[identity]\ntitle = 1.5", "line 2: identity/title takes an answer in quotation marks"),
            ("[identity]\ntitle = [1]", "line 2: identity/title takes an answer in quotation marks"),
            ("[identity.title]\nx = \"\"", "line 1: identity/title takes an answer in quotation marks"),
            ("[identity]\ntitle = \"a\"\n[other]\n", ""),
            ("\"identity/title\" = \"a\"\n[identity]\ntitle = \"b\"", "line 3: identity/title was answered before"),
        ] {
            let told = parse(form).err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(told, message, "{form}");
        }
        for form in ["[identity]\ntitle = \"a", "[identity]\ntitle = \"a\"\ntitle = \"b\"", "[identity]\n = \u{1b}"] {
            let told = parse(form).expect_err("no TOML").to_string();
            assert!(told.starts_with("line ") && !told.chars().any(char::is_control), "{told}");
        }
        assert!(matches!(parse(&"#".repeat(FORM_BYTES_MAX + 1)), Err(FormError::TooLong { .. })));
        assert!(parse(&format!("a = {}", "[".repeat(60_000))).is_err(), "nesting is bounded");
    }
}
