//! A job of a crontab, and where it was found.

use super::files::CrontabFile;
use crate::check::finding::Place;
use ::crontab::Line;
use jobs::rights::Rights;
use jobs::root::Root;

#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) root: &'a Root,
    pub(super) file: &'a CrontabFile,
    pub(super) line: Line<'a, 'a>,
    /// Of the user that the job runs as. `None` if they are not known: nothing that the job names is looked up then.
    pub(super) rights: Option<Rights>,
}

impl Job<'_> {
    /// The place of a byte of the command.
    pub(super) fn place(&self, offset: usize) -> Place {
        self.at_column(self.line.entry.column(offset))
    }

    pub(super) fn at_column(&self, column: usize) -> Place {
        self.file.place.at(self.line.entry.line, column)
    }
}
