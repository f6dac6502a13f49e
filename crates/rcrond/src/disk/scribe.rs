//! Writers of files, one thread for each directory: a hung file system holds up only what is on it, and the loop never.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread;

/// Something to write.
type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end with this.
#[derive(Default)]
pub(crate) struct Scribes {
    threads: HashMap<PathBuf, Sender<Job>>,
}

impl Scribes {
    /// Has a file of this directory written, after all that was asked for in the same directory before. Where there can be no thread, the job is told
    /// so instead, at once.
    pub(crate) fn write(&mut self, file: &Path, job: impl FnOnce(io::Result<()>) + Send + 'static) {
        let directory = file.parent().unwrap_or(Path::new("/"));
        match self.thread(directory) {
            // A thread ends only after its sender.
            Ok(thread) => drop(thread.send(Box::new(|| job(Ok(()))))),
            Err(error) => job(Err(error)),
        }
    }

    fn thread(&mut self, directory: &Path) -> io::Result<&Sender<Job>> {
        match self.threads.entry(directory.to_owned()) {
            Entry::Occupied(thread) => Ok(thread.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(spawn()?)),
        }
    }
}

fn spawn() -> io::Result<Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || jobs.into_iter().for_each(|job| job());
    // What is written is a line; the paths are on the heap.
    thread::Builder::new()
        .name("files".to_owned())
        .stack_size(128 << 10)
        .spawn(work)?;
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn a_directory_that_hangs_holds_up_no_other_and_order_is_kept_in_one() {
        let (release, hangs) = channel::<()>();
        let (done, order) = channel();
        let mut scribes = Scribes::default();
        scribes.write(Path::new("/hung/a"), move |_| assert!(hangs.recv().is_err()));
        for (file, number) in [("/hung/b", 3), ("/fine/a", 1), ("/fine/b", 2)] {
            let done = done.clone();
            scribes.write(Path::new(file), move |_| done.send(number).expect("heard"));
        }
        let next = || order.recv_timeout(Duration::from_secs(60)).expect("in time");
        assert_eq!([next(), next()], [1, 2]);
        drop(release);
        assert_eq!(next(), 3);
    }
}
