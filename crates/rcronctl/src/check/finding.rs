//! What was found, as data: printing is elsewhere.

use inputs::diagnostic::shown;
use std::path::{Path, PathBuf};

/// Whether it must be put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// It does harm, or will: exit status 1.
    Wrong,
    /// It may be meant so: a hint, which leaves the exit status alone.
    Doubtful,
}

/// One thing that is wrong or doubtful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    pub(crate) what: String,
    /// What comes of it, where that is not plain.
    pub(crate) why: Option<String>,
    pub(crate) remedy: String,
}

/// A file, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) line: Option<usize>,
    /// In characters, from 1.
    pub(crate) column: Option<usize>,
}

impl Place {
    pub(crate) fn file(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
        }
    }

    pub(crate) fn line(file: &Path, line: usize, column: usize) -> Self {
        Self {
            file: file.to_owned(),
            line: Some(line),
            column: Some(column),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&shown(self.file.as_os_str()))?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(out, ":{number}")?;
        }
        Ok(())
    }
}

impl Finding {
    pub(crate) fn new(
        severity: Severity,
        kind: Kind,
        place: Place,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            kind,
            place,
            what: what.into(),
            why: None,
            remedy: remedy.into(),
        }
    }

    pub(crate) fn wrong(kind: Kind, place: Place, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Wrong, kind, place, what, remedy)
    }

    pub(crate) fn doubtful(kind: Kind, place: Place, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Doubtful, kind, place, what, remedy)
    }

    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }
}

/// All that was looked at, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    /// What was looked at: silence must not mean "not looked".
    pub(crate) seen: Vec<(Group, String)>,
    /// What could not be looked at, and why.
    pub(crate) unseen: Vec<(Group, String)>,
}

impl Report {
    pub(crate) fn add(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    pub(crate) fn saw(&mut self, group: Group, what: impl Into<String>) {
        self.seen.push((group, what.into()));
    }

    pub(crate) fn missed(&mut self, group: Group, what: impl Into<String>) {
        self.unseen.push((group, what.into()));
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Configuration,
    State,
    Crontabs,
    Journal,
    Log,
    Programs,
}

impl Group {
    pub(crate) const ALL: [Self; 6] = [
        Self::Configuration,
        Self::State,
        Self::Crontabs,
        Self::Journal,
        Self::Log,
        Self::Programs,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::State => "state",
            Self::Crontabs => "crontabs",
            Self::Journal => "journal",
            Self::Log => "log",
            Self::Programs => "programs",
        }
    }
}

/// Defines every kind of finding with its name for programs, which is stable, and the group it is told in.
macro_rules! kinds {
    ($($group:ident { $($kind:ident = $name:literal),* $(,)? })*) => {
        /// What sort of thing was found: rcronctl-check(8), "FINDINGS".
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($($kind,)*)* }

        impl Kind {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$($(Self::$kind,)*)*];

            /// As in JSON and in the manual.
            pub(crate) const fn name(self) -> &'static str {
                match self { $($(Self::$kind => $name,)*)* }
            }

            pub(crate) const fn group(self) -> Group {
                match self { $($(Self::$kind => Group::$group,)*)* }
            }
        }
    };
}

kinds! {
    Configuration {
        ConfigRefused = "config-refused",
        ConfigWarning = "config-warning",
        ConfigMissing = "config-missing",
        ConfigWritable = "config-writable",
        ConfigOwner = "config-owner",
        SameStateFile = "config-same-state-file",
        SameCluster = "config-same-cluster",
        DefaultActive = "default-active",
        LeaseNotRequired = "lease-not-required",
    }
    State {
        StateMissing = "state-missing",
        StateUnreadable = "state-unreadable",
        StateJunk = "state-junk",
        StateRelative = "state-relative",
        StateHidden = "state-hidden",
        StateOwner = "state-owner",
        StateWritable = "state-writable",
        StateDirectoryMissing = "state-directory-missing",
        StateDirectoryWritable = "state-directory-writable",
        StateDirectoryAtBoot = "state-directory-at-boot",
        StateForeignLink = "state-foreign-link",
        StatePersistent = "state-persistent",
        StateMount = "state-mount",
        StateStale = "state-stale",
        StateNearlyStale = "state-nearly-stale",
        StateFuture = "state-future",
        StateNoLease = "state-no-lease",
    }
    Crontabs {
        CrontabUnreadable = "crontab-unreadable",
        CrontabIgnored = "crontab-ignored",
        CrontabNoNewline = "crontab-no-newline",
        CrontabUser = "crontab-user",
        RcronNotFound = "rcron-not-found",
        Usage = "usage",
        DryRun = "dry-run",
        ConfMissing = "conf-missing",
        OptionsAfterJob = "options-after-job",
        JobNotFound = "job-not-found",
        ShellWords = "shell-words",
        OutsideRuns = "outside-runs",
        OutsideTruncates = "outside-truncates",
        OutsidePipe = "outside-pipe",
        Percent = "percent",
        OpenQuote = "open-quote",
        JobNameTwice = "job-name-twice",
        Unwrapped = "unwrapped",
    }
    Journal {
        JournalMissing = "journal-missing",
        JournalNotDirectory = "journal-not-a-directory",
        JournalMode = "journal-mode",
        JournalOwner = "journal-owner",
        JournalVolatile = "journal-volatile",
        JournalReadOnly = "journal-read-only",
        JournalFull = "journal-full",
        JournalTaken = "journal-taken",
        JournalFileMode = "journal-file-mode",
    }
    Log {
        SyslogMissing = "syslog-missing",
        SyslogDeaf = "syslog-deaf",
        SyslogUnreachable = "syslog-unreachable",
    }
    Programs {
        RcronMissing = "rcron-missing",
        RcronSeveral = "rcron-several",
        RcronSetuid = "rcron-setuid",
        RcronWritable = "rcron-writable",
        RcrondSilent = "rcrond-silent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_in_the_manual() {
        let manual = include_str!("../../../../docs/man/rcronctl-check.8");
        for kind in Kind::ALL {
            assert!(manual.contains(&format!(".It Cm {}\n", kind.name())), "{}", kind.name());
        }
    }

    #[test]
    fn every_kind_is_shown_by_a_test() {
        let tests = concat!(
            include_str!("../../tests/check/configuration.rs"),
            include_str!("../../tests/check/state.rs"),
            include_str!("../../tests/check/crontabs.rs"),
            include_str!("../../tests/check/journal.rs"),
            include_str!("../../tests/check/surroundings.rs"),
        );
        // A full or read-only file system cannot be made everywhere: journal.rs has their rules and unit tests.
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::JournalFull) {
            assert!(tests.contains(&format!("\"{}\"", kind.name())), "{}", kind.name());
        }
    }
}
