//! Words that look like one that was mistyped or misread.

/// Most words that are proposed.
const NEAR_MAX: usize = 4;
/// Words at a greater distance are no proposal.
const DISTANCE_MAX: usize = 2;

/// Words of a list like this one, the nearest first.
pub(super) fn words_like(word: &str, list: &[&'static str]) -> Vec<&'static str> {
    // What nobody could have meant as a word of at most eight letters is not compared.
    if word.chars().count() > 16 {
        return Vec::new();
    }
    let mut near: Vec<(usize, &'static str)> = list.iter().map(|other| (distance(word, other), *other)).collect();
    near.retain(|(distance, _)| *distance <= DISTANCE_MAX);
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().map(|(_, word)| word).take(NEAR_MAX).collect()
}

/// How many letters must be put in, left out, changed, or swapped with the next (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i.saturating_add(1)];
        for (j, b) in other.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX);
            let changed = cell(&last, j).saturating_add(usize::from(a != b));
            let (above, beside) = (cell(&last, j.saturating_add(1)), cell(&row, j));
            let mut least = changed.min(above.saturating_add(1)).min(beside.saturating_add(1));
            let previous = |letters: &[char], at: usize| at.checked_sub(1).and_then(|at| letters.get(at).copied());
            if previous(&one, i) == Some(*b) && previous(&other, j) == Some(*a) {
                least = least.min(cell(&before, j.saturating_sub(1)).saturating_add(1));
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_swapped_letters_are_one_slip() {
        let list = ["winner", "winter", "window", "zoo"];
        assert_eq!(words_like("winer", &list), ["winner", "winter"]);
        assert_eq!(words_like("iwnter", &list), ["winter", "winner"]);
        assert_eq!(words_like("elephant", &list), Vec::<&str>::new());
        assert_eq!((distance("ab", "ba"), distance("", "abc"), distance("abc", "abc")), (1, 3, 0));
    }
}
