//! What a configuration says about its store.

use crate::{Error, Store, tls};
use std::fmt;
use std::sync::Arc;

/// A store, and how to reach it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which kind of store it is, with the settings that only this kind has.
    pub kind: Arc<dyn Kind>,
    /// `HOST:PORT` of each server, an IPv6 address in brackets; or what else the kind accepts.
    pub servers: Vec<String>,
    /// All keys begin with it.
    pub prefix: String,
    /// Without it: the user that the store knows by the certificate, or takes for an anonymous one.
    pub login: Option<Login>,
    /// `None`: no TLS.
    pub tls: Option<tls::Settings>,
}

/// A kind of store, with the settings that only this kind has. Each kind implements it in its own directory.
pub trait Kind: fmt::Debug + Send + Sync {
    /// The name of its table in rcrond.toml(5), and of the kind in reports.
    fn name(&self) -> &'static str;

    /// Its name as its makers write it.
    fn title(&self) -> &'static str;

    /// Where in the servers the records are, besides the prefix: database, table. Nodes with different locations do not see
    /// each other.
    fn location(&self) -> String;

    /// Whether a log-in sends the password itself, and not only a proof of it.
    fn sends_password(&self) -> bool {
        true
    }

    /// What [`Store::init`] has made sure of, as a sentence.
    fn prepared(&self) -> String {
        format!("{} needs no preparation", self.title())
    }

    /// Makes the client. Nothing is connected to; the files of the system's authorities may be read.
    ///
    /// # Errors
    /// [`Error::Settings`] for the first setting that cannot be used.
    fn open(&self, settings: &Settings) -> Result<Box<dyn Store>, Error>;
}

impl PartialEq for dyn Kind {
    fn eq(&self, other: &Self) -> bool {
        (self.name(), self.location()) == (other.name(), other.location())
    }
}

impl Eq for dyn Kind {}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let access = (&self.servers, &self.login, &self.tls);
        self.has_same_records(other) && access == (&other.servers, &other.login, &other.tls)
    }
}

impl Eq for Settings {}

/// Makes the client of this store. Nothing is connected to; the files of the system's authorities may be read.
///
/// # Errors
/// [`Error::Settings`] for the first setting that cannot be used.
pub fn open(settings: &Settings) -> Result<Box<dyn Store>, Error> {
    settings.kind.open(settings)
}

impl Settings {
    /// Whether both lead to the same records, through whatever servers and as whatever user.
    pub fn has_same_records(&self, other: &Self) -> bool {
        *self.kind == *other.kind && self.prefix == other.prefix
    }

    /// Whether a password leaves this machine unencrypted.
    pub fn exposes_password(&self) -> bool {
        const LOCAL: [&str; 4] = ["/", "127.", "[::1]:", "localhost:"];
        let is_remote = |server: &String| !LOCAL.iter().any(|place| server.starts_with(place));
        let has_password = self.login.as_ref().is_some_and(|login| login.password.is_some());
        has_password && self.tls.is_none() && self.kind.sends_password() && self.servers.iter().any(is_remote)
    }
}

/// The user that rcrond is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its name in the store.
    pub user: String,
    /// `None`: the store knows the user by a certificate, or does not ask.
    pub password: Option<Secret>,
}

/// A password; `{:?}` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the password in plain text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The password in plain text, for the log-in only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}
