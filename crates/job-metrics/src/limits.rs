//! How much is shown and remembered: docs/design/job-metrics.md, "Bounds".

/// Jobs in the table.
pub const MOST_SHOWN: usize = 500;
/// Jobs of one user that are remembered.
pub(crate) const MOST_JOBS_OF_USER: usize = 1000;
/// The same of all users but root together.
pub(crate) const MOST_JOBS: usize = 4000;
/// Runs without an end of one user that are remembered.
pub(crate) const MOST_OPEN_OF_USER: usize = 2000;
/// The same of all users but root together.
pub(crate) const MOST_OPEN: usize = 20_000;
/// Ends of one user whose start was not read yet: two files can have the records of one run.
pub(crate) const MOST_ENDED: usize = 256;
/// In microseconds: how long a job that no crontab has is shown after its last record. A weekly job of a systemd timer stays.
pub(crate) const KEPT: i64 = 8 * 86_400 * 1_000_000;
/// In microseconds: a time that is further ahead of now was recorded while the clock was wrong.
pub(crate) const AHEAD: i64 = 60 * 1_000_000;
