//! The report: what was found, what was looked at, and what could not be.

use super::finding::{Finding, Severity};
use super::kind::{Group, Kind};
use inputs::diagnostic::shown;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::rc::Rc;
use sys::output::error_text;

/// How many findings of one kind are listed for one file. Any user can write a crontab that is full of mistakes: it must neither
/// fill the memory nor hide the findings of other files.
const MOST_OF_A_KIND: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Ordered, each once: two clusters may share a file.
    pub(crate) findings: BTreeSet<Finding>,
    /// What was looked at. A silent report could mean that nothing was.
    pub(crate) seen: Vec<(Group, String)>,
    /// What was not looked at, with the reason.
    pub(crate) unseen: Vec<(Group, String)>,
    counts: BTreeMap<(Severity, Kind, Rc<Path>), usize>,
}

impl Report {
    pub(crate) fn add(&mut self, finding: Finding) {
        let key = (finding.severity, finding.kind, Rc::clone(&finding.place.file));
        let count = self.counts.entry(key).or_default();
        if *count < MOST_OF_A_KIND {
            *count += usize::from(self.findings.insert(finding));
        } else if !self.findings.contains(&finding) {
            *count += 1;
        }
    }

    pub(crate) fn saw(&mut self, group: Group, what: impl Into<String>) {
        self.seen.push((group, what.into()));
    }

    pub(crate) fn missed(&mut self, group: Group, what: impl Into<String>) {
        self.unseen.push((group, what.into()));
    }

    pub(crate) fn cannot_read(&mut self, group: Group, file: &Path, error: &io::Error) {
        let file = shown(file.as_os_str());
        self.missed(group, format!("{file}: {}", error_text(error)));
    }

    /// To be called after the last finding: says which findings are not listed.
    pub(crate) fn close(&mut self) {
        for ((_, kind, file), count) in std::mem::take(&mut self.counts) {
            if count > MOST_OF_A_KIND {
                let file = shown(file.as_os_str());
                let more = count - MOST_OF_A_KIND;
                let text = format!("{file}: {more} more findings of the kind {}", kind.name());
                self.missed(kind.group(), text);
            }
        }
    }

    /// Whether there is nothing to say about a subject.
    pub(crate) fn is_without(&self, group: Group) -> bool {
        let lines = self.seen.iter().chain(&self.unseen);
        let mut groups = lines
            .map(|(of, _)| *of)
            .chain(self.findings.iter().map(|finding| finding.kind.group()));
        groups.all(|of| of != group)
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        let of_severity = |finding: &&Finding| finding.severity == severity;
        self.findings.iter().filter(of_severity).count()
    }
}
