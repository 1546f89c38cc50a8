//! The table of the fields, group by group; forms print it in this order.

use super::Answer::{AnyOf, Number, OneOf, Text, When, YesNo};
use super::Kind::{Audio, Document, Medical, Object, Photo, Testimony, Video, Web};
use super::{Answer, Field, Kind, Question};

const ALL: &[Kind] = Kind::ALL;
const SPOKEN: &[Kind] = &[Testimony, Medical, Audio, Video];
const EXAMINED: &[Kind] = &[Medical];
const RECORDED: &[Kind] = &[Photo, Audio, Video];
const OF_PERSONS: &[Kind] = &[Testimony, Medical, Photo, Audio, Video, Document];
const PAGED: &[Kind] = &[Testimony, Document, Medical];
const COLLECTED: &[Kind] = &[Document, Medical, Photo, Audio, Video, Web, Object];

pub(super) const KIND_WORDS: &[&str] =
    &["testimony", "document", "medical", "photo", "audio", "video", "web", "object", "other"];
pub(super) const KINDS: Answer = OneOf(KIND_WORDS);
const COPY_CLASSES: Answer = OneOf(&["original", "working", "transcript", "translation", "redaction"]);
const RELIABILITY: Answer = OneOf(&["high", "medium", "low", "unassessed"]);
const DEGREES: Answer = OneOf(&["not_consistent", "consistent", "highly_consistent", "typical", "diagnostic"]);
const CONSENT_FORMS: Answer = OneOf(&["written", "recorded", "oral", "refused", "not_asked", "not_needed"]);
const IDENTIFIERS: Answer = AnyOf(&["name", "face", "voice", "place", "none"]);
const SENSITIVITY: Answer = OneOf(&["low", "medium", "high"]);

const fn field(
    path: &'static str,
    kinds: &'static [Kind],
    answer: Answer,
    question: &'static str,
    note: &'static str,
) -> Field {
    Field { path, kinds, answer, question, note }
}

