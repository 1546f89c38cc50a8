//! Every field, its question and what is taken for an answer.

use super::super::record::is_path;
use super::*;

#[test]
fn the_table_is_sound() {
    for (at, field) in FIELDS.iter().chain(REGISTER).enumerate() {
        assert!(is_path(field.path) && field.path.split('/').count() == 2, "{}", field.path);
        assert!(!is_filled_in(field.path), "{}", field.path);
        assert!(field.question.ends_with('?') && field.note.ends_with('.'), "{}", field.path);
        assert!(!field.kinds.is_empty());
        assert!(FIELDS.iter().chain(REGISTER).skip(at + 1).all(|other| other.path != field.path), "{}", field.path);
        if let Answer::OneOf(words) | Answer::AnyOf(words) = field.answer {
            assert!(words.iter().all(|word| *word == word.to_lowercase() && !word.contains(',')));
        }
    }
    let mut groups: Vec<&str> = FIELDS.iter().map(Field::group).collect();
    groups.dedup();
    assert_eq!(
        groups,
        ["identity", "acquisition", "source", "interview", "medical", "detention", "consent", "handling"]
    );
    assert!(FILLED_IN.iter().all(|(path, _)| is_path(path) && is_filled_in(path)));
    assert_eq!(SIX_QUESTIONS.len(), 6);
    assert!(SIX_QUESTIONS.iter().flat_map(|question| question.paths).all(|path| find(path).is_some()));
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    assert_eq!(table::KINDS, Answer::OneOf(table::KIND_WORDS));
    assert_eq!(table::KIND_WORDS, kinds);
    assert!(Kind::ALL.iter().all(|kind| Kind::from_word(kind.word()) == Some(*kind)));
}

#[test]
fn values_are_read_in_their_form() {
    for (path, value, kept) in [
        ("identity/title", "  a\r\nb ", "a\nb"),
        ("identity/kind", "Photo", "photo"),
        ("consent/identifies", "voice,name,voice", "name, voice"),
        ("consent/identifies", "none", "none"),
        ("interview/first_account", "YES", "yes"),
        ("interview/first_account", "Unknown", "unknown"),
        ("identity/pages", "007", "7"),
        ("acquisition/when", "2026", "2026"),
        ("acquisition/when", "2026-11", "2026-11"),
        ("acquisition/when", "2026-11-20", "2026-11-20"),
        ("acquisition/when", "2026-11-20 14:30 +02:00", "2026-11-20T14:30+02:00"),
        ("acquisition/when", "2026-11-20t14:30:05z", "2026-11-20T14:30:05Z"),
    ] {
        assert_eq!(check(path, value).as_deref(), Ok(kept), "{path} {value}");
    }
    for (path, value) in [
        ("identity/title", " "),
        ("identity/title", "a\u{1b}b"),
        ("identity/kind", "foto"),
        ("consent/identifies", "name, none"),
        ("consent/identifies", ","),
        ("interview/first_account", "maybe"),
        ("identity/pages", "-1"),
        ("acquisition/when", "2026-13"),
        ("acquisition/when", "2026-02-30"),
        ("acquisition/when", "20.11.2026"),
        ("acquisition/when", "2026-11-20T14:30"),
        ("acquisition/when", "2026-11-20T25:30Z"),
        ("acquisition/when", "+10000"),
        ("acquisition/when", "yesterday"),
    ] {
        assert!(check(path, value).is_err(), "{path} {value}");
    }
    let error = check("acquisition/when", "2026-11-20 14:30").expect_err("no offset");
    assert_eq!(error, FieldError::NoOffset { path: "acquisition/when" });
    assert!(matches!(check("identity/title", &"x".repeat(16_385)), Err(FieldError::TooLong { .. })));
}

#[test]
fn paths_that_cannot_be_set_say_why() {
    for path in ["exhibit", "content/name", "content/x", "original/sha256", "embedded/device"] {
        assert!(matches!(check(path, "x"), Err(FieldError::FilledIn { .. })), "{path}");
    }
    assert!(matches!(check("person/name", "x"), Err(FieldError::Register { .. })));
    assert!(check_register("person/name", "x").is_ok());
    for (path, expected) in [
        ("identity/titel", Some("identity/title")),
        ("identity.title", Some("identity/title")),
        ("title", Some("identity/title")),
        ("aquisition/when", Some("acquisition/when")),
        ("consent/identify", Some("consent/identifies")),
        ("langauge", Some("identity/language")),
        ("zzzzzzzzzzzz", None),
    ] {
        let Err(FieldError::Unknown { nearest, .. }) = check(path, "x") else { panic!("{path} is known") };
        assert_eq!(nearest, expected, "{path}");
    }
    let error = check("a\u{1b}[2J", "x").expect_err("unknown").to_string();
    assert!(!error.contains('\u{1b}'));
    assert_eq!(
        check("titel", "x").expect_err("unknown").to_string(),
        "there is no field titel; the nearest is identity/title"
    );
}
