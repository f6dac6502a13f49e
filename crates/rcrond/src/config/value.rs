//! Parses the strings of the file.

use super::diagnostics::ValueError;
use policy::display::clipped;
use policy::duration;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// In bytes. The rest of a key needs room, too.
const MAX_PREFIX: usize = 255;
/// In bytes: `sun_path` of unix(7) without its NUL.
const MAX_SOCKET_PATH: usize = 107;

/// An absolute path. A relative one would depend on the directory in which the daemon was started.
pub(super) fn path(text: &str) -> Result<PathBuf, ValueError> {
    if !text.starts_with('/') {
        let text = clipped(text.as_bytes());
        return Err(ValueError::new(
            format!("`{text}` is not an absolute path"),
            "begin it with `/`",
        ));
    }
    if text.contains('\0') {
        return Err(ValueError::bare("the path contains a NUL byte"));
    }
    Ok(PathBuf::from(text))
}

/// An absolute path for a socket.
pub(super) fn socket(text: &str) -> Result<PathBuf, ValueError> {
    if text.len() > MAX_SOCKET_PATH {
        return Err(ValueError::new(
            "the path is longer than 107 bytes",
            "unix(7) limits the path of a socket to this length",
        ));
    }
    path(text)
}

/// A duration as in rcron.conf.
pub(super) fn duration(text: &str) -> Result<Duration, ValueError> {
    duration::parse(text.as_bytes()).map_err(|bad| {
        let (message, help) = bad.explain(text.as_bytes());
        ValueError::new(message, help)
    })
}

/// The beginning of all keys in the store.
pub(super) fn prefix(text: &str) -> Result<String, ValueError> {
    if text.is_empty() {
        return Err(ValueError::new(
            "the prefix is empty",
            "the records need a prefix of their own: omit the key to use the default",
        ));
    }
    if text.len() > MAX_PREFIX {
        return Err(ValueError::bare("the prefix is longer than 255 bytes"));
    }
    without_controls("prefix", text)
}

/// A name in a store, such as a user's.
pub(super) fn name(text: &str) -> Result<String, ValueError> {
    if text.is_empty() {
        return Err(ValueError::new("the name is empty", "omit the key to use the default"));
    }
    without_controls("name", text)
}

/// `TABLE` or `SCHEMA.TABLE`.
pub(super) fn sql_table(text: &str) -> Result<String, ValueError> {
    let parts: Vec<&str> = text.split('.').collect();
    // PostgreSQL truncates longer names.
    let is_good = |part: &&str| (1..=63).contains(&part.len()) && !part.contains(char::is_control);
    if parts.len() > 2 || !parts.iter().all(is_good) {
        let text = clipped(text.as_bytes());
        let help = "write TABLE or SCHEMA.TABLE, without quotes, each of at most 63 bytes";
        return Err(ValueError::new(format!("`{text}` is not the name of a table"), help));
    }
    Ok(text.to_owned())
}

fn without_controls(what: &str, text: &str) -> Result<String, ValueError> {
    if text.contains(char::is_control) {
        return Err(ValueError::bare(format!("the {what} contains a control character")));
    }
    Ok(text.to_owned())
}

/// An address to listen on.
pub(super) fn listen(text: &str) -> Result<SocketAddr, ValueError> {
    let address: Option<SocketAddr> = text.parse().ok();
    address.filter(|address| address.port() != 0).ok_or_else(|| {
        ValueError::new(
            format!("`{}` is not an IP address with a port", clipped(text.as_bytes())),
            "write it as 127.0.0.1:9187 or [::1]:9187",
        )
    })
}

/// A server as `HOST:PORT`. `port` is used if the text has none. An IPv6 address must be in brackets.
pub(super) fn server(text: &str, port: u16) -> Result<String, ValueError> {
    if text.contains("://") {
        return Err(ValueError::new(
            "a server must be HOST:PORT, not a URL",
            "use `tls` for TLS, and `password_file` for a password",
        ));
    }
    let shown = clipped(text.as_bytes());
    if text.parse::<Ipv6Addr>().is_ok() {
        let help = format!("put brackets around the IPv6 address: [{shown}]");
        return Err(ValueError::new(format!("`{shown}` is not HOST:PORT"), help));
    }
    let (host, given) = split(text);
    let given = match given {
        None => Some(port),
        Some(digits) => digits.parse().ok().filter(|given| *given != 0),
    };
    match given {
        Some(port) if is_host(host) => Ok(format!("{host}:{port}")),
        None if is_host(host) => Err(ValueError::new(
            format!("`{shown}` has an invalid port"),
            format!("write a number from 1 to 65535; without a port it is {port}"),
        )),
        _ => Err(ValueError::new(
            format!("`{shown}` is not HOST:PORT"),
            "write a host name or an IP address, and a port",
        )),
    }
}

/// As [`server`], or the absolute path of a local socket or, for PostgreSQL, of the directory that contains it.
pub(super) fn local_or_server(text: &str, port: u16) -> Result<String, ValueError> {
    if text.starts_with('/') {
        return path(text).map(|_| text.to_owned());
    }
    server(text, port)
}

/// The host, with its brackets if it has some, and the text after the last colon.
fn split(text: &str) -> (&str, Option<&str>) {
    let after_brackets = text.rfind(']').map_or(0, |at| at + 1);
    match text[after_brackets..].rfind(':') {
        Some(colon) => {
            let (host, port) = text.split_at(after_brackets + colon);
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
