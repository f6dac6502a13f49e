//! What went wrong, in words that help.

use crate::{Failure, tls};
use std::error::Error;
use tonic::{Code, Status};

const OLD: &str = "is it etcd 3.4 or later?";

/// With what to do about it, if that is known.
pub(super) fn trouble(server: &str, what: impl std::fmt::Display, help: Option<&str>) -> Failure {
    Failure {
        help: help.map(str::to_owned),
        ..Failure::new(server, what)
    }
}

/// An answer that etcd would not give.
pub(super) fn malformed(server: &str) -> Failure {
    trouble(server, "an answer that makes no sense", Some(OLD))
}

/// A call that failed.
pub(super) fn of_call(server: &str, status: &Status) -> Failure {
    match cause(status) {
        None => trouble(server, status.message(), help(status.message(), status.code())),
        Some(cause) => {
            let refused = cause.starts_with("received fatal alert").then_some(tls::NOT_ACCEPTED);
            trouble(server, format_args!("the connection is lost: {cause}"), refused)
        }
    }
}

/// A call that failed before any had been answered: perhaps it is not etcd, or not the way it wants to be spoken to.
pub(super) fn of_first_call(server: &str, status: &Status, tls: bool) -> Failure {
    let failure = of_call(server, status);
    if failure.help.is_some() || cause(status).is_none() {
        return failure;
    }
    failure.with_help(if tls {
        "is it etcd, and does it accept our client certificate?"
    } else {
        "is it etcd's client port, and does it want TLS?"
    })
}

/// A watch that etcd will not have.
pub(super) fn of_cancelled_watch(server: &str, reason: &str) -> Failure {
    let reason = reason.rsplit_once(" desc = ").map_or(reason, |(_, reason)| reason);
    trouble(
        server,
        format_args!("the server has cancelled the watch: {reason}"),
        help(reason, Code::Unknown),
    )
}

/// What broke the connection; `None`: nothing did, the server has answered. The last in the chain says it in its own words.
fn cause(status: &Status) -> Option<String> {
    let mut last: &dyn Error = status.source()?;
    while let Some(next) = last.source() {
        last = next;
    }
    Some(last.to_string())
}

/// etcd's codes say little, its texts have been the same since 3.0.
fn help(what: &str, code: Code) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 6] = [
        (
            "user name is empty",
            "etcd wants to know who we are: configure a user and a password",
        ),
        ("authentication failed", "check the user and the password"),
        (
            "permission denied",
            "the user needs a role with permission to read and write all keys under the prefix \
             (`etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX`)",
        ),
        (
            "database space exceeded",
            "etcd takes no changes until it is compacted and defragmented, and `etcdctl alarm disarm`",
        ),
        (
            "too many operations",
            "etcd must take 128 operations at once, as it does by default (`--max-txn-ops`)",
        ),
        ("no leader", "this server sees no majority of its cluster"),
    ];
    let known = KNOWN
        .iter()
        .find(|(text, _)| what.contains(text))
        .map(|(_, help)| *help);
    known.or((code == Code::Unimplemented).then_some(OLD))
}
