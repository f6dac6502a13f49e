//! What became of a run without a record of its end: docs/design/journal.md, "Which runs were interrupted".

use super::processes::{Nested, Presence, Processes};
use super::record::Record;
use crate::run::Fate;
use inputs::clock;
use std::collections::HashSet;
use std::time::Duration;
use sys::environment;
use sys::process_tree::{self, Process};

/// The server, boot and namespace that this process runs in.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) node: String,
    pub(crate) boot: Option<String>,
    pub(crate) namespace: Option<u64>,
}

/// Where a run was started and by which processes, according to the record of its start: what its fate depends on.
/// The default is that of a record that says nothing about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    boot: Option<SameBoot>,
    is_this_node: bool,
    namespace: Option<u64>,
    rcron: Pid,
    leader: Option<Pid>,
    /// When the record was written, by the boot clock in seconds.
    written: f64,
}

/// Whether the boot of a record is the present one.
type SameBoot = bool;
/// A pid and the start time of the process.
type Pid = (u32, Option<u64>);

/// The processes of one owner that belong to newer runs: a process is rcron for one run, or the leader of one.
pub(super) type Claimed = HashSet<Pid>;

/// Who has the pids of a record.
pub(super) trait Lookup {
    /// A process of our own pid namespace. `owner` is the owner of the record's file.
    /// `written` is when the record was written, by the boot clock in seconds.
    fn own(&mut self, process: Process, owner: u32, written: f64) -> Presence;
    /// A process of another pid namespace.
    fn other(&mut self, process: Process, owner: u32, written: f64) -> Presence;
}

/// The processes of this machine.
#[derive(Default)]
pub(super) struct Everywhere {
    pub(super) here: Processes,
    nested: Nested,
}

impl Lookup for Everywhere {
    fn own(&mut self, process: Process, owner: u32, written: f64) -> Presence {
        self.here.look_up(process, owner, written)
    }

    fn other(&mut self, process: Process, owner: u32, written: f64) -> Presence {
        self.nested.look_up(process, owner, written)
    }
}

impl Here {
    pub(crate) fn now() -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            node: text(environment::node_name()),
            boot: clock::boot_id().map(text),
            namespace: process_tree::namespace(),
        }
    }

    /// What the fate of a run depends on.
    pub(super) fn origin(&self, start: &Record) -> Origin {
        Origin {
            boot: self.is_of_this_boot(start),
            is_this_node: start.node == self.node,
            namespace: start.pidns,
            rcron: (start.pid, start.born),
            leader: start.job_pid.map(|pid| (pid, start.job_born)),
            written: start.clock,
        }
    }

    /// The fate of a run without an end, as far as it can be found out here.
    pub(super) fn fate(&self, start: &Origin, owner: u32, lookup: &mut impl Lookup) -> Fate {
        let Some(is_this_boot) = start.boot else {
            return Fate::Unknown;
        };
        if self.boot.is_none() || start.namespace.is_none() || self.namespace.is_none() {
            return Fate::Unknown;
        }
        if !is_this_boot {
            // Two servers never have the same boot, so another boot is an earlier one, or another server's.
            return if start.is_this_node {
                Fate::Interrupted
            } else {
                Fate::Unknown
            };
        }
        let mut presence = |(pid, born): Pid| {
            let process = i32::try_from(pid).ok().zip(born);
            process.map_or(Presence::Gone, |(pid, born)| {
                let process = Process { pid, born };
                if start.namespace == self.namespace {
                    lookup.own(process, owner, start.written)
                } else {
                    lookup.other(process, owner, start.written)
                }
            })
        };
        let lasts = || since(start.written, clock::boot_time().0);
        match presence(start.rcron) {
            Presence::Theirs => Fate::Running(lasts()),
            Presence::Hidden | Presence::Foreign => Fate::Unknown,
            Presence::Gone => match start.leader.map_or(Presence::Gone, presence) {
                Presence::Theirs => Fate::Unwatched(lasts()),
                Presence::Hidden | Presence::Foreign => Fate::Unknown,
                Presence::Gone => Fate::Interrupted,
            },
        }
    }

    /// `None` if it is not known, or if the start times of the run's processes are by the clock of another time namespace.
    fn is_of_this_boot(&self, start: &Record) -> Option<SameBoot> {
        let boot = start.boot.as_deref()?;
        let is_this = self.is_this_boot(start);
        let is_other_clock = !is_this && machine(Some(boot)) == machine(self.boot.as_deref());
        (!is_other_clock).then_some(is_this)
    }

    pub(super) fn is_this_boot(&self, record: &Record) -> bool {
        self.boot.is_some() && record.boot.as_deref() == self.boot.as_deref()
    }
}

impl Origin {
    /// Whether the run was started since this server has booted.
    #[must_use]
    pub fn is_this_boot(&self) -> bool {
        self.boot == Some(true)
    }

    /// Whether it may be running here, although that cannot be seen.
    pub(super) fn is_here(&self) -> bool {
        self.is_this_boot() && self.is_this_node
    }

    /// The fate, unless a newer run has the process.
    pub(super) fn settle(&self, fate: Fate, claimed: &mut Claimed) -> Fate {
        let process = match fate {
            Fate::Running(_) => Some(self.rcron),
            Fate::Unwatched(_) => self.leader,
            Fate::Ended(_) | Fate::Interrupted | Fate::Unknown => return fate,
        };
        if process.is_some_and(|process| claimed.insert(process)) {
            fate
        } else {
            Fate::Unknown
        }
    }
}

