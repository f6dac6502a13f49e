//! The id of one run of a job, unique across servers.

use crate::moment::WallTime;

/// A version 7 UUID (RFC 9562, section 5.7): it sorts by time, and databases have a type for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunId([u8; 36]);

impl RunId {
    /// From the wall clock's milliseconds and ten random bytes.
    #[must_use]
    pub fn new(now: WallTime, random: [u8; 10]) -> Self {
        // 48 bits: enough for the milliseconds of 8,900 years.
        let milliseconds = u64::try_from(now.0.as_millis()).unwrap_or(u64::MAX) & 0xffff_ffff_ffff;
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = bytes[6] & 0x0f | 0x70; // version 7
        bytes[8] = bytes[8] & 0x3f | 0x80; // variant of RFC 9562
        Self(hyphenated(bytes))
    }

    pub(crate) const fn characters(&self) -> [u8; 36] {
        self.0
    }

    /// The 36 characters.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn hyphenated(bytes: [u8; 16]) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn has_the_form_of_the_rfcs_example() {
        // RFC 9562, appendix A.6: 2022-02-22 19:22:22 UTC.
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        let id = RunId::new(WallTime(Duration::from_millis(0x017f_22e2_79b0)), random);
        assert_eq!(id.as_bytes(), b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn sorts_by_time() {
        let at = |milliseconds| RunId::new(WallTime(Duration::from_millis(milliseconds)), [0xff; 10]);
        assert!(at(999).as_bytes() < at(1000).as_bytes());
    }
}
