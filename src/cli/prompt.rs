//! Questions to the person at the terminal. `--no-input`, or no terminal, means that nobody is asked: an answer that is
//! needed then fails naming the flag that would have given it.

use zeroize::Zeroizing;

use super::call::{Call, is_dash};
use super::error::CliError;

/// A terminal that answers nothing but nonsense is not asked for ever.
const TRIES: usize = 3;
/// Nobody types a longer one.
const PASSPHRASE_BYTES_MAX: usize = 4096;

impl Call<'_, '_> {
    /// Whether somebody can be asked.
    pub(crate) fn interactive(&self) -> bool {
        let terminal = self.context.terminal;
        !self.global.no_input && !self.global.json && terminal.input && terminal.errors && !self.stdin_claimed()
    }

    /// An optional line: empty is no answer.
    pub(crate) fn ask_line(&mut self, question: &str) -> Result<Option<String>, CliError> {
        let line = self.context.ask.line(&format!("{question} ")).map_err(|source| CliError::Terminal { source })?;
        match line {
            Some(line) => Ok(Some(line.trim().to_string()).filter(|line| !line.is_empty())),
            None => Err(CliError::Stopped),
        }
    }

    /// A line that must be there, or the flag that gives it.
    pub(crate) fn need_line(
        &mut self,
        question: &str,
        what: &'static str,
        flag: &'static str,
    ) -> Result<String, CliError> {
        if !self.interactive() {
            return Err(CliError::Needs { what, flag });
        }
        for _ in 0..TRIES {
            if let Some(line) = self.ask_line(question)? {
                return Ok(line);
            }
        }
        Err(CliError::Needs { what, flag })
    }

    /// A passphrase for something that exists.
    pub(crate) fn need_passphrase(&mut self, prompt: &str) -> Result<Zeroizing<String>, CliError> {
        if let Some(passphrase) = self.passphrase_from_file()? {
            return Ok(passphrase);
        }
        let needs = CliError::Needs { what: "the passphrase of the identity", flag: "--passphrase-file FILE" };
        if self.global.no_input {
            return Err(needs);
        }
        self.context.ask.passphrase(prompt).map_err(|source| CliError::Terminal { source })?.ok_or(needs)
    }

    /// A passphrase for something new, typed twice; `None` when the answer is empty.
    pub(crate) fn new_passphrase(&mut self, prompt: &str) -> Result<Option<Zeroizing<String>>, CliError> {
        if let Some(passphrase) = self.passphrase_from_file()? {
            return if passphrase.is_empty() { Err(CliError::EmptyPassphrase) } else { Ok(Some(passphrase)) };
        }
        let needs = || CliError::Needs { what: "a passphrase for the identity", flag: "--passphrase-file FILE" };
        if self.global.no_input {
            return Err(needs());
        }
        for _ in 0..TRIES {
            let mut ask = |prompt: &str| {
                self.context.ask.passphrase(prompt).map_err(|source| CliError::Terminal { source })?.ok_or_else(needs)
            };
            let first = ask(prompt)?;
            if first.is_empty() {
                return Ok(None);
            }
            if *first == *ask("The same again: ")? {
                return Ok(Some(first));
            }
            self.talk("These are two different passphrases.");
        }
        Err(CliError::PassphrasesDiffer)
    }

    /// The first line of the file that `--passphrase-file` names.
    fn passphrase_from_file(&mut self) -> Result<Option<Zeroizing<String>>, CliError> {
        let Some(file) = self.passphrase_file() else { return Ok(None) };
        let bytes = if is_dash(&file) { self.first_line()? } else { Zeroizing::new(self.read_file(&file, 64 << 10)?) };
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match std::str::from_utf8(line) {
            Ok(line) => Ok(Some(Zeroizing::new(line.to_string()))),
            Err(_) => Err(CliError::NotText { what: "the passphrase file" }),
        }
    }

    /// The first line of standard input and nothing behind it: whoever types it need not end the input.
    fn first_line(&mut self) -> Result<Zeroizing<Vec<u8>>, CliError> {
        let mut line = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES_MAX));
        let mut byte = [0];
        while line.len() < PASSPHRASE_BYTES_MAX {
            let count = self.context.stdin.read(&mut byte).map_err(|source| CliError::Input { source })?;
            if count == 0 || byte == *b"\n" {
                break;
            }
            line.push(byte[0]);
        }
        Ok(line)
    }
}
