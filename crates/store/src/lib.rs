//! Stores for leases.
//!
//! All that is asked of a store: read a few records with their versions, change several together if none of the versions named has
//! moved, list some for people, and, if it can, tell of changes. What it must promise: docs/design/lease.md and docs/design/store.md. Its
//! clocks and its TTLs are not used.
//!
//! A client here never repeats a request and never reconnects in silence: a [`Connection`] is one connection to one server, and
//! once it has failed it stays failed. Time limits are the caller's: every future may be dropped at any time, and a connection
//! whose future was dropped is not to be used again.

mod dial;
mod ear;
pub mod etcd;
mod held;
pub mod memory;
pub mod postgresql;
pub mod redis;
pub mod rotation;
pub mod tls;
mod token;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What a call comes to. A failure is "no answer": what was asked may have been done, may be done later, or never.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// A store: addresses and credentials.
pub trait Store: Send + Sync {
    /// Connects to one of its servers, beginning with the one after that which failed last, and going on to the next
    /// as long as servers refuse at once.
    fn connect(&self) -> Answer<'_, Box<dyn Connection>>;

    /// A connection that had answered before has failed: the next one is to begin with another server. A server that hangs takes connections all
    /// the same, and a short lease has no time to try it again.
    fn pass_over(&self);

    /// Asks, over a connection of its own, to be told of changes to these keys, from now on.
    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>>;

    /// Creates what the store must have before it can be used: a table. Nothing happens to what is there.
    fn init(&self) -> Answer<'_, ()>;
}

/// One connection to one server.
pub trait Connection: Send {
    /// Reads these keys. Each is as it was at some moment after the call; several need not be of the same moment.
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot>;

    /// Changes records, all or none. [`Verdict::Refused`] only if the store says so.
    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict>;

    /// All keys that begin so, in order: for people.
    fn list<'a>(&'a mut self, prefix: &'a str) -> Answer<'a, Vec<(String, Item)>>;

    /// What about this server an administrator should know: that it may lose what it has confirmed, for one. Each a sentence for the log.
    fn concerns(&mut self) -> Answer<'_, Vec<String>>;
}

/// News of changes. It only hints: some may be told twice, or though nothing was changed.
pub trait Watch: Send {
    /// Waits for the next change. A failure: changes may have been missed, watch anew.
    fn changed(&mut self) -> Answer<'_, ()>;
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Compared for equality only; never used twice for a key within one incarnation.
    pub version: u64,
    /// Its content.
    pub value: Vec<u8>,
}

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What tells this store from the same store with other data, if it can tell.
    pub incarnation: Option<Vec<u8>>,
    /// A number that never goes back within one incarnation, if it has one.
    pub revision: Option<u64>,
    /// One for each key, in their order.
    pub items: Vec<Option<Item>>,
}

/// Several records to write, on conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Refused by a store of another incarnation; `None`: by none.
    pub incarnation: Option<Vec<u8>>,
    /// The versions that must not have moved; `None`: there must be no record.
    pub conditions: Vec<(String, Option<u64>)>,
    /// What to write then.
    pub writes: Vec<(String, Vec<u8>)>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// It is not, and never will be.
    Refused,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which server, as it was configured; empty if it was none in particular.
    pub server: String,
    /// What went wrong.
    pub what: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

impl Failure {
    /// Something went wrong with a server.
    pub fn new(server: &str, what: impl fmt::Display) -> Self {
        Self {
            server: server.to_owned(),
            what: what.to_string(),
            help: None,
        }
    }

    /// The same, and what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.server.is_empty() {
            write!(out, "{}: ", self.server)?;
        }
        out.write_str(&self.what)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(out, "; {help}"))
    }
}

impl std::error::Error for Failure {}

/// A password that is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps it.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// For the one place that needs it.
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

/// Who to be for a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name in the store.
    pub user: String,
    /// The password; without one: by certificate, or as the store likes.
    pub password: Option<Secret>,
}
