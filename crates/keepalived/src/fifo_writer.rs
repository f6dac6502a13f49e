//! The process that has a FIFO open for writing, and the state of that process: proc(5).

use crate::fifo::Identity;
use nix::fcntl::OFlag;
use std::fs;
use sys::process_tree::{self, Process};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessState {
    Alive,
    /// By SIGSTOP or a similar signal.
    Stopped,
    /// It has ended or is exiting: a process closes its files before it becomes a zombie.
    Ended,
}

pub(crate) fn process_state(process: Process) -> ProcessState {
    match process_tree::stat(process.pid) {
        Some(stat) if stat.born != process.born || stat.is_dead || stat.is_exiting => ProcessState::Ended,
        Some(stat) if stat.is_stopped => ProcessState::Stopped,
        Some(_) => ProcessState::Alive,
        None => ProcessState::Ended,
    }
}

pub(crate) fn has_ended(process: Process) -> bool {
    process_state(process) == ProcessState::Ended
}

/// Whether this process has the file open for writing.
pub(crate) fn has_open(process: Process, file: Identity) -> bool {
    !has_ended(process) && pid_has_open(process.pid, file)
}

/// The process that has the file open for writing. `None` if there is none, or none whose descriptors can be listed (another user's,
/// another PID namespace's).
///
/// Of several, the oldest: a child between fork(2) and execve(2) still has the descriptors of its parent.
pub(crate) fn find_writer(file: Identity) -> Option<Process> {
    let own_pid = i32::try_from(std::process::id()).ok()?;
    let pid = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<i32>().ok();
    let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(pid);
    pids.filter(|pid| *pid != own_pid && pid_has_open(*pid, file))
        .filter_map(Process::of)
        .min_by_key(|process| (process.born, process.pid))
}

fn pid_has_open(pid: i32, file: Identity) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors.flatten().any(|entry| {
        // metadata follows the link to the open file itself, which may have no name any more.
        let is_it = fs::metadata(entry.path()).is_ok_and(|found| Identity::of(&found) == file);
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
    fn is_found_with_its_state() {
        let _alone = crate::alone::alone();
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "").expect("written");
        let identity = Identity::of(&fs::metadata(&file).expect("there"));
        let _only_read = fs::File::open(&file).expect("open");
        assert_eq!(find_writer(identity), None);
        let opened = fs::File::options().append(true).open(&file).expect("open");
        let mut child = Command::new("sleep")
            .arg("600")
            .stdout(Stdio::from(opened))
            .spawn()
            .expect("sleep");
        let found = find_writer(identity).expect("the child");
        assert_eq!(found.pid, i32::try_from(child.id()).expect("a pid"));
        assert!(has_open(found, identity));
        assert_eq!(process_state(found), ProcessState::Alive);
        sys::signal::send(found.pid, nix::sys::signal::Signal::SIGSTOP as i32).expect("sent");
        until(|| process_state(found) == ProcessState::Stopped);
        child.kill().expect("killed");
        until(|| process_state(found) == ProcessState::Ended);
        assert!(!has_open(found, identity));
        child.wait().expect("its end");
    }
}
