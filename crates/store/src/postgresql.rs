//! PostgreSql. (Being written.)

use crate::Login;
use crate::tls;

/// Where it is, and who to be for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `HOST:PORT` of each server, or the path of its socket.
    pub servers: Vec<String>,
    /// The database's name.
    pub database: String,
    /// The table, as `TABLE` or `SCHEMA.TABLE`.
    pub table: String,
    /// The records' place in the store.
    pub prefix: String,
    /// Who to be.
    pub login: Option<Login>,
    /// TLS, if it is to be used.
    pub tls: Option<tls::Settings>,
}
