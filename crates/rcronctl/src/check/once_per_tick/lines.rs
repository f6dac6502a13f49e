//! The lines of crontabs that run rcron, as far as `once_per_tick` needs to know them.

use super::super::finding::Place;
use policy::tick::TickTime;
use std::path::PathBuf;

/// How many lines are kept. Any user can write many.
pub(super) const MOST: usize = 20_000;

/// A line with rcron whose options are known.
#[derive(Debug)]
pub(crate) struct NamedLine {
    pub(crate) place: Place,
    pub(crate) user: Vec<u8>,
    /// `--job`.
    pub(crate) name: Option<Vec<u8>>,
    /// The configuration, as a path of the examined system.
    pub(crate) conf: PathBuf,
    /// `--option`, each `KEY=VALUE`.
    pub(crate) settings: Vec<Vec<u8>>,
    /// `--tick`.
    pub(crate) tick: Option<TickTime>,
    /// Whether the schedule is `@reboot`.
    pub(crate) is_at_boot: bool,
}

/// All such lines, up to [`MOST`].
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: Vec<NamedLine>,
    is_cut: bool,
}

impl Lines {
    pub(crate) fn add(&mut self, line: NamedLine) {
        if self.lines.len() < MOST {
            self.lines.push(line);
        } else {
            self.is_cut = true;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &NamedLine> {
        self.lines.iter()
    }

    /// Whether there were more.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }
}
