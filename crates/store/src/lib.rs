//! Stores for leases.
//!
//! rcrond reads a few records with their versions, changes several records together if none of the named versions has moved,
//! and, if the store can report them, watches for changes. docs/design/lease.md and
//! docs/design/store.md say what a store must promise. rcrond does not use a store's clocks or TTLs.
//!
//! The clients here never repeat a request and never reconnect silently: a [`Connection`] is one connection to one server,
//! and after a failure it stays failed. The caller sets the time limits: every future may be dropped at any time, and a
//! connection whose future was dropped cannot be used again.
//!
//! A new kind of store is a directory here, with its implementation of [`Kind`], and a line in the list of modules below.

mod client;
mod contract;
mod dial;
mod error;
pub mod etcd;
pub mod mariadb;
pub mod memory;
mod poisonable;
pub mod postgresql;
mod random_version;
pub mod redis;
mod rotation;
mod settings;
pub mod tls;
mod watch_stream;

pub use contract::{Answer, Change, Connection, Item, LONGEST_VALUE, Snapshot, Store, Verdict, Watch};
pub use error::{Error, Explanation, ServerError};
pub use settings::{Kind, Login, Secret, Settings, open};
