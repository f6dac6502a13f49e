//! The first line of an export.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the format. It changes when a reader of the version before would misread an export.
pub(crate) const FORMAT: u32 = 1;

/// What only the exporting server knows. A field that a reader does not know is ignored.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Header {
    /// [`FORMAT`].
    pub(crate) rcron_export: u32,
    /// rcronctl's version.
    pub(crate) version: String,
    /// The host's name.
    pub(crate) node: String,
    /// Its boot, if it is known.
    #[serde(default)]
    pub(crate) boot: Option<String>,
    /// When the header was written, by the wall clock.
    pub(crate) time: Timestamp,
    /// Whether there are only runs of the user who exported, because only root can read those of others.
    #[serde(default)]
    pub(crate) only_own: bool,
    /// Whether older runs were left out because of `--limit`.
    #[serde(default)]
    pub(crate) more: bool,
    /// What could not be read, in words.
    #[serde(default)]
    pub(crate) unseen: Vec<String>,
}
