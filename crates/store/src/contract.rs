//! What rcrond asks of a store.

use crate::Error;
use std::pin::Pin;

/// The result of a call. An [`Error`] means "no answer": what was asked may have been done, may be done later, or never.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A store: several servers, and the credentials for them.
pub trait Store: Send + Sync {
    /// Connects to one of the servers. It starts with the one that last answered a call, or else with the one after the last
    /// that was tried. It goes on to the next as long as servers refuse at once.
    fn connect(&self) -> Answer<'_, Box<dyn Connection>>;

    /// Makes the next connection start with another server. The caller reports so that a connection failed that had answered
    /// before: a server that hangs still accepts connections, and a short lease leaves no time to try it again.
    fn skip_current(&self);

    /// Watches these keys for changes from now on, over a connection of its own.
    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>>;

    /// Creates what the store must have before it can be used: a table. What exists is left as it is.
    fn init(&self) -> Answer<'_, ()>;
}

/// One connection to one server.
pub trait Connection: Send {
    /// Reads these keys. Each record is as it was at some moment after the call began; several need not be from the same moment.
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot>;

    /// Changes all of these records or none. The result is [`Verdict::Refused`] only if the store says so.
    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict>;

    /// Lists all records whose key has this prefix, ordered by key. It is meant for people and may be slow.
    fn list<'a>(&'a mut self, prefix: &'a str) -> Answer<'a, Vec<(String, Item)>>;

    /// Returns what an administrator must know about this server, for example that it may lose what it has confirmed. Each
    /// is a sentence for the log.
    fn warnings(&mut self) -> Answer<'_, Vec<String>>;
}

/// Reports changes of the watched keys. A report is only a hint: it may come twice, or without a change.
pub trait Watch: Send {
    /// Waits for the next change. After an error, changes may have been missed: start a new watch.
    fn changed(&mut self) -> Answer<'_, ()>;
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// It may be compared for equality only. A key never has the same version twice within one incarnation.
    pub version: u64,
    /// The record's content.
    pub value: Vec<u8>,
}

/// The result of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Tells this store from the same store with other data (restored, emptied), if the store can tell.
    pub incarnation: Option<Vec<u8>>,
    /// A number that never goes back within one incarnation, if the store has one.
    pub revision: Option<u64>,
    /// One entry for each key that was asked for, in the same order.
    pub items: Vec<Option<Item>>,
}

/// Several records to write, and the conditions for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// A store of another incarnation refuses the change. With `None`, every incarnation accepts it.
    pub incarnation: Option<Vec<u8>>,
    /// Keys with the version that each must still have. `None` means that there must be no such record.
    pub conditions: Vec<(String, Option<u64>)>,
    /// Keys with their new contents.
    pub writes: Vec<(String, Vec<u8>)>,
}

/// The store's answer to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All records were written.
    Done,
    /// No record was written, and none will be.
    Refused,
}
