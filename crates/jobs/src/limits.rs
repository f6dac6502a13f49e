//! How much of the crontabs is read.

/// Limits against crontabs that are made to fill the memory. A system crontab is root's and has no limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all crontabs together. The system crontabs come first, then the users' in the order of their names, then large
    /// ones of users.
    pub bytes: usize,
    /// Lines that call rcron, in all crontabs together.
    pub lines: usize,
    /// Lines that call rcron, in the crontab of one user.
    pub lines_of_user: usize,
    /// Configurations that the crontab of one user may name.
    pub configurations_of_user: usize,
    /// Components of paths that are looked up for the configurations in the crontab of one user.
    pub lookups_of_user: usize,
}

impl Default for Limits {
    /// At most some 40 MB of memory, and a few seconds.
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            lines: 20_000,
            lines_of_user: 1000,
            configurations_of_user: 20,
            lookups_of_user: 100_000,
        }
    }
}
