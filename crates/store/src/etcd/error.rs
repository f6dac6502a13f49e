//! What etcd's answers say, and what to do about it.

use crate::{Explanation, ServerError, tls};
use std::error::Error as _;
use tonic::{Code, Status};

const OLD: &str = "check that it is etcd 3.4 or later";

/// An answer of etcd that is not a result.
#[derive(Debug)]
pub(super) enum Error {
    /// etcd's own error.
    Reply {
        message: String,
        code: Code,
    },
    /// etcd does not accept the watch any longer; its reason.
    WatchCancelled(String),
    WatchEnded,
    /// A proxy sends the calls of one connection to several clusters.
    AnotherCluster {
        expected: u64,
        found: u64,
    },
    /// An answer without the parts that each answer of this kind has.
    Malformed,
}

impl ServerError for Error {
    fn explain(&self) -> Explanation {
        match self {
            Self::Reply { message, code } => {
                let old = (*code == Code::Unimplemented).then_some(OLD);
                (message.clone(), help(message).or(old))
            }
            Self::WatchCancelled(reason) => (format!("etcd has cancelled the watch: {reason}"), help(reason)),
            Self::WatchEnded => ("etcd has ended the watch".to_owned(), None),
            Self::AnotherCluster { expected, found } => (
                format!("the answer is from cluster {found:x}, not from {expected:x}"),
                Some("configure the servers of one cluster only, and check that no proxy before them mixes clusters"),
            ),
            Self::Malformed => ("the answer lacks a part that etcd always sends".to_owned(), Some(OLD)),
        }
    }
}

/// A watch that etcd has cancelled. Its reason has the form of a printed gRPC status.
pub(super) fn cancelled_watch(reason: &str) -> Error {
    let description = reason
        .rsplit_once(" desc = ")
        .map_or(reason, |(_, description)| description);
    Error::WatchCancelled(description.to_owned())
}

/// A call that failed. `first` is the help where no call over this connection had succeeded: perhaps the server is not etcd,
/// or expects another transport.
pub(super) fn call_error(status: &Status, first: Option<&'static str>) -> crate::Error {
    let Some(cause) = connection_cause(status) else {
        return crate::Error::from(Error::Reply {
            message: status.message().to_owned(),
            code: status.code(),
        });
    };
    let rejected = cause.starts_with("received fatal alert").then_some(tls::NOT_ACCEPTED);
    crate::Error::Lost {
        cause,
        help: rejected.or(first),
    }
}

/// Whether tonic has refused an answer that is longer than [`LONGEST_ANSWER`](super::wire::LONGEST_ANSWER).
pub(super) fn is_too_long(status: &Status) -> bool {
    status.code() == Code::OutOfRange && status.message().contains("decoded message length too large")
}

/// What broke the connection, in the words of the last error in the chain. `None` means that the server has answered.
fn connection_cause(status: &Status) -> Option<String> {
    let mut last = status.source()?;
    while let Some(next) = last.source() {
        last = next;
    }
    Some(last.to_string())
}

/// etcd's codes say little, but its texts have been the same since 3.0.
fn help(message: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 6] = [
        (
            "user name is empty",
            "etcd requires a log-in: configure a user and a password",
        ),
        ("authentication failed", "check the user and the password"),
        (
            "permission denied",
            "grant the user a role that may read and write all keys under the prefix \
             (`etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX`)",
        ),
        (
            "database space exceeded",
            "compact and defragment etcd, then run `etcdctl alarm disarm`: until then it accepts no changes",
        ),
        (
            "too many operations",
            "set etcd's `--max-txn-ops` to at least 128, which is its default",
        ),
        (
            "no leader",
            "check the other members of the cluster: this one does not see a majority of them",
        ),
    ];
    let known = KNOWN.iter().find(|(text, _)| message.contains(text));
    known.map(|(_, help)| *help)
}
