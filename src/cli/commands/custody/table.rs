//! The story on a screen: one row an event, what it says below it, everything wrapped to the screen's width. Names are
//! never cut: two people must not look like one.

use unicode_width::UnicodeWidthStr;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::wrapped;
use crate::vault::history::History;

/// Where the width is not known.
const WIDTH: usize = 100;
const WIDTH_MIN: usize = 60;
const WIDTH_MAX: usize = 140;
/// `2026-11-20 14:30+02:00`
const TIME_WIDTH: usize = 22;
const PROVEN: &str = "not proven";

/// The columns.
pub(super) struct Table {
    width: usize,
    label: usize,
    name: usize,
}

impl Table {
    /// Columns for this history on a screen of so many; 0 where that is not known.
    pub(super) fn new(history: &History, screen: usize) -> Self {
        let width = if screen == 0 { WIDTH } else { screen.clamp(WIDTH_MIN, WIDTH_MAX) };
        // A handle, a colon, a number; room for `~3f2a` where two records share a handle.
        let labels = history.logs.values().map(|log| log.handle.len() + 1 + log.head.size.to_string().len());
        let shared = history
            .logs
            .values()
            .any(|log| history.logs.values().any(|other| other.id != log.id && other.handle == log.handle));
        let label = labels.max().unwrap_or(0).max("event".len()) + if shared { 5 } else { 0 };
        Self { width, label, name: if width >= WIDTH { 24 } else { 14 } }
    }

    /// The head of the columns.
    pub(super) fn head(&self) -> String {
        self.grid(&["event", "time, as claimed", "time, proven", "who", "what"].map(|word| vec![word.to_string()]))
    }

    /// One entry.
    pub(super) fn row(&self, label: &str, time: &str, name: &str, what: &str, details: &[String]) -> String {
        let rest = self.width.saturating_sub(self.label + TIME_WIDTH + PROVEN_WIDTH + self.name + 8).max(8);
        let mut text = self.grid(&[
            vec![label.to_string()],
            vec![Self::minutes(time)],
            vec![PROVEN.to_string()],
            wrapped(name, self.name),
            wrapped(what, rest),
        ]);
        let indent = self.label + 2;
        for detail in details {
            for (number, line) in wrapped(detail, self.width.saturating_sub(indent + 2)).iter().enumerate() {
                let further = if number == 0 { 0 } else { 2 };
                text.push_str(&format!("\n{:indent$}{:further$}{line}", "", ""));
            }
        }
        text
    }

    /// A titled list behind the table; nothing where it is empty.
    pub(super) fn section(&self, call: &mut Call<'_, '_>, title: &str, lines: &[String]) -> Result<(), CliError> {
        if lines.is_empty() {
            return Ok(());
        }
        call.print(&format!("\n{title}:"))?;
        for line in lines {
            let parts = wrapped(line, self.width.saturating_sub(4));
            let parts: Vec<String> = parts
                .iter()
                .enumerate()
                .map(|(number, part)| format!("{}{part}", if number == 0 { "  " } else { "    " }))
                .collect();
            call.print(&parts.join("\n"))?;
        }
        Ok(())
    }

    /// A claimed time to the minute, its offset kept.
    pub(super) fn minutes(time: &str) -> String {
        match (time.get(..16), time.get(19..)) {
            (Some(minutes), Some(offset)) => format!("{}{offset}", minutes.replace('T', " ")),
            _ => time.into(),
        }
    }

    fn grid(&self, cells: &[Vec<String>; 5]) -> String {
        let widths = [self.label, TIME_WIDTH, PROVEN_WIDTH, self.name, 0];
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let lines = (0..height).map(|line| {
            let mut text = String::new();
            for (cell, width) in cells.iter().zip(widths) {
                let part = cell.get(line).map_or("", String::as_str);
                text.push_str(part);
                text.push_str(&" ".repeat(width.saturating_sub(part.width()) + 2));
            }
            text.trim_end().to_string()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The wider of the head of that column and what stands in it.
const PROVEN_WIDTH: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_offset() {
        assert_eq!(Table::minutes("2031-05-04T23:10:00-03:00"), "2031-05-04 23:10-03:00");
        assert_eq!(Table::minutes("x"), "x");
    }
}
