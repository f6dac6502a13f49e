//! Versions for stores that have none of their own.

use crate::Error;
use rustls::crypto::ring;

/// Draws a version: 63 random bits, never 0, so that it fits a signed integer. Two of a million writes of one key get the
/// same version with a probability of one in 18 million; two consecutive writes, which is where it would matter, of one in
/// 2^63.
///
/// A counter would have to be kept somewhere, and be lost with it: a table restored from a dump would use its numbers again.
pub(crate) fn random_version() -> Result<u64, Error> {
    let mut bytes = [0; 8];
    let drawn = ring::default_provider().secure_random.fill(&mut bytes);
    drawn.map_err(|error| Error::Local {
        act: "draw a random number",
        cause: format!("{error:?}"),
    })?;
    Ok((u64::from_ne_bytes(bytes) >> 1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_fit_a_signed_number_and_differ() {
        let mut drawn: Vec<_> = (0..1000).map(|_| random_version().expect("drawn")).collect();
        assert!(
            drawn
                .iter()
                .all(|version| i64::try_from(*version).is_ok_and(|version| version > 0))
        );
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 1000);
    }
}
