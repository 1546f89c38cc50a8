//! Inputs made to exhaust, trap or trick whoever reads them, by the hundred (row 9 of the list of risks). Each goes to the real
//! program under limits of memory and time ([`judge`]); what it says is exactly what it must say, nothing commands the terminal,
//! and nothing is written outside of where the command may write, which is read off its system calls. [`plants`] shows that all
//! of this would be seen.

mod judge;
mod lengths;
mod names;
mod places;
mod plants;
mod texts;
