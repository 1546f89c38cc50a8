//! The person at the terminal of one run.

use std::collections::VecDeque;
use std::io;

use amparo::cli::Ask;
use zeroize::Zeroizing;

/// Answers typed beforehand; when there are no more, the input has ended. `page N` is what stands on the Nth page that
/// was shown privately: its numbered words.
pub(super) struct Typed {
    pub(super) lines: VecDeque<String>,
    pub(super) anybody: bool,
    pub(super) shown: String,
    pub(super) pages: Vec<String>,
}

/// The numbered words of a page.
pub(crate) fn numbered(page: &str) -> String {
    let words: Vec<&str> = page.split_whitespace().collect();
    let numbered = words.windows(2).filter(|pair| pair[0].strip_suffix('.').is_some_and(|n| n.parse::<u8>().is_ok()));
    numbered.map(|pair| pair[1]).collect::<Vec<_>>().join(" ")
}

impl Ask for Typed {
    fn privately(&mut self, page: &str, prompt: &str) -> io::Result<Option<Zeroizing<String>>> {
        assert!(self.anybody, "asked without a terminal: {prompt}");
        self.pages.push(page.to_string());
        self.shown.push_str(prompt);
        self.shown.push('\n');
        let answer = self.lines.pop_front();
        let page = |answer: &str| answer.strip_prefix("page ").and_then(|n| n.parse::<usize>().ok());
        Ok(answer.map(|answer| Zeroizing::new(page(&answer).map_or(answer, |n| numbered(&self.pages[n - 1])))))
    }

    fn line(&mut self, prompt: &str) -> io::Result<Option<String>> {
        assert!(self.anybody, "asked without a terminal: {prompt}");
        self.shown.push_str(prompt);
        self.shown.push('\n');
        Ok(self.lines.pop_front())
    }

    fn passphrase(&mut self, prompt: &str) -> io::Result<Option<Zeroizing<String>>> {
        if !self.anybody {
            return Ok(None);
        }
        self.shown.push_str(prompt);
        self.shown.push('\n');
        Ok(self.lines.pop_front().map(Zeroizing::new))
    }
}
