//! The configuration, read again for a reload.

use crate::config::{self, Config};
use crate::files::state_file::{self, PreviousState};
use inputs::diagnostic::Diagnostic;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use store::{Error, Store};
use sys::output::error_text;

/// What was read. The daemon has not applied any of it yet.
pub(crate) struct NewConfig {
    pub(crate) config: Config,
    pub(crate) warnings: Vec<Diagnostic>,
    /// A client of the configured store, not connected.
    pub(crate) store: Arc<dyn Store>,
    /// What the state files say, in the order of the clusters.
    pub(crate) previous_states: Vec<PreviousState>,
}

/// Why there is no new configuration.
pub(crate) enum NewConfigError {
    Config(Diagnostic),
    /// Certificates or keys of the store cannot be used.
    Store(Error),
    /// The thread that reads it cannot be started.
    NoThread(io::Error),
}

impl fmt::Display for NewConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(diagnostic) => out.write_str(&diagnostic.full),
            Self::Store(failure) => failure.fmt(out),
            Self::NoThread(error) => write!(out, "cannot start a thread: {}", error_text(error)),
        }
    }
}

/// Reads all files that the configuration consists of. This may block on a file system, so it must not run in the loop's thread.
///
/// # Errors
/// [`NewConfigError`].
pub(crate) fn read(file: &Path, boot: &[u8]) -> Result<NewConfig, NewConfigError> {
    let loaded = config::load(file).map_err(NewConfigError::Config)?;
    let store = config::open(&loaded.config.store).map_err(NewConfigError::Store)?;
    let clusters = loaded.config.clusters.iter();
    Ok(NewConfig {
        previous_states: clusters
            .map(|cluster| state_file::read_previous(&cluster.state_file, boot))
            .collect(),
        warnings: loaded.warnings,
        config: loaded.config,
        store: Arc::from(store),
    })
}
