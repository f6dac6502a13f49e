//! Reads all state files all the time, and records their contents with the times.
//!
//! A file is replaced as a whole, so its content was there at some moment between the beginning and the end of the read. If two
//! reads in a row find the same content, it was there from the end of the first to the beginning of the second, because no
//! content is written again after another one: each has another epoch or `until`.

use crate::check::{Content, Version};
use inputs::clock::{boot_id, boot_time};
use policy::moment::BootTime;
use policy::state::{Lease, State, Word};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(1);

/// The thread that reads the files.
pub(crate) struct Sampler {
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What was recorded.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) versions: Vec<Version>,
    pub(crate) reads: u64,
    /// The longest time between two reads of a file. A content that was there for less may have been missed.
    pub(crate) widest: Duration,
}

/// A node that is active now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) node: usize,
    pub(crate) epoch: u64,
    pub(crate) until: BootTime,
    /// When its state file was first seen with this epoch.
    pub(crate) since: BootTime,
}

impl Sampler {
    /// Starts to read the file of each node.
    pub(crate) fn start(files: Vec<PathBuf>) -> Self {
        let (seen, over) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let (seen_there, over_there) = (Arc::clone(&seen), Arc::clone(&over));
        let read_all = move || {
            let boot = boot_id().expect("/proc");
            let mut current = vec![None; files.len()];
            while !over_there.load(Ordering::Relaxed) {
                for (node, file) in files.iter().enumerate() {
                    read_file(&seen_there, node, file, &boot, &mut current[node]);
                }
                thread::sleep(PAUSE);
            }
        };
        Self {
            seen,
            over,
            thread: Some(thread::spawn(read_all)),
        }
    }

    /// The nodes that are active now.
    pub(crate) fn active(&self) -> Vec<Holder> {
        let (seen, now) = (self.seen.lock().expect("whole"), boot_time());
        let mut latest: Vec<&Version> = Vec::new();
        for version in seen.versions.iter().rev() {
            if !latest.iter().any(|later| later.node == version.node) {
                latest.push(version);
            }
        }
        let active = latest.into_iter().filter_map(|version| match version.content {
            Content::Active { until, epoch } if until > now => Some((version.node, epoch, until)),
            _ => None,
        });
        active
            .map(|(node, epoch, until)| Holder {
                node,
                epoch,
                until,
                since: since(&seen.versions, node, epoch),
            })
            .collect()
    }

    /// What was recorded so far.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().expect("whole").clone()
    }
}

impl Seen {
    /// When a node was first seen active after this moment.
    pub(crate) fn first_active_after(&self, dark: BootTime) -> Option<BootTime> {
        let is_active = |version: &&Version| version.first > dark && matches!(version.content, Content::Active { .. });
        self.versions.iter().find(is_active).map(|version| version.first)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn since(versions: &[Version], node: usize, epoch: u64) -> BootTime {
    let is_it = |version: &&Version| {
        version.node == node && matches!(version.content, Content::Active { epoch: other, .. } if other == epoch)
    };
    versions.iter().find(is_it).expect("it was seen").first
}

/// `current` is the file's last content, and the index of its version.
fn read_file(seen: &Mutex<Seen>, node: usize, file: &PathBuf, boot: &[u8], current: &mut Option<(Vec<u8>, usize)>) {
    let begun = boot_time();
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => b"(missing)".to_vec(),
        Err(error) => panic!("{}: {error}", file.display()),
    };
    let ended = boot_time();
    let mut seen = seen.lock().expect("whole");
    seen.reads += 1;
    if let Some((_, index)) = current {
        let apart = ended.since(seen.versions[*index].last);
        seen.widest = seen.widest.max(apart);
    }
    match current {
        Some((last, index)) if *last == bytes => seen.versions[*index].last = begun,
        _ => {
            let content = parse(&bytes, boot);
            *current = Some((bytes, seen.versions.len()));
            seen.versions.push(Version {
                node,
                content,
                first: ended,
                last: ended,
            });
        }
    }
}

/// rcron must accept each line that rcrond writes.
fn parse(bytes: &[u8], boot: &[u8]) -> Content {
    if bytes == b"(missing)" {
        return Content::Missing;
    }
    let junk = || Content::Junk(String::from_utf8_lossy(bytes).into_owned());
    match State::parse(bytes) {
        Ok(State {
            word: Word::Passive, ..
        }) => Content::Passive,
        Ok(State {
            lease: Lease::Until { end, boot: of },
            epoch: Some(epoch),
            ..
        }) if of == boot => Content::Active { until: end, epoch },
        _ => junk(),
    }
}
