//! The kinds of findings.

/// The subject of a finding, and of a section of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Configuration,
    State,
    Crontabs,
    Journal,
    Log,
    Programs,
    Servers,
}

impl Group {
    pub(crate) const ALL: [Self; 7] = [
        Self::Configuration,
        Self::State,
        Self::Crontabs,
        Self::Journal,
        Self::Log,
        Self::Programs,
        Self::Servers,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::State => "state",
            Self::Crontabs => "crontabs",
            Self::Journal => "journal",
            Self::Log => "log",
            Self::Programs => "programs",
            Self::Servers => "servers",
        }
    }
}

/// Defines every kind of finding with its group and with its name in JSON, which is stable.
macro_rules! kinds {
    ($($group:ident { $($kind:ident = $name:literal),* $(,)? })*) => {
        /// What was found: rcronctl-check(8), "FINDINGS".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
        KeepalivedShell = "keepalived-shell",
        KeepalivedSilent = "keepalived-silent",
    }
    Crontabs {
        CrontabUnreadable = "crontab-unreadable",
        CrontabIgnored = "crontab-ignored",
        CrontabLineIgnored = "crontab-line-ignored",
        CrontabContinuation = "crontab-continuation",
        CrontabCarriageReturn = "crontab-carriage-return",
        ScheduleNever = "schedule-never",
        CrontabNoNewline = "crontab-no-newline",
        CrontabUser = "crontab-user",
        RcronNotFound = "rcron-not-found",
        Usage = "usage",
        DryRun = "dry-run",
        ConfMissing = "conf-missing",
        ConfUnreadable = "conf-unreadable",
        OptionsAfterJob = "options-after-job",
        JobNotFound = "job-not-found",
        ShellWords = "shell-words",
        OutsideRuns = "outside-runs",
        OutsideTruncates = "outside-truncates",
        OutsidePipe = "outside-pipe",
        NotJudged = "not-judged",
        Percent = "percent",
        OpenQuote = "open-quote",
        JobNameTwice = "job-name-twice",
        Unwrapped = "unwrapped",
        OncePerTickRefused = "once-per-tick-refused",
        OncePerTickName = "once-per-tick-name",
        OncePerTickRcrond = "once-per-tick-rcrond",
        SharedNotOncePerTick = "shared-not-once-per-tick",
        StartWithin = "start-within",
        RerunGrace = "rerun-grace",
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
        JournalAllTaken = "journal-all-taken",
        JournalName = "journal-name",
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
        CronMissing = "cron-missing",
        CronStopped = "cron-stopped",
        RcrondSilent = "rcrond-silent",
        RcrondStopped = "rcrond-stopped",
        RcrondDisabled = "rcrond-disabled",
        RcrondStore = "rcrond-store",
        RcrondNoSession = "rcrond-no-session",
        RcrondPolling = "rcrond-polling",
        RcrondDrained = "rcrond-drained",
        RcrondUnwritable = "rcrond-unwritable",
        TicksClosedAhead = "ticks-closed-ahead",
    }
    Servers {
        DriftJobMissing = "drift-job-missing",
        DriftSchedule = "drift-schedule",
        DriftJobZone = "drift-job-zone",
        DriftOncePerTick = "drift-once-per-tick",
        DriftCommand = "drift-command",
        DriftRcronConf = "drift-rcron-conf",
        DriftRcrondToml = "drift-rcrond-toml",
        DriftVersion = "drift-version",
        DriftCronZone = "drift-cron-zone",
        DriftCronStopped = "drift-cron-stopped",
        DriftClock = "drift-clock",
        DriftUnreadable = "drift-unreadable",
        DriftNotPublished = "drift-not-published",
        DriftIncomplete = "drift-incomplete",
        DriftNoSession = "drift-no-session",
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
    fn every_kind_is_tested() {
        let tests = concat!(
            include_str!("../../tests/check/configuration.rs"),
            include_str!("../../tests/check/state.rs"),
            include_str!("../../tests/check/crontabs.rs"),
            include_str!("../../tests/check/journal.rs"),
            include_str!("../../tests/check/rights.rs"),
            include_str!("../../tests/check/surroundings.rs"),
            include_str!("../../tests/check/once_per_tick.rs"),
            include_str!("../../tests/check/drift.rs"),
        );
        // A full file system cannot be made everywhere: journal.rs has a unit test of its rule.
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::JournalFull) {
            assert!(tests.contains(&format!("\"{}\"", kind.name())), "{}", kind.name());
        }
    }
}
