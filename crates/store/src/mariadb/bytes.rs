//! The numbers and strings of the protocol, read from a packet. A packet that ends too early is not one of MariaDB's.

use super::error::Error;

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next bytes, as many as asked for.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Error::NotMariaDb)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        self.take(1).map(|taken| taken[0])
    }

    /// A number of at most 8 bytes, the lowest byte first.
    pub(super) fn number(&mut self, bytes: usize) -> Result<u64, Error> {
        let taken = self.take(bytes)?;
        Ok(taken
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The bytes before the next zero, or the rest of the packet.
    pub(super) fn until_zero(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        taken
    }

    /// A number whose first byte says how long it is. `None` stands for NULL.
    fn length_or_null(&mut self) -> Result<Option<u64>, Error> {
        match self.byte()? {
            0xfb => Ok(None),
            0xfc => self.number(2).map(Some),
            0xfd => self.number(3).map(Some),
            0xfe => self.number(8).map(Some),
            0xff => Err(Error::NotMariaDb),
            short => Ok(Some(short.into())),
        }
    }

    pub(super) fn length(&mut self) -> Result<u64, Error> {
        self.length_or_null()?.ok_or(Error::NotMariaDb)
    }

    /// A string after its length. `None` stands for NULL.
    pub(super) fn string_or_null(&mut self) -> Result<Option<&'a [u8]>, Error> {
        let Some(length) = self.length_or_null()? else {
            return Ok(None);
        };
        let length = usize::try_from(length).map_err(|_| Error::NotMariaDb)?;
        self.take(length).map(Some)
    }

    pub(super) fn string(&mut self) -> Result<&'a [u8], Error> {
        self.string_or_null()?.ok_or(Error::NotMariaDb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_are_read_in_their_order() {
        let mut bytes = Bytes(b"\x07\x34\x12user\0\xfc\x03\0abc\xfb\x01x");
        assert_eq!(bytes.byte().expect("a byte"), 7);
        assert_eq!(bytes.number(2).expect("a number"), 0x1234);
        assert_eq!(bytes.until_zero(), b"user");
        assert_eq!(bytes.string().expect("a string"), b"abc");
        assert_eq!(bytes.string_or_null().expect("null"), None);
        assert_eq!(bytes.string().expect("a string"), b"x");
        assert_eq!(bytes.until_zero(), b"");
        assert!(bytes.byte().is_err());
    }

    #[test]
    fn lengths_beyond_the_packet_are_refused() {
        for wrong in [
            &b""[..],
            b"\x02a",
            b"\xfc\x01",
            b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffx",
            b"\xff",
        ] {
            assert!(Bytes(wrong).string_or_null().is_err(), "{wrong:?}");
        }
        assert!(Bytes(b"\xfb").string().is_err());
    }
}
