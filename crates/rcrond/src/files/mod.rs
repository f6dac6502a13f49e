//! The files that the daemon reads and writes. Each write replaces a file as a whole.

mod error;
pub(crate) mod foreign_write;
pub(crate) mod identity;
pub(crate) mod persistent_state;
pub(crate) mod running_jobs;
pub(crate) mod state_file;
mod writers;

pub(crate) use error::WriteError;
pub(crate) use writers::{FileWriters, directory_of};
