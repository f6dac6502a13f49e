//! Facts about a process from proc(5).

use crate::Result;
use std::fs;
use std::time::Duration;

/// Sizes in kB.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident: u32,
    pub(crate) proportional: u32,
    pub(crate) private_dirty: u32,
    pub(crate) anonymous: u32,
}

/// The sum over all its mappings.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok(Memory {
        resident: number(&text, "Rss:")?,
        proportional: number(&text, "Pss:")?,
        private_dirty: number(&text, "Private_Dirty:")?,
        anonymous: number(&text, "Anonymous:")?,
    })
}

pub(crate) fn threads(pid: u32) -> Result<u32> {
    number(&fs::read_to_string(format!("/proc/{pid}/status"))?, "Threads:")
}

/// The processor time of all its threads, from schedstat: clock ticks are too coarse for a daemon that mostly sleeps.
pub(crate) fn processor_time(pid: u32) -> Result<Duration> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().ok_or("schedstat is empty")?;
        sum += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(sum))
}

/// Empty if the process is gone.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether the process executes this program and sleeps, so that it has done everything that it does before it waits.
///
/// A parent in vfork(2) does not count: its state is `D`.
pub(crate) fn sleeps_as(pid: u32, program: &str) -> bool {
    // `PID (NAME) STATE …`
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    line.contains(&format!(" ({program}) S "))
}

/// Whether it is gone or a zombie.
pub(crate) fn has_ended(pid: u32) -> bool {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = line.rsplit(") ").next().unwrap_or_default();
    state.is_empty() || state.starts_with(['Z', 'X'])
}

/// Whether it sleeps and has exactly one child, which executes `child` and sleeps.
pub(crate) fn waits_for(pid: u32, program: &str, child: &str) -> bool {
    let is_child = |children: &[u32]| children.len() == 1 && sleeps_as(children[0], child);
    is_child(&children(pid)) && sleeps_as(pid, program)
}

/// Whether it holds an inotify instance.
pub(crate) fn has_inotify(pid: u32) -> Result<bool> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?;
    let mut targets = descriptors
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok());
    Ok(targets.any(|target| target.to_string_lossy().contains("inotify")))
}

/// The number after a label at the beginning of a line.
fn number(text: &str, label: &str) -> Result<u32> {
    let rest = text.lines().find_map(|line| line.strip_prefix(label));
    let word = rest.and_then(|rest| rest.split_whitespace().next());
    let word = word.ok_or_else(|| format!("no {label} in proc(5)"))?;
    Ok(word.parse()?)
}
