//! The name of a job in the whole cluster.

use alloc::string::String;
use alloc::sync::Arc;
use lease::ClusterName;

/// A job: the same on every server that has it in its crontab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The cluster, from the state file that the job's rcron uses.
    pub cluster: ClusterName,
    /// The name of the user whose rcron asks, as passwd(5) has it.
    pub user: Arc<str>,
    /// `--job`.
    pub job: Arc<str>,
}

impl JobKey {
    /// Copies the names.
    #[must_use]
    pub fn new(cluster: ClusterName, user: &str, job: &str) -> Self {
        Self {
            cluster,
            user: user.into(),
            job: job.into(),
        }
    }

    /// The job as it is part of a key in the store: `CLUSTER/USER/NAME`, each encoded.
    #[must_use]
    pub fn path(&self) -> String {
        let parts = [self.cluster.as_str(), &self.user, &self.job];
        parts.map(|part| policy::claim::encode(part.as_bytes())).join("/")
    }
}
