//! Hashes that have the same value in every version and on every architecture: servers compare them.

/// FNV-1a with 64 bits, by Fowler, Noll and Vo (RFC 9923). It is not cryptographic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) const fn value(self) -> u64 {
        self.0
    }
}

/// 16 bits of the hash of a command: enough to notice that two servers have different commands, too few to find out a password in one.
///
/// They are the four 16-bit parts of FNV-1a, combined by exclusive or.
#[must_use]
pub fn of_command(command: &[u8]) -> u16 {
    let mut hash = Fnv::new();
    hash.add(command);
    let bytes = hash.value().to_be_bytes();
    let parts = bytes.chunks_exact(2).map(|part| u16::from_be_bytes([part[0], part[1]]));
    parts.fold(0, |sum, part| sum ^ part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_stay_as_they_are() {
        // From the test vectors of the algorithm.
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8_u64),
        ] {
            let mut hash = Fnv::new();
            hash.add(text.as_bytes());
            assert_eq!(hash.value(), expected, "{text}");
        }
        for (command, expected) in [
            ("", 0xcbf2 ^ 0x9ce4 ^ 0x8422 ^ 0x2325),
            ("foobar", 0x8594 ^ 0x4171 ^ 0xf739 ^ 0x67e8),
        ] {
            assert_eq!(of_command(command.as_bytes()), expected, "{command}");
        }
    }
}
