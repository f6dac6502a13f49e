//! What a text can mean.

use super::diagnostics::ValueError;
use policy::display::clipped;
use policy::duration;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Room for what comes behind it in a key.
const LONGEST_PREFIX: usize = 255;
/// `sun_path` of unix(7) without its NUL.
const LONGEST_SOCKET: usize = 107;

/// A path from the root: a relative one would depend on where the daemon was started.
pub(super) fn path(text: &str) -> Result<PathBuf, ValueError> {
    if !text.starts_with('/') {
        let text = clipped(text.as_bytes());
        return Err(ValueError::new(
            format!("`{text}` is no absolute path"),
            "begin it with `/`",
        ));
    }
    if text.contains('\0') {
        return Err(ValueError::bare("a NUL byte in a path"));
    }
    Ok(PathBuf::from(text))
}

/// A path that a socket can be bound to.
pub(super) fn socket(text: &str) -> Result<PathBuf, ValueError> {
    if text.len() > LONGEST_SOCKET {
        return Err(ValueError::new(
            "the path is longer than 107 bytes",
            "unix(7) allows no longer one for a socket",
        ));
    }
    path(text)
}

/// A span as in rcron.conf.
pub(super) fn span(text: &str) -> Result<Duration, ValueError> {
    duration::parse(text.as_bytes()).map_err(|bad| {
        let (message, help) = bad.explain(text.as_bytes());
        ValueError::new(message, help)
    })
}

/// What the keys in the store begin with.
pub(super) fn prefix(text: &str) -> Result<String, ValueError> {
    if text.is_empty() {
        return Err(ValueError::new(
            "an empty prefix",
            "the records need a place of their own in the store: leave the key out for the default",
        ));
    }
    if text.len() > LONGEST_PREFIX {
        return Err(ValueError::bare("the prefix is longer than 255 bytes"));
    }
    without_controls("prefix", text)
}

/// A name in a store, such as a user's.
pub(super) fn name(text: &str) -> Result<String, ValueError> {
    if text.is_empty() {
        return Err(ValueError::new("an empty name", "leave the key out for the default"));
    }
    without_controls("name", text)
}

/// `TABLE` or `SCHEMA.TABLE`.
pub(super) fn sql_table(text: &str) -> Result<String, ValueError> {
    let parts: Vec<&str> = text.split('.').collect();
    // PostgreSQL cuts longer ones.
    let is_good = |part: &&str| (1..=63).contains(&part.len()) && !part.contains(char::is_control);
    if parts.len() > 2 || !parts.iter().all(is_good) {
        let text = clipped(text.as_bytes());
        let help = "write TABLE or SCHEMA.TABLE, without quotes, each of at most 63 bytes";
        return Err(ValueError::new(format!("`{text}` is no table's name"), help));
    }
    Ok(text.to_owned())
}

fn without_controls(what: &str, text: &str) -> Result<String, ValueError> {
    if text.contains(char::is_control) {
        return Err(ValueError::bare(format!("a control character in a {what}")));
    }
    Ok(text.to_owned())
}

/// An address to listen at.
pub(super) fn listen(text: &str) -> Result<SocketAddr, ValueError> {
    let address: Option<SocketAddr> = text.parse().ok();
    address.filter(|address| address.port() != 0).ok_or_else(|| {
        ValueError::new(
            format!("`{}` is no IP address with a port", clipped(text.as_bytes())),
            "write it as 127.0.0.1:9187 or [::1]:9187",
        )
    })
}

/// A server as `HOST:PORT`, with this port if none is given. An IPv6 address stands in brackets.
pub(super) fn server(text: &str, port: u16) -> Result<String, ValueError> {
    if text.contains("://") {
        return Err(ValueError::new(
            "a server is HOST:PORT, not a URL",
            "for TLS there is `tls`, for passwords `password_file`",
        ));
    }
    let shown = clipped(text.as_bytes());
    if text.parse::<Ipv6Addr>().is_ok() {
        let help = format!("put brackets around the IPv6 address: [{shown}]");
        return Err(ValueError::new(format!("`{shown}` is no HOST:PORT"), help));
    }
    let (host, given) = split(text);
    let given = match given {
        None => Some(port),
        Some(digits) => digits.parse().ok().filter(|given| *given != 0),
    };
    match given {
        Some(port) if is_host(host) => Ok(format!("{host}:{port}")),
        None if is_host(host) => Err(ValueError::new(
            format!("`{shown}` has no good port"),
            format!("a number from 1 to 65535; without one it is {port}"),
        )),
        _ => Err(ValueError::new(
            format!("`{shown}` is no HOST:PORT"),
            "write a host's name or its IP address, and a port",
        )),
    }
}

/// A server on this machine may be a path: Redis' socket, or the directory of PostgreSQL's.
pub(super) fn local_or_server(text: &str, port: u16) -> Result<String, ValueError> {
    if text.starts_with('/') {
        return path(text).map(|_| text.to_owned());
    }
    server(text, port)
}

/// The host, in its brackets if it has some, and what stands behind the colon.
fn split(text: &str) -> (&str, Option<&str>) {
    let behind_brackets = text.rfind(']').map_or(0, |at| at + 1);
    match text[behind_brackets..].rfind(':') {
        Some(colon) => {
            let (host, port) = text.split_at(behind_brackets + colon);
            (host, Some(&port[1..]))
        }
        None => (text, None),
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            (1..=253).contains(&host.len()) && host.bytes().all(is_plain)
        }
    }
}
