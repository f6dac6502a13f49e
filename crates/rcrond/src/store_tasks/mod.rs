//! The tasks that use the store, and the records as keys and bytes.

pub(crate) mod claims_codec;
pub(crate) mod client;
pub(crate) mod codec;
mod connector;
pub(crate) mod drift;
pub(crate) mod node_info;
pub(crate) mod node_jobs;
mod node_list;
pub(crate) mod overview;
mod peer_reading;
pub(crate) mod ticks;
mod time_limit;
pub(crate) mod watcher;

/// The versions of the formats of the records about nodes, without those of the sessions.
pub(crate) fn node_formats() -> [String; 3] {
    [
        format!("node{}", node_info::FORMAT),
        format!("nodes{}", node_list::FORMAT),
        format!("node-jobs{}", crate::drift::FORMAT),
    ]
}
