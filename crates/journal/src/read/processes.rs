//! Whether a process that a record names exists, and whose it is.

use inputs::clock;
use std::collections::{HashMap, HashSet};
use std::fs;
use sys::process_tree::{self, Process};

/// `PROC_PID_INIT_INO` of the kernel's `include/linux/proc_ns.h`.
const INITIAL_NAMESPACE: u64 = 0xEFFF_FFFC;
/// How many answers are remembered.
const MOST_KNOWN: usize = 10_000;

/// The process of a pid and a start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It exists and belongs to the user in question.
    Theirs,
    /// It exists and belongs to another user.
    Foreign,
    /// It does not exist.
    Gone,
    /// It cannot be seen from here.
    Hidden,
}

/// Looks up processes of our own pid namespace, and remembers the answers. An answer is used only for records that were written
/// before it was found.
#[derive(Default)]
pub(crate) struct Processes {
    known: HashMap<i32, (f64, Option<Found>)>,
    /// All pids, and when they were listed, by the boot clock in seconds.
    pids: Option<(f64, HashSet<i32>)>,
}

/// The processes of all nested pid namespaces, as they were at some time.
#[derive(Default)]
pub(crate) struct Nested {
    /// By the boot clock, in seconds; `None` before the first look.
    taken: Option<f64>,
    /// With the pid in the process's own namespace; `None` if not every process can be seen.
    processes: Option<Vec<(i32, Found)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    born: u64,
    /// The real and the effective user.
    users: [u32; 2],
}

/// The lines `Uid` and `NSpid` of proc_pid_status(5).
#[derive(Debug, PartialEq, Eq)]
struct Status {
    users: [u32; 2],
    /// From the outermost namespace that is visible to the process's own one.
    pids: Vec<i32>,
}

impl Found {
    /// Root may name any process: it starts jobs for others. A job of a user may have become another one by a set-user-ID program.
    fn presence(self, owner: u32) -> Presence {
        if owner == 0 || self.users.contains(&owner) {
            Presence::Theirs
        } else {
            Presence::Foreign
        }
    }
}

impl Processes {
    /// Whether no process has this pid, as far as that is known without looking at each process.
    pub(super) fn is_certainly_gone(&mut self, pid: i32, written: f64) -> bool {
        let (taken, pids) = self.pids.get_or_insert_with(|| (now(), all_pids().collect()));
        // If /proc cannot be listed, nothing is certain.
        written < *taken && !pids.is_empty() && !pids.contains(&pid)
    }

    /// The process of this pid, if it has this start time.
    pub(super) fn look_up(&mut self, process: Process, owner: u32, written: f64) -> Presence {
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        let find = || (now(), find(process.pid).map(|found| found.1));
        let known = self.known.entry(process.pid).or_insert_with(find);
        if known.0 <= written {
            *known = find();
        }
        match known.1 {
            Some(found) if found.born == process.born => found.presence(owner),
            _ => Presence::Gone,
        }
    }
}

impl Nested {
    /// The process of this pid in another namespace than ours.
    pub(super) fn look_up(&mut self, process: Process, owner: u32, written: f64) -> Presence {
        let now = now();
        // What was started after the last look has not been seen by it.
        if written.is_nan() || written > now {
            return Presence::Hidden;
        }
        if self.taken.is_none_or(|taken| taken <= written) {
            *self = Self {
                taken: Some(now),
                processes: sees_everything().then(nested_processes),
            };
        }
        let Some(processes) = &self.processes else {
            return Presence::Hidden;
        };
        let same = |(pid, found): &&(i32, Found)| *pid == process.pid && found.born == process.born;
        let presences = processes.iter().filter(same).map(|(_, found)| found.presence(owner));
        // Containers may have processes of one pid that were created in the same clock tick.
        presences
            .min_by_key(|presence| *presence != Presence::Theirs)
            .unwrap_or(Presence::Gone)
    }
}

