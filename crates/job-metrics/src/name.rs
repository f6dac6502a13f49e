//! The name of a job.

use policy::claim::is_job_name;
use policy::display::is_printable;
use std::sync::Arc;

/// A job of a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct JobName {
    /// `cluster_name`.
    pub(crate) cluster: Arc<str>,
    /// `--job`.
    pub(crate) job: Arc<str>,
}

impl JobName {
    /// `None` for a name that is not shown: it is too long for a label, or cannot be printed. Two such names could look alike.
    pub(crate) fn new(cluster: &Arc<str>, job: &str) -> Option<Self> {
        let is_shown = is_job_name(job) && job.chars().all(is_printable);
        is_shown.then(|| Self {
            cluster: Arc::clone(cluster),
            job: job.into(),
        })
    }
}
