//! What the daemon keeps on disk. Every write replaces a file whole.

pub(crate) mod identity;
pub(crate) mod ledger;
pub(crate) mod scribe;
pub(crate) mod state_file;
