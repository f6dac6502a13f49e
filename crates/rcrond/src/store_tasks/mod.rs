//! The tasks that use the store, and the records as keys and bytes.

pub(crate) mod client;
pub(crate) mod codec;
mod connector;
pub(crate) mod node_info;
mod node_list;
pub(crate) mod overview;
mod time_limit;
pub(crate) mod watcher;
