//! Cosignatures as one text, to go by phone or mail: complete cosigned checkpoints, an empty line between two of them.
//!
//! What mail programs and phones do to a text is undone first, as far as it can be known: line ends, white space at
//! both ends of a line, empty lines too many, the dash of a signature line, a signature line that was cut. Then every note
//! is read as strictly as in a vault. Nothing is risked by the first step: no change of a signed byte survives the second.

use super::checkpoint::{Checkpoint, Origin};
use super::note::Note;

/// The longest such text that is read: some thousands of cosignatures, each of about 7 kB.
pub const COSIGNATURES_BYTES_MAX: u64 = 32 << 20;

/// What stands before the key names of this program, whatever a phone made of the dash.
const DASHES: [char; 5] = ['\u{2014}', '\u{2013}', '\u{2012}', '\u{2212}', '-'];
/// White space of which no line end is made, and characters without width that copying leaves.
const NO_WIDTH: [char; 4] = ['\u{feff}', '\u{200b}', '\u{200e}', '\u{200f}'];
const KEY_NAMES: &str = "amparo.v1/";

/// Why a text holds no cosignatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignaturesError {
    /// Longer than [`COSIGNATURES_BYTES_MAX`].
    #[error("it is longer than {COSIGNATURES_BYTES_MAX} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("it is not text in UTF-8")]
    NotText,
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// Something that is no part of a cosigned state.
    #[error("line {line} is no part of a cosigned state")]
    Stray {
        /// Counted from 1, as an editor shows it.
        line: usize,
    },
    /// A state without signature lines, or a damaged one.
    #[error("the cosigned state that begins in line {line} is cut or changed")]
    Broken {
        /// Its first line, counted from 1.
        line: usize,
    },
}

/// The text of these notes.
pub fn print(notes: &[Note]) -> String {
    let texts: Vec<String> = notes.iter().map(|note| String::from_utf8_lossy(&note.to_bytes()).into_owned()).collect();
    texts.join("\n")
}

/// Whether a text begins as such a text does: a state, and below it more lines than the log's own two.
pub fn looks_like(bytes: &[u8]) -> bool {
    parse(bytes).is_ok_and(|notes| notes.iter().any(|note| note.lines().len() > 2))
}

/// Reads the notes. Who signed them, and whether that holds, is another question.
pub fn parse(bytes: &[u8]) -> Result<Vec<Note>, CosignaturesError> {
    if bytes.len() as u64 > COSIGNATURES_BYTES_MAX {
        return Err(CosignaturesError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| CosignaturesError::NotText)?;
    let blocks = blocks(&text.replace("\r\n", "\n").replace('\r', "\n"));
    let mut notes = Vec::new();
    let mut blocks = blocks.into_iter();
    while let Some(state) = blocks.next() {
        let line = state.line;
        if state.lines.first().is_none_or(|first| Origin::parse(first).is_none()) {
            return Err(CosignaturesError::Stray { line });
        }
        let broken = CosignaturesError::Broken { line };
        let signatures = blocks.next().ok_or(broken)?;
        let text = format!("{}\n\n{}\n", state.lines.join("\n"), signatures.lines.join("\n"));
        let note = Note::parse(text.as_bytes()).map_err(|_| broken)?;
        Checkpoint::parse_text(note.text()).map_err(|_| broken)?;
        notes.push(note);
    }
    if notes.is_empty() { Err(CosignaturesError::Empty) } else { Ok(notes) }
}

/// Lines without an empty one between them.
struct Block {
    line: usize,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.trim_matches(|c: char| c.is_whitespace() || NO_WIDTH.contains(&c)).replace('\u{a0}', " ");
        if line.is_empty() {
            open = false;
            continue;
        }
        match blocks.last_mut().filter(|_| open) {
            Some(block) => block.take(line),
            None => blocks.push(Block { line: number, lines: vec![dashed(line)] }),
        }
        open = true;
    }
    blocks
}

impl Block {
    /// One more line; below a signature line, what is none itself is the rest of it.
    fn take(&mut self, line: String) {
        let line = dashed(line);
        match self.lines.last_mut().filter(|last| is_signature(last) && !is_signature(&line)) {
            // A line is cut at its space, or within its base64, which has none.
            Some(last) if last.matches(' ').count() < 2 => *last = format!("{last} {line}"),
            Some(last) => last.push_str(&line),
            None => self.lines.push(line),
        }
    }
}

