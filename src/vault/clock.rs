//! Whether this device's clock is plainly wrong. Its time is a claim and is signed as it is; but a person who is told at once
//! can set the clock, and a court need not ask years later why a record begins in 1970.

use std::fmt;

use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use super::Clock;
use super::history::History;

/// When this version was made, to the year; set with each release. No honest clock is before it.
const RELEASED: &str = "2026-01-01T00:00:00Z";
/// A clock that is further ahead of the release, by twenty years, is not believed: nobody seals with so old a program.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(20 * 365 * 24);
/// Clocks of honest devices differ by minutes.
const TOLERANCE: SignedDuration = SignedDuration::from_hours(1);

/// What is plainly wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockDoubt {
    /// It is before this version of the program was made.
    BeforeRelease {
        /// What the clock says.
        now: String,
    },
    /// It is decades ahead.
    FarAhead {
        /// What the clock says.
        now: String,
    },
    /// It is before what the vault holds already.
    BehindVault {
        /// What the clock says.
        now: String,
        /// What the latest entry claims.
        latest: String,
        /// Whose that is.
        whose: String,
    },
}

impl fmt::Display for ClockDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeRelease { now } => {
                write!(f, "the clock of this device says {now}, and this program was made later: the clock is wrong")
            }
            Self::FarAhead { now } => {
                write!(f, "the clock of this device says {now}, decades after this program was made: it seems wrong")
            }
            Self::BehindVault { now, latest, whose } => write!(
                f,
                "the clock of this device says {now}, and an entry of {whose} in this vault is from {latest}: one of the two clocks is wrong"
            ),
        }?;
        f.write_str("; entries bear the time of the device, so set its clock before you go on")
    }
}

/// The latest time that a vault holds, as somebody's clock claimed it.
pub(super) struct Latest {
    time: Timestamp,
    whose: String,
}

impl Latest {
    /// That of all entries that count, but for those that are decades ahead: nobody is measured by them.
    pub(super) fn of(history: &History) -> Option<Self> {
        let claimed = history.counted().filter_map(|(place, told)| Some((told.entry.time.parse().ok()?, place.log)));
        let (time, log) = claimed.filter(|(time, _): &(Timestamp, _)| !is_far(*time)).max()?;
        let whose = history.logs.get(&log).map(|log| history.name_of(log.member)).unwrap_or_default();
        Some(Self { time, whose })
    }
}

/// What is plainly wrong with the clock, as far as a program and a vault can tell.
pub(super) fn doubt(clock: &dyn Clock, latest: Option<&Latest>) -> Option<ClockDoubt> {
    let now = clock.now();
    let shown = |time: &ZonedDateTime| time.strftime("%Y-%m-%d %H:%M").to_string();
    if now.timestamp() < released() {
        return Some(ClockDoubt::BeforeRelease { now: shown(&now) });
    }
    if let Some(Latest { time, whose }) =
        latest.filter(|latest| latest.time.duration_since(now.timestamp()) > TOLERANCE)
    {
        let latest = shown(&time.to_zoned_datetime(now.time_zone().clone()));
        return Some(ClockDoubt::BehindVault { now: shown(&now), latest, whose: whose.clone() });
    }
    is_far(now.timestamp()).then(|| ClockDoubt::FarAhead { now: shown(&now) })
}

fn released() -> Timestamp {
    RELEASED.parse().expect("a moment")
}

fn is_far(time: Timestamp) -> bool {
    time.duration_since(released()) > AHEAD_MAX
}
