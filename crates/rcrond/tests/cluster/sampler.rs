//! Looks at all state files all the time, and keeps what they said and when.
//!
//! A look begins before the file is opened and ends after it was read. The file is replaced whole, so what was read was there at
//! some moment between. What two looks in a row find the same was there from the end of the first to the beginning
//! of the second: no epoch and no `until` is ever written twice with another between them.

use crate::check::{Says, Version};
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

/// The thread that looks.
pub(crate) struct Sampler {
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What it saw.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) versions: Vec<Version>,
    pub(crate) looks: u64,
    /// The longest time between two looks at the same file: what was shorter may have been missed.
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
    /// Looks from now on at the file of each node.
    pub(crate) fn start(files: Vec<PathBuf>) -> Self {
        let (seen, over) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let (seen_there, over_there) = (Arc::clone(&seen), Arc::clone(&over));
        let look_on = move || {
            let boot = boot_id().expect("/proc");
            let mut current = vec![None; files.len()];
            while !over_there.load(Ordering::Relaxed) {
                for (node, file) in files.iter().enumerate() {
                    look(&seen_there, node, file, &boot, &mut current[node]);
                }
                thread::sleep(PAUSE);
            }
        };
        Self {
            seen,
            over,
            thread: Some(thread::spawn(look_on)),
        }
    }

    /// Who is active now.
    pub(crate) fn active(&self) -> Vec<Holder> {
        let (seen, now) = (self.seen.lock().expect("whole"), boot_time());
        let mut latest: Vec<&Version> = Vec::new();
        for version in seen.versions.iter().rev() {
            if !latest.iter().any(|later| later.node == version.node) {
                latest.push(version);
            }
        }
        let active = latest.into_iter().filter_map(|version| match version.says {
            Says::Active { until, epoch } if until > now => Some((version.node, epoch, until)),
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

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().expect("whole").clone()
    }
}

impl Seen {
    /// When somebody was first seen active who was not yet at this moment.
    pub(crate) fn first_active_after(&self, dark: BootTime) -> Option<BootTime> {
        let is_active = |version: &&Version| version.first > dark && matches!(version.says, Says::Active { .. });
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
        version.node == node && matches!(version.says, Says::Active { epoch: other, .. } if other == epoch)
    };
    versions.iter().find(is_it).expect("it was seen").first
}

/// `current`: what the file said last, and which version that is.
fn look(seen: &Mutex<Seen>, node: usize, file: &PathBuf, boot: &[u8], current: &mut Option<(Vec<u8>, usize)>) {
    let begun = boot_time();
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => b"(missing)".to_vec(),
        Err(error) => panic!("{}: {error}", file.display()),
    };
    let ended = boot_time();
    let mut seen = seen.lock().expect("whole");
    seen.looks += 1;
    if let Some((_, index)) = current {
        let apart = ended.since(seen.versions[*index].last);
        seen.widest = seen.widest.max(apart);
    }
    match current {
        Some((last, index)) if *last == bytes => seen.versions[*index].last = begun,
        _ => {
            let says = read(&bytes, boot);
            *current = Some((bytes, seen.versions.len()));
            seen.versions.push(Version {
                node,
                says,
                first: ended,
                last: ended,
            });
        }
    }
}

/// Every line that rcrond writes must be one that rcron believes.
fn read(bytes: &[u8], boot: &[u8]) -> Says {
    if bytes == b"(missing)" {
        return Says::Missing;
    }
    let junk = || Says::Junk(String::from_utf8_lossy(bytes).into_owned());
    match State::parse(bytes) {
        Ok(State {
            word: Word::Passive, ..
        }) => Says::Passive,
        Ok(State {
            lease: Lease::Until { end, boot: of },
            epoch: Some(epoch),
            ..
        }) if of == boot => Says::Active { until: end, epoch },
        _ => junk(),
    }
}
