//! What MariaDB's answers say, and what to do about it.

use crate::{Explanation, ServerError};

/// An answer of MariaDB that is not a result.
#[derive(Debug)]
pub(super) enum Error {
    /// MariaDB's own error.
    Reply {
        code: u16,
        message: String,
    },
    /// The bytes are those of another protocol.
    NotMariaDb,
    /// An answer with more packets than this.
    TooManyPackets(usize),
    /// The server asks for the password itself, and others could see it.
    ExposedPassword,
    /// The server asks for a method of authentication that this client does not have.
    UnknownMethod(String),
    NoTls,
    /// Its own words.
    TooOld(String),
    /// A replica, or a primary on which `read_only` is set.
    ReadOnly,
    /// A node of a Galera cluster that has no majority, or has not joined; the status of its component.
    NotReady(String),
    /// Several members of a group accept writes.
    MultiPrimary,
    /// A proxy sends reads and writes to different servers.
    SplitProxy,
    /// The table's engine, if it is not InnoDB.
    Engine(String),
    /// What is wrong with the table or with a row.
    OddTable(&'static str),
    NoVerdict,
    NoNotifications,
    /// The table's identity was removed twice during one call.
    NoIdentity,
}

const OTHER: &str = "check that this is MariaDB's or MySQL's port";
const EXPOSED: &str =
    "set `tls` in rcrond.toml; or, with MariaDB, let the user log in with mysql_native_password or unix_socket";
const METHODS: &str = "let the user log in with mysql_native_password, caching_sha2_password or unix_socket";
const OTHER_TABLE: &str = "drop the table, which is not as rcrond-mariadb.sql creates it, or configure another";
const PROXY: &str = "connect to the server itself, or through a proxy that sends everything to one server";
pub(super) const RIGHTS: &str = "grant the user SELECT, INSERT and UPDATE on the table, as rcrond-mariadb.sql says";
pub(super) const PREPARE: &str = "run `rcrond --init-store`, or let an administrator of the database run rcrond-mariadb.sql; or correct `table` in rcrond.toml";

/// MariaDB's and MySQL's numbers of errors.
mod code {
    pub(super) const KILLED: [u16; 4] = [1053, 1317, 1927, 4031];
    pub(super) const DEADLOCK: u16 = 1213;
}

impl Error {
    /// The error of a reply: a connection that the server has ended, or one of its own.
    pub(super) fn reply(code: u16, message: String) -> crate::Error {
        if code::KILLED.contains(&code) {
            return crate::Error::lost(message);
        }
        Self::Reply { code, message }.into()
    }
}

impl ServerError for Error {
    fn explain(&self) -> Explanation {
        let (what, help) = match self {
            Self::Reply { code, message } => return (format!("{message} ({code})"), help(*code)),
            Self::NotMariaDb => ("this is not a packet of MariaDB".to_owned(), OTHER),
            Self::TooManyPackets(most) => (format!("an answer has more than {most} packets"), OTHER),
            Self::ExposedPassword => (
                "the server asks for the password in plain text, and the connection is not encrypted".to_owned(),
                EXPOSED,
            ),
            Self::UnknownMethod(plugin) => (
                format!("the server asks for the method of authentication {plugin}, which rcrond does not have"),
                METHODS,
            ),
            Self::NoTls => (
                "the server does not offer TLS".to_owned(),
                "set ssl_cert and ssl_key in the server's configuration, or `tls` to false in rcrond.toml",
            ),
            Self::TooOld(version) => (
                format!("this is version {version}"),
                "use MariaDB 10.5 or later, or MySQL 8.0 or later",
            ),
            Self::ReadOnly => (
                "this server accepts no writes, because read_only is on".to_owned(),
                "configure all servers that may become the primary: rcrond uses only the primary",
            ),
            Self::NotReady(status) => (
                format!("this node of a Galera cluster is not ready (wsrep_cluster_status is {status})"),
                "wait until it has joined, or check whether its cluster has a majority",
            ),
            Self::MultiPrimary => (
                "several members of this group of MySQL servers accept writes".to_owned(),
                "set group_replication_single_primary_mode to ON",
            ),
            Self::SplitProxy => ("a proxy sends reads and writes to different servers".to_owned(), PROXY),
            Self::Engine(engine) => (
                format!("the table's engine is {engine}"),
                "use InnoDB: other engines write one row of a change and not the next",
            ),
            Self::OddTable(problem) => (format!("the table is not as expected: {problem}"), OTHER_TABLE),
            Self::NoVerdict => {
                return (
                    "the answer to a change does not say whether it was executed".to_owned(),
                    None,
                );
            }
            Self::NoNotifications => return ("MariaDB reports no changes".to_owned(), None),
            Self::NoIdentity => return ("the table's first row vanishes again and again".to_owned(), None),
        };
        (what, Some(help))
    }

    fn is_standby(&self) -> bool {
        matches!(self, Self::ReadOnly)
    }
}

/// What to do about one of the server's errors.
fn help(code: u16) -> Option<&'static str> {
    Some(match code {
        1040 | 1203 | 1226 => "raise max_connections, or the user's limit: each rcrond needs one connection",
        1044 => "grant the user rights on the database, or correct `database` in rcrond.toml",
        1045 | 1698 => {
            "check the user and the password in the configuration, the account's host, and whether it requires TLS"
        }
        1047 => "wait until the node has joined, or check whether its Galera cluster has a majority",
        1049 => "create the database, or correct `database` in rcrond.toml",
        1054 | 1176 => OTHER_TABLE,
        1129 => "run mariadb-admin flush-hosts",
        1130 => "check the host of the user's account: it must admit this user from this address",
        1142 | 1143 => RIGHTS,
        1146 => PREPARE,
        1153 => "raise max_allowed_packet on the server",
        1205 | 1969 => "check the server's disk, and whether another session locks rows of the table",
        code::DEADLOCK => "nothing was written; check whether another program writes to the table",
        1290 | 1792 | 1836 => "check whether this server has become a replica: it accepts no writes",
        3159 => "set `tls` in rcrond.toml: the server requires it",
        _ => return None,
    })
}
