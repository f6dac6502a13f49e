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

    /// This key as the store's own tools show it: with the prefix.
    fn full_key(&self, key: &str) -> String;

    /// Whether it has watches. Without them, callers poll.
    fn reports_changes(&self) -> bool {
        true
    }

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

    /// Returns what an administrator must know about this server, for example that it may lose what it has confirmed. Each
    /// is a sentence for the log.
    fn warnings(&mut self) -> Answer<'_, Vec<String>>;
}

/// Reports changes of the watched keys. A report is only a hint: it may come twice, or without a change.
pub trait Watch: Send {
    /// Waits for the next change. After an error, changes may have been missed: start a new watch.
    fn changed(&mut self) -> Answer<'_, ()>;
}

/// The longest content of a record, in bytes. Longer ones are not written, and those that another program has written are not
/// read.
pub const LONGEST_VALUE: usize = 64 << 10;

/// A record as it was read.
///
/// Another program may have written anything in the place of a record. That is an item too, so that it affects no other key: its
/// version stays the same while it does not change, and a change can replace it on the condition that it still has this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// It may be compared for equality only. No two writes of rcrond's give a key the same version within one incarnation.
    pub version: u64,
    /// The record's content. It is empty if it cannot be a record: if it is longer than [`LONGEST_VALUE`], or of another type.
    pub value: Vec<u8>,
}

impl Item {
    pub(crate) fn new(version: u64, value: Vec<u8>) -> Self {
        let value = if value.len() > LONGEST_VALUE { Vec::new() } else { value };
        Self { version, value }
    }
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

impl Change {
    pub(crate) fn check_lengths(&self) -> Result<(), Error> {
        let too_long = self.writes.iter().find(|(_, value)| value.len() > LONGEST_VALUE);
        too_long.map_or(Ok(()), |(key, value)| {
            let length = value.len();
            Err(Error::Local {
                act: "write a record",
                cause: format!("the content of {key} has {length} bytes, and the longest has {LONGEST_VALUE}"),
            })
        })
    }
}

/// The store's answer to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All records were written.
    Done,
    /// No record was written, and none will be.
    Refused,
}