/// Whether every process of this machine is visible: only in the initial pid namespace, and without `hidepid`.
fn sees_everything() -> bool {
    let hides = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        fields.get(1) == Some(&"/proc")
            && fields.get(3).is_some_and(|options| {
                options
                    .split(',')
                    .any(|option| option.starts_with("hidepid=") && option != "hidepid=0" && option != "hidepid=off")
            })
    };
    process_tree::namespace() == Some(INITIAL_NAMESPACE)
        && fs::read_to_string("/proc/self/mounts").is_ok_and(|mounts| !mounts.lines().any(hides))
}

/// The living processes that are in a pid namespace below ours.
fn nested_processes() -> Vec<(i32, Found)> {
    all_pids()
        .filter_map(find)
        .filter_map(|(status, found)| Some((*status.pids.get(1..)?.last()?, found)))
        .collect()
}

fn all_pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The boot clock, in seconds.
fn now() -> f64 {
    clock::boot_time().0.as_secs_f64()
}

/// A living process.
fn find(pid: i32) -> Option<(Status, Found)> {
    let stat = process_tree::stat(pid).filter(|stat| !stat.is_dead)?;
    let status = parse(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)?;
    let found = Found {
        born: stat.born,
        users: status.users,
    };
    Some((status, found))
}

fn parse(status: &str) -> Option<Status> {
    let numbers = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    };
    let users = numbers("Uid:")?;
    let pids = numbers("NSpid:").unwrap_or_default();
    Some(Status {
        users: [users.first()?.parse().ok()?, users.get(1)?.parse().ok()?],
        pids: pids.iter().filter_map(|pid| pid.parse().ok()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Process {
        let pid = i32::try_from(std::process::id()).expect("a pid");
        Process::of(pid).expect("alive")
    }

    #[test]
    fn a_status_is_read() {
        let status = "Name:\tUid: 7\nUid:\t1000\t0\t0\t0\nGid:\t1\t1\t1\t1\nNSpid:\t4711\t12\t1\n";
        let expected = Status {
            users: [1000, 0],
            pids: vec![4711, 12, 1],
        };
        assert_eq!(parse(status), Some(expected));
        assert_eq!(parse("Name:\tx\n"), None);
    }

    #[test]
    fn a_process_belongs_to_its_user_and_to_root() {
        let mut processes = Processes::default();
        let user = sys::environment::effective_user();
        assert_eq!(processes.look_up(own(), user, 0.0), Presence::Theirs);
        assert_eq!(processes.look_up(own(), 0, 0.0), Presence::Theirs);
        assert_eq!(processes.look_up(own(), user + 4242, 0.0), Presence::Foreign);
        let reused = Process {
            born: own().born + 1,
            ..own()
        };
        assert_eq!(processes.look_up(reused, user, 0.0), Presence::Gone);
    }

    #[test]
    fn an_old_answer_does_not_count_for_a_newer_record() {
        let mut processes = Processes::default();
        let user = sys::environment::effective_user();
        processes.known.insert(own().pid, (10.0, None));
        assert_eq!(processes.look_up(own(), user, 9.0), Presence::Gone);
        assert_eq!(processes.look_up(own(), user, 11.0), Presence::Theirs);
        processes.pids = Some((10.0, HashSet::from([1])));
        assert!(processes.is_certainly_gone(own().pid, 9.0));
        assert!(!processes.is_certainly_gone(own().pid, 11.0));
        assert!(!processes.is_certainly_gone(1, 9.0));
    }

    #[test]
    fn a_process_of_another_namespace_is_looked_for_again_if_it_is_newer_than_the_last_look() {
        let found = Found { born: 5, users: [7, 7] };
        let mut nested = Nested {
            taken: Some(10.0),
            processes: Some(vec![(12, found)]),
        };
        let now = now();
        let mut look_up = |pid, born, written| nested.look_up(Process { pid, born }, 7, written);
        assert_eq!(look_up(12, 5, 9.0), Presence::Theirs);
        assert_eq!(look_up(12, 6, 9.0), Presence::Gone);
        assert_eq!(look_up(12, 5, now + 3600.0), Presence::Hidden, "of the future");
        // The second look does not find it, or cannot see everything.
        assert_ne!(look_up(12, 5, 11.0), Presence::Theirs);
        assert!(nested.taken >= Some(now));
    }
}
