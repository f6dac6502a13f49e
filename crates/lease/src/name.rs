//! Names of nodes and clusters, and sessions' identities.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// A node's name: 1 to 255 visible ASCII characters without `:`, and not `-`, because of the records' text. Every host name fits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Arc<str>);

/// A cluster's name: any text, because it is used in keys only, not in records.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterName(Arc<str>);

/// A session's identity: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 16]);

impl NodeName {
    /// In bytes. Host names are not longer.
    pub const LONGEST: usize = 255;

    /// `None` if a record cannot contain the name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = (1..=Self::LONGEST).contains(&name.len()) && name != "-";
        let plain = name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        (fits && plain).then(|| Self(name.into()))
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClusterName {
    /// Copies the name once; clones share it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SessionId {
    /// Reads what [`fmt::Display`] writes: 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(id))
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}", self.0[0], self.0[1])
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&NodeName> for String {
    fn from(name: &NodeName) -> Self {
        Self::from(name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_host_name_is_a_nodes_name_and_text_that_would_break_a_record_is_not() {
        for name in ["web1", "web-1.example.org", "_"] {
            assert!(NodeName::new(name).is_some(), "{name}");
        }
        for name in ["", "-", "a b", "a:b", "a\n", "é", &"a".repeat(256)] {
            assert!(NodeName::new(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn an_identity_is_read_as_it_is_written_and_in_no_other_form() {
        let id = SessionId(*b"0123456789abcdef");
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
        for text in ["", "00", &"A".repeat(32), &"g".repeat(32), &"0".repeat(33)] {
            assert_eq!(SessionId::parse(text), None, "{text}");
        }
    }
}
