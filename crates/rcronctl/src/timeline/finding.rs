//! What a reader should look at.

use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// More than one server ran a tick, or runs on two servers overlapped.
    Twice,
    /// No server ran a tick.
    Nowhere,
    /// No server ran a tick, according to the store.
    Missed,
    /// A job with a period was not started for long. The journals do not tell whether it should have been.
    Quiet,
}

/// One finding, about one tick or about several in a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    /// Index of the job's row.
    pub(super) row: usize,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// 0 for [`Kind::Quiet`].
    pub(super) ticks: usize,
    /// Those that ran the ticks: indices into the timeline's servers, sorted.
    pub(super) servers: Vec<usize>,
    /// Indices into the row's spans, sorted.
    pub(super) spans: Vec<usize>,
    /// The reason, for [`Kind::Missed`], if it is known.
    pub(super) why: Option<String>,
}

impl Kind {
    /// The word in the JSON and on the page.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Twice => "twice",
            Self::Nowhere => "nowhere",
            Self::Missed => "missed",
            Self::Quiet => "quiet",
        }
    }
}
