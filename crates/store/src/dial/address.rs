//! The address of a server.

use crate::Error;
use std::net::Ipv6Addr;
use std::path::PathBuf;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    /// Parses `HOST:PORT`, with an IPv6 address in brackets, or a path that begins with `/`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        let parts = text.rsplit_once(':').and_then(|(host, port)| {
            let port = port.parse().ok().filter(|port| *port != 0)?;
            Some((without_brackets(host)?, port))
        });
        let (host, port) = parts.ok_or_else(|| Error::Settings {
            setting: text.to_owned(),
            problem: "not the address of a server".to_owned(),
            help: Some("write HOST:PORT, [IPV6]:PORT, or a path that begins with /"),
        })?;
        Ok(Self::Tcp {
            host: host.to_owned(),
            port,
        })
    }
}

/// An IPv6 address must have brackets, and nothing else may have them.
fn without_brackets(host: &str) -> Option<&str> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(address) => address.parse::<Ipv6Addr>().ok().map(|_| address),
        None => (!host.is_empty() && !host.contains([':', '[', ']', '/', ' '])).then_some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn names_numbers_and_paths_are_addresses() {
        assert_eq!(Address::parse("db.example:5432"), Ok(tcp("db.example", 5432)));
        assert_eq!(Address::parse("192.0.2.1:1"), Ok(tcp("192.0.2.1", 1)));
        assert_eq!(Address::parse("[2001:db8::1]:6379"), Ok(tcp("2001:db8::1", 6379)));
        assert_eq!(Address::parse("/run/x"), Ok(Address::Unix("/run/x".into())));
    }

    #[test]
    fn other_texts_are_rejected_with_the_form_to_write() {
        for wrong in [
            "",
            "db",
            "db:",
            "db:0",
            "db:65536",
            ":5432",
            "::1:5432",
            "[::1]",
            "[db]:1",
            "a b:1",
            "redis://db:1",
        ] {
            let error = Address::parse(wrong).expect_err(wrong);
            assert!(error.to_string().contains("HOST:PORT"), "{error}");
        }
    }
}
