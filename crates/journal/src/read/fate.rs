//! What became of a run without a record of its end.

use super::record::Record;
use crate::run::Fate;
use inputs::clock;
use std::time::Duration;
use sys::environment;
use sys::process_tree::{self, Process};

/// The server, boot and namespace that this process runs in.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) node: String,
    pub(crate) boot: Option<String>,
    pub(crate) namespace: Option<u64>,
    /// `CLOCK_BOOTTIME` now.
    pub(crate) clock: Duration,
}

impl Here {
    pub(crate) fn now() -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            node: text(environment::node_name()),
            boot: clock::boot_id().map(text),
            namespace: process_tree::namespace(),
            clock: clock::boot_time().0,
        }
    }

    /// The fate of a run without an end, as far as it can be found out here.
    pub(crate) fn fate(&self, start: &Record, is_alive: impl Fn(Process) -> bool) -> Fate {
        if start.boot.is_none() || self.boot.is_none() {
            return Fate::Unknown;
        }
        if start.boot != self.boot {
            // Two servers never have the same boot, so another boot is an earlier one, or another server's.
            let is_of_this_server = start.node == self.node;
            return if is_of_this_server {
                Fate::Interrupted
            } else {
                Fate::Unknown
            };
        }
        if start.pidns.is_none() || start.pidns != self.namespace {
            return Fate::Unknown;
        }
        let lasts = || {
            self.clock
                .saturating_sub(Duration::try_from_secs_f64(start.clock).unwrap_or_default())
        };
        let is_there = |pid: Option<u32>, born: Option<u64>| {
            let process = pid.and_then(|pid| i32::try_from(pid).ok()).zip(born);
            process.is_some_and(|(pid, born)| is_alive(Process { pid, born }))
        };
        if is_there(Some(start.pid), start.born) {
            Fate::Running(lasts())
        } else if is_there(start.job_pid, start.job_born) {
            Fate::Unwatched(lasts())
        } else {
            Fate::Interrupted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(boot: &str, namespace: u64) -> Record {
        let record = format!(
            "{{\"time\":\"2026-11-24T03:00:00.000000Z\",\"event\":\"start\",\"run\":\"r\",\"node\":\"server1\",\
             \"cluster\":\"c\",\"command\":\"x\",\"uid\":0,\"pid\":10,\"born\":100,\"job_pid\":11,\"job_born\":101,\
             \"boot\":\"{boot}\",\"pidns\":{namespace},\"clock\":5.0}}"
        );
        Record::parse(record.as_bytes()).expect("a record")
    }

    #[test]
    fn a_live_run_is_never_interrupted_nor_a_recycled_pid_alive() {
        let here = Here {
            node: "server1".to_owned(),
            boot: Some("now".to_owned()),
            namespace: Some(1),
            clock: Duration::from_secs(65),
        };
        let minute = Duration::from_secs(60);
        for (boot, namespace, alive, fate) in [
            ("now", 1, &[(10, 100), (11, 101)][..], Fate::Running(minute)),
            ("now", 1, &[(10, 100)], Fate::Running(minute)),
            ("now", 1, &[(11, 101)], Fate::Unwatched(minute)),
            ("now", 1, &[], Fate::Interrupted),
            ("now", 1, &[(10, 7777), (11, 7778)], Fate::Interrupted),
            ("now", 2, &[(10, 100)], Fate::Unknown),
            ("earlier", 1, &[(10, 100), (11, 101)], Fate::Interrupted),
        ] {
            let is_alive = |process: Process| alive.contains(&(process.pid, process.born));
            assert_eq!(here.fate(&start(boot, namespace), is_alive), fate, "{boot} {namespace}");
        }
    }

    #[test]
    fn what_another_server_does_cannot_be_known() {
        let here = |node: &str, boot: Option<&str>| Here {
            node: node.to_owned(),
            boot: boot.map(str::to_owned),
            namespace: Some(1),
            clock: Duration::ZERO,
        };
        let fate = |here: Here| here.fate(&start("earlier", 1), |_| false);
        assert_eq!(fate(here("server2", Some("now"))), Fate::Unknown);
        assert_eq!(fate(here("server1", Some("now"))), Fate::Interrupted);
        assert_eq!(fate(here("server1", None)), Fate::Unknown);
    }
}