/// Every field that a person can answer of an exhibit.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("identity/kind", ALL, KINDS, "What is it?",
        "Decides which questions are asked."),
    field("identity/title", ALL, Text, "What should it be called in a list?",
        "Readers see this first; no names of witnesses."),
    field("identity/description", ALL, Text, "What does it show or say?",
        "What anyone can see or hear in it, without conclusions."),
    field("identity/language", ALL, Text, "Which languages are in it?",
        "As their speakers call them, or by code: ar, ku, es."),
    field("identity/copy_class", ALL, COPY_CLASSES, "Is it the original or derived from one?",
        "A court weighs an original differently from a transcript or a redacted copy."),
    field("identity/parent", ALL, Text, "Which exhibit was it made from?",
        "The number of that exhibit, such as K7-0012."),
    field("identity/pages", PAGED, Number, "How many pages does it have?",
        "So that a missing page is noticed."),

    field("acquisition/when", ALL, When, "When was it obtained or recorded?",
        "As exactly as you know and no more exactly; a year is an answer."),
    field("acquisition/clock_source", ALL, Text, "Which clock told the time?",
        "For example: my phone, set by the network; the wall clock of the office; memory."),
    field("acquisition/clock_error", ALL, Text, "By how much was that clock wrong?",
        "For example: 4 minutes fast, compared with radio time on the same day."),
    field("acquisition/where", ALL, Text, "Where was it obtained or recorded?",
        "As exactly as is safe for the people there."),
    field("acquisition/by", ALL, Text, "Who obtained or recorded it?",
        "A pseudonym is enough if the register knows the person."),
    field("acquisition/role", ALL, Text, "In what role?",
        "For example: defence lawyer, family member, investigator, journalist."),
    field("acquisition/present", ALL, Text, "Who was present?",
        "Roles or pseudonyms, yourself included."),
    field("acquisition/how", ALL, Text, "How was it obtained?",
        "Handed over, copied from a phone, photographed, downloaded: each step in turn."),
    field("acquisition/authority", ALL, Text, "Under what authority was it obtained?",
        "A mandate, a court order, the owner's permission; none is an answer too."),
    field("acquisition/tool", COLLECTED, Text, "With which device or program was it copied?",
        "Maker, model or name."),
    field("acquisition/tool_version", COLLECTED, Text, "Which version of that program?",
        "Lets an expert repeat the copying."),
    field("acquisition/medium", COLLECTED, Text, "On what was the original kept?",
        "A phone, a memory card, paper; with its serial number if it has one."),
    field("acquisition/device", RECORDED, Text, "Which device made the recording?",
        "Maker and model, if you know more than the file says."),
    field("acquisition/address", &[Web], Text, "At which address was it published?",
        "The whole address, as the browser showed it."),
    field("acquisition/published", &[Web, Document], When, "When was it published or issued?",
        "As stated there; the date of copying is asked above."),
    field("acquisition/author", &[Web, Document, Photo, Audio, Video], Text, "Who made or published it?",
        "An account, an office, an agency; whoever took the picture."),

    field("source/register", ALL, Text, "Under which number does the register know the source?",
        "An exhibit of the section register; never a name here."),
    field("source/reliability", ALL, RELIABILITY, "How reliable is the source?",
        "Your assessment today; say why in the next answer."),
    field("source/reliability_reason", ALL, Text, "Why do you assess the source so?",
        "Closeness to the events, consistency, motives."),
    field("source/prior_custody", ALL, Text, "Who had it before, and how was it kept?",
        "As told to you; it is marked as told, not as known."),

    field("interview/place", SPOKEN, Text, "In what surroundings did the conversation take place?",
        "A private room, a cell, a telephone; who could listen."),
    field("interview/start", SPOKEN, When, "When did it begin?",
        "With the offset from UTC if you give a time."),
    field("interview/end", SPOKEN, When, "When did it end?",
        "With the offset from UTC if you give a time."),
    field("interview/breaks", SPOKEN, Text, "Which breaks were there?",
        "When, how long, and why."),
    field("interview/first_account", SPOKEN, YesNo, "Is this the person's first account of the events?",
        "Earlier accounts can be compared, and repeated telling can do harm."),
    field("interview/earlier", SPOKEN, Text, "To whom did the person speak of it before?",
        "Police, doctors, journalists, other organisations; when."),
    field("interview/interpreter", SPOKEN, Text, "Who interpreted, and between which languages?",
        "A pseudonym or role; how the interpreter was chosen."),
    field("interview/officials", SPOKEN, Text, "Which officials or guards were present or near?",
        "None is an important answer."),
    field("interview/promises", SPOKEN, Text, "What was promised, paid or threatened?",
        "Travel costs and meals too; none is an important answer."),
    field("interview/questions", SPOKEN, Text, "How was it asked and written down?",
        "Open questions, a form, a recording; whether it was read back to the person."),

    field("medical/assessor", EXAMINED, Text, "Who examined the person?",
        "A pseudonym is enough if the register knows the name."),
    field("medical/credentials", EXAMINED, Text, "What are the examiner's qualifications?",
        "Profession, specialty, training in documenting ill-treatment."),
    field("medical/examined", EXAMINED, When, "When was the examination?",
        "Traces fade: the days since the events matter."),
    field("medical/consistency", EXAMINED, DEGREES, "How consistent are the findings with the account?",
        "The five degrees of the Istanbul Protocol, as the examiner stated them."),
    field("medical/refused", EXAMINED, YesNo, "Was an examination refused or prevented?",
        "By the person or by an authority."),
    field("medical/refused_reason", EXAMINED, Text, "Who refused or prevented it, and why?",
        "In the words that were used."),
    field("medical/conditions", EXAMINED, Text, "Under what conditions was the person examined?",
        "Privacy, restraints, guards, time, light, equipment."),

    field("detention/place", OF_PERSONS, Text, "Where was the person held?",
        "Each place in turn, official or not."),
    field("detention/from", OF_PERSONS, When, "From when was the person held?",
        "The day of arrest, if it is known."),
    field("detention/until", OF_PERSONS, When, "Until when was the person held?",
        "Leave it empty for someone who is still held."),
    field("detention/authority", OF_PERSONS, Text, "Who held the person?",
        "Unit, agency, uniforms, vehicles; what was said about the reason."),

    field("consent/form", ALL, CONSENT_FORMS, "How was consent given?",
        "Consent to keep and use this, freely given, after its use and risks were explained."),
    field("consent/reference", ALL, Text, "Where is the consent recorded?",
        "The exhibit or file that holds it."),
    field("consent/language", ALL, Text, "In which language was it explained?",
        "One that the person understands well."),
    field("consent/guardian", ALL, Text, "Who consented in the person's place?",
        "For a child, or someone who cannot; in what capacity."),
    field("consent/disclose_to", ALL, Text, "To whom may it be disclosed?",
        "For example: courts only; the organisation; the public."),
    field("consent/identifies", ALL, IDENTIFIERS, "What in it identifies a person?",
        "Whoever discloses it later must know what to cover."),
    field("consent/withhold", ALL, Text, "What must be withheld?",
        "Passages, faces, places, and until when."),
    field("consent/limits_explained", ALL, YesNo, "Was it explained what cannot be promised?",
        "Confidentiality has limits; a court can order disclosure."),

    field("handling/sensitivity", ALL, SENSITIVITY, "How much harm could it do in wrong hands?",
        "Think of the person, the family, the source and yourself."),
    field("handling/retention", ALL, Text, "How long should it be kept, and what then?",
        "For example: until the judgment is final; return it to the family."),
    field("handling/warning", ALL, Text, "What should someone know before opening it?",
        "Violence, children, a recording that is hard to hear."),
];

