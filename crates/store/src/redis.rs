//! Redis. (Being written.)

use crate::Login;
use crate::tls;

/// Where it is, and who to be for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `HOST:PORT` of each server.
    pub servers: Vec<String>,
    /// The database's number.
    pub database: u32,
    /// The records' place in the store.
    pub prefix: String,
    /// Who to be.
    pub login: Option<Login>,
    /// TLS, if it is to be used.
    pub tls: Option<tls::Settings>,
}
