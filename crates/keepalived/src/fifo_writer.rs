//! Who has a file open for writing, and how that process is: proc(5).

use crate::fifo::Identity;
use nix::fcntl::OFlag;
use std::fs;
use std::os::unix::fs::MetadataExt;
use sys::process_tree::{self, Process};

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It goes on.
    Alive,
    /// SIGSTOP, or its like, holds it.
    Stopped,
    /// It is gone, or on its way out: a process closes its files before it is a zombie.
    Gone,
}

/// How it is now.
#[must_use]
pub fn condition(process: Process) -> Condition {
    match process_tree::stat(process.pid) {
        Some(stat) if stat.born != process.born || stat.is_dead || stat.is_exiting => Condition::Gone,
        Some(stat) if stat.is_stopped => Condition::Stopped,
        Some(_) => Condition::Alive,
        None => Condition::Gone,
    }
}

/// Whether a process has this file open for writing.
#[must_use]
pub fn holds(process: Process, file: Identity) -> bool {
    condition(process) != Condition::Gone && writes(process.pid, file)
}

/// The process that has this file open for writing; the oldest, if several have. `None` if there is none, or none that may
/// be looked into (another user's, another pid namespace's).
///
/// A child between fork(2) and execve(2) still has what its parent has, so the oldest is the one that means it.
#[must_use]
pub fn writer(file: Identity) -> Option<Process> {
    let myself = i32::try_from(std::process::id()).ok()?;
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<i32>().ok();
    let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(number);
    pids.filter(|pid| *pid != myself && writes(*pid, file))
        .filter_map(Process::of)
        .min_by_key(|process| (process.born, process.pid))
}

fn writes(pid: i32, file: Identity) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors.flatten().any(|entry| {
        // Through the link to the open file itself: its name may be gone.
        let is_it =
            fs::metadata(entry.path()).is_ok_and(|found| found.dev() == file.device && found.ino() == file.inode);
        let number = entry.file_name();
        is_it && number.to_str().is_some_and(|number| is_for_writing(pid, number))
    })
}

/// `flags:` of proc_pid_fdinfo(5), in octal.
fn is_for_writing(pid: i32, descriptor: &str) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & OFlag::O_ACCMODE.bits() != OFlag::O_RDONLY.bits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    fn until(fact: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !fact() {
            assert!(Instant::now() < deadline, "waited in vain");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_writer_is_found_and_how_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "").expect("written");
        let metadata = fs::metadata(&file).expect("there");
        let identity = Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        let _only_read = fs::File::open(&file).expect("open");
        assert_eq!(writer(identity), None);
        let opened = fs::File::options().append(true).open(&file).expect("open");
        let mut child = Command::new("sleep")
            .arg("600")
            .stdout(Stdio::from(opened))
            .spawn()
            .expect("sleep");
        let found = writer(identity).expect("the child");
        assert_eq!(found.pid, i32::try_from(child.id()).expect("a pid"));
        assert!(holds(found, identity));
        assert_eq!(condition(found), Condition::Alive);
        sys::signal::send(found.pid, nix::sys::signal::Signal::SIGSTOP as i32).expect("sent");
        until(|| condition(found) == Condition::Stopped);
        child.kill().expect("killed");
        until(|| condition(found) == Condition::Gone);
        assert!(!holds(found, identity));
        child.wait().expect("its end");
    }
}