/// The fields of a witness, in a record of its own in the section `register`.
#[rustfmt::skip]
pub const REGISTER: &[Field] = &[
    field("person/name", &[Testimony], Text, "What is the name of the person who testifies?",
        "Only readers of the section register can open this."),
    field("person/contact", &[Testimony], Text, "How can the person be reached safely?",
        "Only readers of the section register can open this."),
];

/// What `seal` asks when nothing else said it; each field's own question is asked for its path.
pub const SIX_QUESTIONS: &[Question] = &[
    Question { question: "What is it?", paths: &["identity/kind"] },
    Question { question: "When and where was it obtained?", paths: &["acquisition/when", "acquisition/where"] },
    Question { question: "Who was present?", paths: &["acquisition/present"] },
    Question { question: "Is this the person's first account of the events?", paths: &["interview/first_account"] },
    Question { question: "How was consent given?", paths: &["consent/form"] },
    Question { question: "What in it identifies a person?", paths: &["consent/identifies"] },
];

/// What the program fills in, and what it means; beside these only `content/paragraph/…`, which is never stored.
pub const FILLED_IN: &[(&str, &str)] = &[
    ("exhibit", "vault, log and number that the record belongs to"),
    ("content/name", "the member of the payload that holds the file: its safe name below content/"),
    ("content/parts", "how many parts came from standard input"),
    ("content/files", "how many files the folder has"),
    ("content/listing_sha256", "the SHA-256 of listing.json"),
    ("content/paragraphs", "how many paragraphs of the text are committed, one by one"),
    ("content/changed", "yes: the file changed while it was sealed"),
    ("original/name", "the file's name"),
    ("original/name_hex", "the bytes of a name that is no text, in hex"),
    ("original/path", "the path as given to seal"),
    ("original/path_hex", "the bytes of a path that is no text, in hex"),
    ("original/bytes", "the size in bytes; of a folder, of all its files"),
    ("original/sha256", "the SHA-256 of the original's bytes"),
    ("original/media_type", "what it is by its first bytes, whatever its name says"),
    ("original/modified", "when it was last changed, as its file system told"),
    ("original/created", "when it was created, as its file system told"),
    ("original/accessed", "when it was last read before sealing, as its file system told"),
    ("embedded/device", "the device, as the file itself says"),
    ("embedded/software", "the program, as the file itself says"),
    ("embedded/created", "when the file was made, as the file itself says"),
    ("embedded/taken", "when it was taken, as the file itself says"),
    ("embedded/digitized", "when it was digitized, as the file itself says"),
    ("embedded/latitude", "degrees north, as the file itself says"),
    ("embedded/longitude", "degrees east, as the file itself says"),
    ("embedded/altitude", "metres above the sea, as the file itself says"),
];
