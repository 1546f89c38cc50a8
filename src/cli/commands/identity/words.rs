//! Words that a person types from paper, sheet by sheet, on a page that no scrollback keeps; or the same from a file.

use zeroize::Zeroizing;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::crypto::seed::Seed;
use crate::crypto::shares::{Share, SharesError, combine};
use crate::format::words::{Sheet, WordsError, Written, typed};

/// So many sheets are refused before it is given up.
const TRIES: usize = 3;
/// A sheet is typed in so many lines at most.
const LINES_MAX: usize = 200;
/// Words in a row of a page.
const COLUMNS: usize = 4;
/// A page is a few kilobytes.
const PAGE_BYTES: usize = 8192;

/// Words as a person copies them: numbered, a few in a row.
pub(super) fn page(title: &str, words: &[&str], below: &str) -> Zeroizing<String> {
    // One buffer of the final size: growing would leave copies of the words behind.
    let mut page = Zeroizing::new(String::with_capacity(PAGE_BYTES));
    page.push_str(title);
    page.push_str("\n\n");
    for (row, words) in words.chunks(COLUMNS).enumerate() {
        for (place, word) in (row * COLUMNS + 1..).zip(words) {
            page.push_str(&format!("  {place:>2}. "));
            page.push_str(word);
            page.extend(std::iter::repeat_n(' ', 10_usize.saturating_sub(word.len())));
        }
        page.push('\n');
    }
    page.push('\n');
    page.push_str(below);
    page
}

/// Sheets as they come: a seed is enough; shares until they are.
#[derive(Default)]
pub(super) struct Gathered {
    shares: Vec<Share>,
}

impl Gathered {
    /// Takes a sheet; the seed, once it is known.
    pub(super) fn add(&mut self, sheet: Written) -> Result<Option<Seed>, SharesError> {
        let share = match sheet {
            Written::Seed(seed) => return Ok(Some(seed)),
            Written::Share(share) => share,
        };
        if self.shares.iter().any(|other| other.set() != share.set() || other.needed() != share.needed()) {
            return Err(SharesError::OtherSet);
        }
        if self.shares.iter().any(|other| other.index() == share.index()) {
            return Err(SharesError::Twice { index: share.index() });
        }
        self.shares.push(share);
        match combine(&self.shares.iter().collect::<Vec<_>>()) {
            Ok(secret) => Ok(Some(Seed::from_bytes(&secret))),
            Err(SharesError::TooFew { .. }) => Ok(None),
            Err(error) => {
                self.shares.clear();
                Err(error)
            }
        }
    }

    fn title(&self, purpose: &str) -> String {
        match self.shares.first() {
            None => format!("{purpose}\n\nType the 24 words, or those of one share, in as many lines as you like."),
            Some(first) => {
                let (here, needed) = (self.shares.len(), first.needed());
                format!("{purpose}\n\n{here} of {needed} shares taken. Type the words of another share.")
            }
        }
    }
}

/// Asks for words until they give a seed.
pub(super) fn hear(purpose: &str, call: &mut Call<'_, '_>) -> Result<Seed, CliError> {
    let (mut gathered, mut refused, mut note) = (Gathered::default(), 0, String::new());
    loop {
        let error = match hear_sheet(&gathered.title(purpose), std::mem::take(&mut note), call)? {
            Ok(sheet) => match gathered.add(sheet) {
                Ok(Some(seed)) => return Ok(seed),
                Ok(None) => continue,
                Err(error) => CliError::Shares(error),
            },
            Err(error) => CliError::Words(error),
        };
        refused += 1;
        if refused == TRIES {
            return Err(error);
        }
        note = format!("NOT TAKEN: {error}.\n");
    }
}

/// One sheet, word by word; what is wrong with a word is told at once and the words before it stay.
fn hear_sheet(title: &str, mut note: String, call: &mut Call<'_, '_>) -> Result<Result<Written, WordsError>, CliError> {
    let mut sheet = Sheet::default();
    for _ in 0..LINES_MAX {
        note.push_str("A line with nothing but - takes the last word back.\n\n");
        let page = page(title, &sheet.words(), &note);
        note.clear();
        let prompt = format!("Word {} and on: ", sheet.len() + 1);
        let line = call.context.ask.privately(&page, &prompt).map_err(|source| CliError::Terminal { source })?;
        let line = line.ok_or(CliError::Stopped)?;
        if line.trim() == "-" {
            sheet.take_back();
            continue;
        }
        for word in typed(&line) {
            if sheet.is_full() {
                return Ok(Err(WordsError::TooMany));
            }
            if let Err(error) = sheet.push(&word) {
                note = format!("NOT TAKEN: {error}. Go on from word {}.\n", sheet.len() + 1);
                break;
            }
        }
        if sheet.is_full() {
            return Ok(sheet.finish());
        }
    }
    Err(CliError::Stopped)
}

/// The seed that a text of words gives: 24 words, or the shares one after the other.
pub(super) fn read(text: &str) -> Result<Seed, CliError> {
    let (mut gathered, mut sheet, mut seed) = (Gathered::default(), Sheet::default(), None);
    for word in typed(text) {
        if seed.is_some() && sheet.is_empty() && gathered.shares.is_empty() {
            return Err(CliError::Words(WordsError::TooMany));
        }
        sheet.push(&word).map_err(CliError::Words)?;
        if sheet.is_full() {
            let written = std::mem::take(&mut sheet).finish().map_err(CliError::Words)?;
            seed = gathered.add(written).map_err(CliError::Shares)?;
        }
    }
    if !sheet.is_empty() || (seed.is_none() && gathered.shares.is_empty()) {
        sheet.finish().map_err(CliError::Words)?;
    }
    let needed = gathered.shares.first().map_or(2, Share::needed);
    seed.ok_or(CliError::Shares(SharesError::TooFew { given: gathered.shares.len(), needed }))
}
