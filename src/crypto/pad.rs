//! Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PETS 2019, section 4.3): rounds a length
//! up so that at most O(log log) bits of it leak, at a cost of at most 12 %, less as it grows.

/// The smallest Padmé length that holds `length` bytes.
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept_bits = exponent.ilog2() + 1;
    let mask = (1_u64 << exponent.saturating_sub(kept_bits)) - 1;
    length.saturating_add(mask) & !mask
}

/// The length that `length` bytes are padded to where nothing shorter than `floor` may be seen.
pub fn padded_length(length: u64, floor: u64) -> u64 {
    padme(length.max(floor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_the_paper_and_the_bound() {
        assert_eq!(padme(9), 10);
        assert_eq!(padme(1 << 14), 1 << 14);
        assert_eq!(padme((1 << 14) + 1), (1 << 14) + 1024);
        for length in (1..200_000).chain((1..2000).map(|n| n * 7_654_321)) {
            let padded = padme(length);
            assert!(padded >= length && padded <= length + length * 12 / 100, "{length} became {padded}");
            assert_eq!(padme(padded), padded);
        }
    }

    #[test]
    fn above_the_floor_lengths_are_whole_kibibytes() {
        assert!((1..5000).all(|n| padded_length(n * 97_531, 16_384).is_multiple_of(1024)));
    }
}
