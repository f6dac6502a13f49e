//! Durations as people write them in a configuration file: `10s`, `2m`, `1h`.

use crate::display::clipped;
use alloc::format;
use alloc::string::String;
use core::time::Duration;

/// Ten years: longer than any useful value, and short enough that sums never overflow.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// Why a text is not a valid duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadDuration {
    /// A bare number.
    NoUnit,
    /// Not a whole number with a unit.
    NotADuration,
    /// Longer than ten years.
    TooLong,
}

impl BadDuration {
    /// A message about `text`, and what to do.
    #[must_use]
    pub fn explain(self, text: &[u8]) -> (String, String) {
        let text = clipped(text);
        match self {
            Self::NoUnit => (format!("`{text}` has no unit"), format!("did you mean `{text}s`?")),
            Self::NotADuration => (
                format!("`{text}` is not a duration"),
                "write a whole number and a unit: 500ms, 10s, 2m, 1h, 1d".into(),
            ),
            Self::TooLong => (
                format!("`{text}` is too long"),
                "the longest duration is ten years".into(),
            ),
        }
    }
}

/// Parses a whole number followed directly by `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// [`BadDuration`].
pub fn parse(text: &[u8]) -> Result<Duration, BadDuration> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(BadDuration::NotADuration);
    }
    let milliseconds_each = match unit {
        b"ms" => 1,
        b"s" => 1_000,
        b"m" => 60_000,
        b"h" => 3_600_000,
        b"d" => 86_400_000,
        b"" => return Err(BadDuration::NoUnit),
        _ => return Err(BadDuration::NotADuration),
    };
    number
        .iter()
        .try_fold(0u64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
        .and_then(|count| count.checked_mul(milliseconds_each))
        .map(Duration::from_millis)
        .filter(|duration| *duration <= LONGEST)
        .ok_or(BadDuration::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        for (text, milliseconds) in [
            ("0s", 0),
            ("250ms", 250),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("3d", 259_200_000),
            ("007s", 7_000),
        ] {
            assert_eq!(
                parse(text.as_bytes()),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_other_texts() {
        use BadDuration::{NoUnit, NotADuration, TooLong};
        for (text, wrong) in [
            ("", NotADuration),
            ("s", NotADuration),
            ("10", NoUnit),
            ("10 s", NotADuration),
            ("10S", NotADuration),
            ("-1s", NotADuration),
            ("1.5s", NotADuration),
            ("10sec", NotADuration),
            ("4000d", TooLong),
            ("99999999999999999999999s", TooLong),
            ("18446744073709551615h", TooLong),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(wrong), "{text}");
        }
    }
}
