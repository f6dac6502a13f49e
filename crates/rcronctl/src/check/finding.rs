//! One finding, as data. [`super::print`] and [`super::json`] make text of it.

use super::kind::Kind;
use inputs::diagnostic::shown;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

/// Whether somebody has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// It does harm now, or will at a reboot or failover: exit status 1.
    Wrong,
    /// It may be intended: a hint, which does not change the exit status.
    Doubtful,
}

/// The order of the fields is the order of the report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) what: String,
    /// The effect, unless `what` already shows it.
    pub(crate) why: Option<String>,
    /// What to do about it, as an imperative.
    pub(crate) remedy: String,
}

impl Finding {
    pub(crate) fn new(
        severity: Severity,
        kind: Kind,
        place: &Place,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            place: place.clone(),
            kind,
            what: what.into(),
            why: None,
            remedy: remedy.into(),
        }
    }

    pub(crate) fn wrong(kind: Kind, place: &Place, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Wrong, kind, place, what, remedy)
    }

    pub(crate) fn doubtful(kind: Kind, place: &Place, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Doubtful, kind, place, what, remedy)
    }

    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }
}

/// A file, or a position in it. Cheap to clone: a crontab may have a hundred thousand lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: Rc<Path>,
    /// Line and column, both from 1; the column counts characters.
    pub(crate) position: Option<(usize, usize)>,
}

impl Place {
    pub(crate) fn file(file: &Path) -> Self {
        Self {
            file: file.into(),
            position: None,
        }
    }

    /// A position in the file of this place.
    pub(crate) fn at(&self, line: usize, column: usize) -> Self {
        Self {
            file: Rc::clone(&self.file),
            position: Some((line, column)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&shown(self.file.as_os_str()))?;
        match self.position {
            Some((line, column)) => write!(out, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}