fn is_signature(line: &str) -> bool {
    line.starts_with('\u{2014}')
}

/// A signature line with the dash that it was made with.
fn dashed(line: String) -> String {
    let rest = line.trim_start_matches(DASHES);
    match rest.strip_prefix(' ') {
        Some(name) if rest.len() < line.len() && name.starts_with(KEY_NAMES) => format!("\u{2014} {name}"),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::seed::Seed;
    use crate::format::checkpoint::tests::checkpoint;
    use crate::format::cosignature::{complete, cosign, verify_cosigned};

    fn two() -> Vec<Note> {
        let (ann, ben) = (Seed::from_bytes(&[1; 32]).keys(), Seed::from_bytes(&[2; 32]).keys());
        let notes = [7, 1_234].map(|size| {
            let (signed, cosigned) = (checkpoint(size).sign(&ann), cosign(&checkpoint(size), &ben, 1_700_000_000));
            complete(&signed, &ann.public(), &cosigned, &ben.public())
        });
        for note in &notes {
            assert_eq!(note.lines().len(), 4);
            assert!(Checkpoint::verify(note, &ann.public()).is_ok() && verify_cosigned(note, &ben.public()).is_ok());
        }
        notes.to_vec()
    }

    #[test]
    fn what_is_printed_is_read() {
        let notes = two();
        let text = print(&notes);
        assert_eq!(parse(text.as_bytes()), Ok(notes.clone()));
        assert_eq!(parse(&notes[0].to_bytes()), Ok(notes[..1].to_vec()), "one note is the same text as in a vault");
        assert!(looks_like(text.as_bytes()));
    }

    #[test]
    fn what_mail_and_phones_do_to_it_is_undone() {
        let notes = two();
        let text = print(&notes);
        let cut = |at: usize| {
            let lines = text.split('\n').flat_map(|line| {
                let chars: Vec<char> = line.chars().collect();
                let pieces: Vec<String> = chars.chunks(at).map(|piece| piece.iter().collect()).collect();
                if pieces.is_empty() { vec![String::new()] } else { pieces }
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        let ways = [
            text.replace('\n', "\r\n"),
            text.replace('\n', "\r"),
            text.replace('\n', " \t\n"),
            format!("\u{feff}\n\n{}\n\n\n", text.replace("\n\n", "\n\n\n")),
            text.trim_end().to_string(),
            text.replace('\u{2014}', "-"),
            text.replace('\u{2014}', "--"),
            text.replace('\u{2014}', "\u{2013}"),
            text.replace(' ', "\u{a0}"),
            text.replace('\n', "\n  "),
            text.replace("\u{2014} ", "\u{2014} \n"),
            text.split('\n')
                .map(|line| line.rsplit_once(' ').map_or(line.into(), |(a, b)| format!("{a}\n{b}")))
                .collect::<Vec<String>>()
                .join("\n"),
            cut(200),
            cut(998),
        ];
        for (number, way) in ways.iter().enumerate() {
            assert_eq!(parse(way.as_bytes()), Ok(notes.clone()), "way {number}");
        }
    }

    #[test]
    fn what_is_no_cosignature_is_named_by_its_line() {
        let text = print(&two());
        let refused = |text: &str| parse(text.as_bytes()).expect_err("refused");
        assert_eq!(refused(""), CosignaturesError::Empty);
        assert_eq!(refused("\n\n"), CosignaturesError::Empty);
        assert_eq!(refused(&format!("Dear Ann,\n\n{text}")), CosignaturesError::Stray { line: 1 });
        assert_eq!(refused(&format!("{text}\nRegards\n")), CosignaturesError::Stray { line: 19 });
        let (first, _) = text.split_once("\n\n").expect("two blocks");
        assert_eq!(refused(first), CosignaturesError::Broken { line: 1 });
        assert_eq!(refused(&text.replacen("\n7\n", "\n07\n", 1)), CosignaturesError::Broken { line: 1 });
        assert_eq!(refused(&text.replacen("\n1234\n", "\n1234\nx\n", 1)), CosignaturesError::Broken { line: 10 });
        assert_eq!(parse(&[0xff]), Err(CosignaturesError::NotText));
        assert!(!looks_like(first.as_bytes()));
    }
}
