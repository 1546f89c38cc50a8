//! What a file says of itself, in the forms that a record has: text without controls, times as far as they are told,
//! decimal degrees. What cannot be so is left out; of two claims to one thing the first stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// The most characters of an embedded value; what is longer is cut.
pub const EMBEDDED_CHARS_MAX: usize = 256;

/// Years in which a file can say that it was made. Before lie clocks that were never set (1904, 1601).
const YEARS: std::ops::Range<i16> = 1970..2200;

/// What was found so far.
#[derive(Default)]
pub(super) struct Claims {
    found: BTreeMap<&'static str, String>,
}

impl Claims {
    pub(super) fn say(&mut self, path: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.found.entry(path).or_insert(value);
        }
    }

    /// A position, both halves or none, and perhaps a height.
    pub(super) fn place(&mut self, latitude: f64, longitude: f64, altitude: Option<f64>) {
        let known = |path: &str| self.found.contains_key(path);
        if known("embedded/latitude") || known("embedded/longitude") {
            return;
        }
        let (Some(latitude), Some(longitude)) = (degrees(latitude, 90.0), degrees(longitude, 180.0)) else { return };
        self.say("embedded/latitude", Some(latitude));
        self.say("embedded/longitude", Some(longitude));
        self.say("embedded/altitude", altitude.and_then(metres));
    }

    pub(super) fn into_fields(self) -> Vec<(&'static str, String)> {
        self.found.into_iter().collect()
    }
}

/// Text without controls, spaces around it, or more than 256 characters.
pub(super) fn clean(text: &str) -> Option<String> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut: String = text.trim().chars().take(EMBEDDED_CHARS_MAX).collect();
    Some(cut.trim_end().to_owned()).filter(|text| !text.is_empty())
}

/// Text that ends at its first zero byte.
pub(super) fn until_zero(bytes: &[u8]) -> Option<String> {
    clean(&String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next()?))
}

/// Maker and model, the maker once.
pub(super) fn device(make: Option<String>, model: Option<String>) -> Option<String> {
    match (make, model) {
        (Some(make), Some(model)) if !model.to_lowercase().starts_with(&make.to_lowercase()) => {
            clean(&format!("{make} {model}"))
        }
        (make, model) => model.or(make),
    }
}

/// A time as far as it is told: `2026`, `2026-11`, `2026-11-20`, `2026-11-20T14:30:05`, the last also with `Z` or an
/// offset. Writers part the numbers by all kinds of marks, and leave the colon out of an offset.
pub(super) fn moment(text: &str) -> Option<String> {
    const DATE_CHARS: usize = 10;
    const CLOCK_CHARS: usize = 8;
    let text = text.trim();
    let (date, clock) = text.split_at_checked(DATE_CHARS).unwrap_or((text, ""));
    let date = date.replace([':', '_', '.', '/', ' '], "-");
    let whole = match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        _ => date.clone(),
    };
    let parsed: Date = whole.parse().ok()?;
    if !YEARS.contains(&parsed.year()) || parsed.strftime("%Y-%m-%d").to_string() != whole {
        return None;
    }
    let Some((clock, after)) = clock.get(1..).and_then(|clock| clock.split_at_checked(CLOCK_CHARS)) else {
        return Some(date).filter(|_| clock.trim().is_empty());
    };
    let clock = clock.replace(['_', '.', '-', ' '], ":");
    let local: DateTime = format!("{date}T{clock}").parse().ok()?;
    let local = local.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let after = after.trim_start_matches(|c: char| c == '.' || c == ',' || c.is_ascii_digit()).trim();
    let offset = match after.len() {
        5 => after.split_at_checked(3).map(|(hours, minutes)| format!("{hours}:{minutes}"))?,
        3 => format!("{after}:00"),
        _ => after.to_owned(),
    };
    let with_offset = format!("{local}{offset}");
    let holds = matches!(offset.len(), 1 | 6) && with_offset.parse::<Timestamp>().is_ok();
    Some(if holds { with_offset } else { local })
}

/// A time in seconds since 1904, as boxes of films have it; 0 stands for a clock that was never set.
pub(super) fn since_1904(seconds: u64) -> Option<String> {
    const BETWEEN_1904_AND_1970: i64 = 2_082_844_800;
    let seconds = i64::try_from(seconds).ok()?.checked_sub(BETWEEN_1904_AND_1970)?;
    moment(&Timestamp::from_second(seconds).ok()?.to_string())
}

/// Latitude, longitude and perhaps altitude from ISO 6709 as phones write it: `+33.5050+036.2933+0691.400/`.
pub(super) fn iso_6709(text: &str) -> Option<(f64, f64, Option<f64>)> {
    let mut numbers: Vec<String> = Vec::new();
    for c in text.trim().chars() {
        match c {
            '+' | '-' if numbers.len() < 3 => numbers.push(c.to_string()),
            '0'..='9' | '.' => numbers.last_mut()?.push(c),
            _ => break,
        }
    }
    let mut numbers = numbers.into_iter();
    let latitude = angle(&numbers.next()?, 2)?;
    let longitude = angle(&numbers.next()?, 3)?;
    Some((latitude, longitude, numbers.next().and_then(|number| number.parse().ok())))
}

/// `±DD.D`, `±DDMM.M` or `±DDMMSS.S`; of degrees there are `digits`.
fn angle(number: &str, digits: usize) -> Option<f64> {
    let (sign, number) = number.split_at_checked(1)?;
    let whole = number.split('.').next()?.len();
    let (degrees, rest) = number.split_at_checked(digits)?;
    let parse = |text: &str| text.parse::<f64>().ok();
    let value = match whole.checked_sub(digits)? {
        0 => parse(number)?,
        2 => parse(degrees)? + parse(rest)? / 60.0,
        4 => {
            let (minutes, seconds) = rest.split_at_checked(2)?;
            parse(degrees)? + parse(minutes)? / 60.0 + parse(seconds)? / 3600.0
        }
        _ => return None,
    };
    Some(if sign == "-" { -value } else { value })
}

/// Decimal degrees with five digits (about a metre), south and west negative.
pub(super) fn degrees(value: f64, limit: f64) -> Option<String> {
    (value.abs() <= limit).then(|| format!("{value:.5}"))
}

/// Metres above the sea, below it negative.
pub(super) fn metres(value: f64) -> Option<String> {
    (value.abs() < 100_000.0).then(|| format!("{value:.1}"))
}
