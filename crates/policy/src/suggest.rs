//! "Did you mean": the known word nearest to a misspelt one.

use alloc::vec::Vec;

/// The candidate nearest to `word`, if at most a third of its letters differ.
#[must_use]
pub fn nearest<'a>(word: &[u8], candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let word = word.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.as_bytes().to_ascii_lowercase()), candidate))
        .filter(|(far, candidate)| *far <= candidate.len().div_ceil(3).min(4))
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be inserted, deleted, replaced or swapped with their neighbour (Damerau 1964, "optimal string alignment").
fn distance(from: &[u8], to: &[u8]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut this = Vec::with_capacity(to.len() + 1);
        this.push(row + 1);
        for (column, wanted) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != wanted);
            let mut best = replaced.min(last[column + 1] + 1).min(this[column] + 1);
            let swapped = row > 0 && column > 0 && from[row - 1] == *wanted && *letter == to[column - 1];
            if swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            this.push(best);
        }
        before_last = core::mem::replace(&mut last, this);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["nice_level", "state_file", "syslog_level", "journal"];

    #[test]
    fn finds_the_word_that_was_meant() {
        for (typed, meant) in [
            ("nice_lvel", Some("nice_level")),
            ("NICE_LEVEL", Some("nice_level")),
            ("nicelevel", Some("nice_level")),
            ("state-file", Some("state_file")),
            ("statefile:", Some("state_file")),
            ("jounral", Some("journal")),
            ("syslog_facilty", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed.as_bytes(), KEYS), meant, "{typed}");
        }
    }

    #[test]
    fn counts_edits() {
        for (from, to, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from.as_bytes(), to.as_bytes()), edits, "{from} {to}");
        }
    }

    #[test]
    fn a_very_long_word_costs_nothing() {
        assert_eq!(nearest(&[b'a'; 100_000], KEYS), None);
    }
}
