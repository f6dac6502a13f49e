//! The descendants of a process and the members of a group, from proc(5).

use crate::file;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// A process. Its start time distinguishes it from a later process with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid.
    pub pid: i32,
    /// `starttime` of proc_pid_stat(5), in clock ticks since boot.
    pub born: u64,
}

/// Fields of proc_pid_stat(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// It has ended, with all its threads.
    pub is_dead: bool,
    /// A signal such as SIGSTOP has stopped it.
    pub is_stopped: bool,
    /// It is ending: its files are being closed, but it is not a zombie yet.
    pub is_exiting: bool,
    group: i32,
    /// `starttime`, in clock ticks since boot.
    pub born: u64,
}

/// `PF_EXITING` of the kernel's `include/linux/sched.h`, in field 9, `flags`.
const EXITING: u64 = 0x4;

/// The children of a process, their children, and so on; none without `/proc`.
#[must_use]
pub fn descendants(pid: i32) -> Vec<Process> {
    let mut found = Vec::new();
    let mut next = vec![pid];
    while let Some(parent) = next.pop() {
        for child in children(parent) {
            next.push(child);
            found.extend(stat(child).map(|stat| Process {
                pid: child,
                born: stat.born,
            }));
        }
    }
    found
}

/// Whether a process group has a living member besides its leader; `None` without `/proc`.
#[must_use]
pub fn group_has_others(leader: i32) -> Option<bool> {
    let is_pid = |entry: fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
    let mut others = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(is_pid)
        .filter(|pid| *pid != leader);
    Some(others.any(|pid| stat(pid).is_some_and(|stat| stat.group == leader && !stat.is_dead)))
}

/// The pid namespace of this process; `None` without `/proc`.
#[must_use]
pub fn namespace() -> Option<u64> {
    Some(fs::metadata("/proc/self/ns/pid").ok()?.ino())
}

impl Process {
    /// The process that has this pid now; `None` if there is none, or no `/proc`.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        let born = stat(pid)?.born;
        Some(Self { pid, born })
    }

    /// Whether it exists and is not a zombie.
    #[must_use]
    pub fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.born == self.born && !stat.is_dead)
    }
}

/// Each thread has a list of its own.
fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let lists = threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What proc_pid_stat(5) says of a process. `None` for one that is gone.
#[must_use]
pub fn stat(pid: i32) -> Option<Stat> {
    // 52 numbers of at most 20 digits, and a name.
    parse(file::read_proc(&format!("/proc/{pid}/stat"), &mut [0; 2048])?)
}

/// Parses `PID (NAME) STATE PPID PGRP …`. The name can contain any character. `num_threads` is field 20, `starttime` field 22.
fn parse(line: &[u8]) -> Option<Stat> {
    let end_of_name = line.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&line[end_of_name + 1..]).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        // A process whose first thread has ended is reported as a zombie while its other threads live.
        is_dead: matches!(*fields.first()?, "Z" | "X") && fields.get(17)?.parse::<u32>().ok()? <= 1,
        is_stopped: *fields.first()? == "T",
        is_exiting: fields.get(6)?.parse::<u64>().ok()? & EXITING != 0,
        group: fields.get(2)?.parse().ok()?,
        born: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_parsed_whatever_the_name_contains() {
        let rest = "1 77 70 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 2351104 200";
        let stat = |is_dead| {
            Some(Stat {
                is_dead,
                is_stopped: false,
                is_exiting: false,
                group: 77,
                born: 4242,
            })
        };
        for (name, state, expected) in [
            ("(job)", "S", stat(false)),
            ("(a) Z 1 5)", "R", stat(false)),
            ("(job)", "Z", stat(true)),
            ("(job", "S", None),
        ] {
            assert_eq!(
                parse(format!("12 {name} {state} {rest}").as_bytes()),
                expected,
                "{name} {state}"
            );
        }
        let stopped = format!("12 (job) T {}", rest.replace("4194560", "4194564"));
        let stopped = parse(stopped.as_bytes()).expect("a line");
        assert!(stopped.is_stopped && stopped.is_exiting);
        let threads = parse(b"12 (job) Z 1 77 70 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 3 0 4242 2351104 200");
        assert_eq!(threads, stat(false), "two threads of three live on");
        assert_eq!(parse(b"12 (job) S 1 77"), None);
    }

    #[test]
    fn the_test_itself_is_alive_and_no_other_of_its_number() {
        let pid = i32::try_from(std::process::id()).expect("a pid");
        let born = stat(pid).expect("its own line").born;
        assert!(Process { pid, born }.is_alive());
        assert!(!Process { pid, born: born + 1 }.is_alive());
    }
}
