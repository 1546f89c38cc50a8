//! How many files of a pouch may be absent when it arrives: known from lengths alone.

use super::volumes::{self, PAGES_BYTES};
use crate::format::parity::{Grid, Layout};

/// What may stay away of a pouch that was cut into volumes, those of its parity among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent {
    /// All files.
    pub files: u64,
    /// So many of them may be missing, whichever they are, when the others arrive whole.
    pub may_be_missing: u64,
    /// Where none may: the least share, in percent, with which one could be, if any does.
    pub share_for_one: Option<u16>,
}

impl Absent {
    /// Of a pouch of so many bytes, with a share of parity, in volumes of at most so many.
    pub(super) fn of(bytes: u64, share: Option<u16>, volume_bytes: u64) -> Self {
        let data = data_losses(bytes, share, volume_bytes);
        let cut = share.and_then(|share| Cut::of(bytes, share, volume_bytes));
        let files = data.len() + cut.as_ref().map_or(0, |cut| cut.parity.len());
        let may_be_missing = cut.map_or(0, |cut| cut.may_be_missing());
        let suffices = |share: &u16| Cut::of(bytes, *share, volume_bytes).is_some_and(|cut| cut.may_be_missing() > 0);
        let share_for_one = if may_be_missing == 0 { (1..=100).find(suffices) } else { None };
        Self { files: files as u64, may_be_missing: may_be_missing as u64, share_for_one }
    }
}

/// What a row loses with each file, the most first.
struct Cut {
    layout: Layout,
    data: Vec<u64>,
    parity: Vec<u64>,
}

impl Cut {
    fn of(bytes: u64, share: u16, volume_bytes: u64) -> Option<Self> {
        let layout = Layout::of(Grid::of(bytes)?, share)?;
        let slots = volume_bytes.checked_div(layout.packet_bytes())?;
        let parity = losses(layout.packets(), slots, layout.grid.rows);
        Some(Self { layout, data: data_losses(bytes, Some(share), volume_bytes), parity })
    }

    /// As many files as may be missing, whichever they are.
    fn may_be_missing(&self) -> usize {
        let all = self.data.len() + self.parity.len();
        (1..=all).take_while(|missing| self.comes_back_without(*missing)).count()
    }

    /// Whether all comes back without any so many files: of each row there are as many packets as cells of it are lost, and
    /// as many as give back its checksums (FORMAT § 6.10).
    fn comes_back_without(&self, missing: usize) -> bool {
        let Layout { recovery, pieces, .. } = self.layout;
        let most = |of: &[u64], count: usize| of.iter().take(count).sum::<u64>();
        // Whatever parity is lost, where nothing of the pouch is, nothing need come back.
        let mut ways = (1..=missing.min(self.data.len())).filter(|data| missing - data <= self.parity.len());
        ways.all(|data| {
            let left = recovery.saturating_sub(most(&self.parity, missing - data));
            left >= most(&self.data, data).max(pieces)
        })
    }
}

fn data_losses(bytes: u64, share: Option<u16>, volume_bytes: u64) -> Vec<u64> {
    let data_bytes =
        volumes::data_bytes(volume_bytes, bytes).unwrap_or(volume_bytes.saturating_sub(PAGES_BYTES).max(1));
    match share.and(Grid::of(bytes)) {
        Some(grid) => losses(grid.cells(), data_bytes.div_ceil(grid.cell_bytes), grid.rows),
        None => losses(bytes, data_bytes, 1),
    }
}

/// What a row loses at most with each file of `each` adjacent ones of `all`, which stand in so many rows in turn.
fn losses(all: u64, each: u64, rows: u64) -> Vec<u64> {
    let each = each.clamp(1, all.max(1));
    let (full, last) = (all / each, all % each);
    let full = (0..full).map(|_| each.div_ceil(rows));
    full.chain((last > 0).then(|| last.div_ceil(rows))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row by itself, with each file of the layout: what is said holds whichever files are missing.
    #[test]
    fn no_row_loses_more_than_comes_back() {
        for (bytes, share, volume_bytes) in
            [(4 << 20, 30, 1 << 20), (20 << 20, 50, 3 << 20), (70 << 20, 100, 9 << 20), (5 << 30, 70, 2 << 30)]
        {
            let cut = Cut::of(bytes, share, volume_bytes).expect("a layout");
            let Layout { grid, recovery, pieces, .. } = cut.layout;
            let absent = Absent::of(bytes, Some(share), volume_bytes);
            assert_eq!(absent.files, (cut.data.len() + cut.parity.len()) as u64);
            assert!(absent.may_be_missing > 0, "{bytes} {share} {volume_bytes}: {absent:?}");
            let data_cells = volumes::data_bytes(volume_bytes, bytes).expect("a length") / grid.cell_bytes;
            let slots = volume_bytes / cut.layout.packet_bytes();
            for row in 0..grid.rows {
                let (mut data, mut parity) = (vec![0; cut.data.len()], vec![0; cut.parity.len()]);
                for strip in 0..grid.strips {
                    if let Some(lost) = data.get_mut(usize::try_from(grid.cell(row, strip) / data_cells).expect("few"))
                    {
                        *lost += 1;
                    }
                }
                for index in 0..recovery {
                    parity[usize::try_from(cut.layout.slot(row, index) / slots).expect("few")] += 1;
                }
                for lost in [&mut data, &mut parity] {
                    lost.sort_unstable_by_key(|lost: &u64| std::cmp::Reverse(*lost));
                }
                let missing = usize::try_from(absent.may_be_missing).expect("few");
                for of_data in 1..=missing.min(data.len()) {
                    let left = recovery - parity.iter().take(missing - of_data).sum::<u64>();
                    assert!(left >= pieces && left >= data.iter().take(of_data).sum(), "row {row} of {bytes}");
                }
            }
        }
    }

    #[test]
    fn where_none_may_be_missing_it_is_said_what_would_do() {
        let absent = |share| Absent::of(5 << 30, share, 2 << 30);
        let none = absent(None);
        assert_eq!((none.files, none.may_be_missing), (3, 0));
        assert_eq!((absent(Some(10)).may_be_missing, absent(Some(10)).share_for_one), (0, none.share_for_one));
        let least = none.share_for_one.expect("a share");
        assert_eq!((absent(Some(least - 1)).may_be_missing, absent(Some(least)).may_be_missing), (0, 1));
        assert_eq!(absent(Some(least)).share_for_one, None);
    }
}