/// A boot's id, without what a time namespace adds to it.
fn machine(boot: Option<&str>) -> Option<&str> {
    boot?.split('@').next()
}

/// How long a run has been in progress; `now` is of the boot clock.
pub(super) fn lasts(start: &Record, now: Duration) -> Duration {
    since(start.clock, now)
}

fn since(written: f64, now: Duration) -> Duration {
    now.saturating_sub(Duration::try_from_secs_f64(written).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The processes of our namespace and of others: pid, start time, and the owner.
    struct Fake {
        own: &'static [(i32, u64, u32)],
        /// `None` if they cannot be seen.
        other: Option<&'static [(i32, u64, u32)]>,
    }

    fn find(processes: &[(i32, u64, u32)], process: Process, owner: u32) -> Presence {
        let same = processes
            .iter()
            .find(|(pid, born, _)| (*pid, *born) == (process.pid, process.born));
        match same {
            Some((_, _, user)) if *user == owner || owner == 0 => Presence::Theirs,
            Some(_) => Presence::Foreign,
            None => Presence::Gone,
        }
    }

    impl Lookup for Fake {
        fn own(&mut self, process: Process, owner: u32, _: f64) -> Presence {
            find(self.own, process, owner)
        }

        fn other(&mut self, process: Process, owner: u32, _: f64) -> Presence {
            self.other
                .map_or(Presence::Hidden, |processes| find(processes, process, owner))
        }
    }

    fn line(node: &str, boot: &str, namespace: u64) -> String {
        format!(
            "{{\"time\":\"2026-11-24T03:00:00.000000Z\",\"event\":\"start\",\"run\":\"r\",\"node\":\"{node}\",\
             \"cluster\":\"c\",\"command\":\"x\",\"uid\":0,\"pid\":10,\"born\":100,\"job_pid\":11,\"job_born\":101,\
             \"boot\":\"{boot}\",\"pidns\":{namespace},\"clock\":0.0}}"
        )
    }

    fn here(node: &str, boot: Option<&str>) -> Here {
        Here {
            node: node.to_owned(),
            boot: boot.map(str::to_owned),
            namespace: Some(1),
        }
    }

    /// The fate as its word, of a run of this node.
    fn fate(boot: &str, namespace: u64, owner: u32, mut fake: Fake) -> &'static str {
        let line = line("server1", boot, namespace);
        let record = Record::parse(line.as_bytes()).expect("a record");
        let here = here("server1", Some("now"));
        here.fate(&here.origin(&record), owner, &mut fake).word()
    }

    #[test]
    fn a_live_run_is_never_interrupted_nor_a_recycled_pid_alive() {
        for (boot, own, word) in [
            ("now", &[(10, 100, 7), (11, 101, 7)][..], "running"),
            ("now", &[(10, 100, 7)], "running"),
            ("now", &[(11, 101, 7)], "unwatched"),
            ("now", &[], "interrupted"),
            ("now", &[(10, 7777, 7), (11, 7778, 7)], "interrupted"),
            ("earlier", &[(10, 100, 7), (11, 101, 7)], "interrupted"),
        ] {
            assert_eq!(fate(boot, 1, 7, Fake { own, other: None }), word, "{boot} {own:?}");
        }
    }

    #[test]
    fn a_run_of_another_time_namespace_is_unknown() {
        let own: &[(i32, u64, u32)] = &[(10, 100, 7)];
        for boot in ["now@-30:0", "now@30:1"] {
            for namespace in [1, 2] {
                assert_eq!(
                    fate(boot, namespace, 7, Fake { own, other: Some(own) }),
                    "unknown",
                    "{boot}"
                );
            }
        }
        assert_eq!(fate("earlier@-30:0", 1, 7, Fake { own, other: None }), "interrupted");
    }

    #[test]
    fn a_process_of_another_user_is_not_the_runs() {
        for (owner, own, word) in [
            (7, &[(10, 100, 0)][..], "unknown"),
            (7, &[(11, 101, 0)], "unknown"),
            (7, &[(10, 100, 0), (11, 101, 7)], "unknown"),
            (0, &[(10, 100, 7)], "running"),
            (0, &[(11, 101, 7)], "unwatched"),
        ] {
            assert_eq!(
                fate("now", 1, owner, Fake { own, other: None }),
                word,
                "{owner} {own:?}"
            );
        }
    }

    #[test]
    fn a_run_of_another_namespace_is_judged_only_where_its_processes_would_be_seen() {
        const SAME_PID_HERE: &[(i32, u64, u32)] = &[(10, 100, 7)];
        for (other, word) in [
            (None, "unknown"),
            (Some(&[][..]), "interrupted"),
            (Some(&[(10, 100, 7)]), "running"),
            (Some(&[(11, 101, 7)]), "unwatched"),
            (Some(&[(10, 100, 8)]), "unknown"),
        ] {
            let own = SAME_PID_HERE;
            assert_eq!(fate("now", 2, 7, Fake { own, other }), word, "{other:?}");
        }
    }

    #[test]
    fn what_another_server_does_cannot_be_known() {
        let line = line("server1", "earlier", 1);
        let record = Record::parse(line.as_bytes()).expect("a record");
        let fate = |here: Here| {
            let mut fake = Fake {
                own: &[],
                other: Some(&[]),
            };
            here.fate(&here.origin(&record), 7, &mut fake)
        };
        assert_eq!(fate(here("server2", Some("now"))), Fate::Unknown);
        assert_eq!(fate(here("server1", Some("now"))), Fate::Interrupted);
        assert_eq!(fate(here("server1", None)), Fate::Unknown);
    }
}
