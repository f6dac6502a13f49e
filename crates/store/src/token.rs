//! Versions for stores that have none of their own.

use crate::Failure;
use rustls::crypto::ring;

/// A number that is drawn once and never again: 63 random bits, and never 0. That two of a million writes of one key draw the same has a
/// chance of one in 18 million; that they do so where it matters, one after the other, one in 2^63.
///
/// Counters would have to be kept somewhere, and be lost with it: a table restored from a dump would use them again.
pub(crate) fn draw() -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| Failure::new("", "the system gives no random numbers"))?;
    Ok((u64::from_ne_bytes(bytes) >> 1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_fit_a_signed_number_and_differ() {
        let mut drawn: Vec<_> = (0..1000).map(|_| draw().expect("drawn")).collect();
        assert!(
            drawn
                .iter()
                .all(|token| i64::try_from(*token).is_ok_and(|token| token > 0))
        );
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 1000);
    }
}
