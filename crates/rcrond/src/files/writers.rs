//! Threads that write files, one for each directory. A file system that hangs delays only the files on it, and never the loop.

use super::WriteError;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, by directory. They end when this is dropped and their last write has ended.
#[derive(Default)]
pub(crate) struct FileWriters {
    threads: HashMap<PathBuf, Sender<Job>>,
}

impl FileWriters {
    /// Calls `write` and then `report` in the thread of the file's directory, after all earlier writes in this directory. If
    /// the thread cannot be started, `report` gets the error at once.
    pub(crate) fn write(
        &mut self,
        file: &Path,
        write: impl FnOnce() -> Result<(), WriteError> + Send + 'static,
        report: impl FnOnce(Result<(), WriteError>) + Send + 'static,
    ) {
        match self.thread(directory_of(file)) {
            // The thread ends only after its sender was dropped, so that sending cannot fail.
            Ok(thread) => drop(thread.send(Box::new(|| report(write())))),
            Err(error) => report(Err(WriteError::NoThread(error))),
        }
    }

    /// Calls `job` in the directory's thread, after all earlier writes in this directory. A directory in which nothing was
    /// written has no thread; then `job` is not called.
    pub(crate) fn after_writes(&self, directory: &Path, job: impl FnOnce() + Send + 'static) {
        if let Some(thread) = self.threads.get(directory) {
            drop(thread.send(Box::new(job)));
        }
    }

    fn thread(&mut self, directory: &Path) -> io::Result<&Sender<Job>> {
        match self.threads.entry(directory.to_owned()) {
            Entry::Occupied(thread) => Ok(thread.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(start_thread()?)),
        }
    }
}

/// The directory whose thread writes the file.
pub(crate) fn directory_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

fn start_thread() -> io::Result<Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || jobs.into_iter().for_each(|job| job());
    // A small stack is enough: contents and paths are on the heap.
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
    fn a_hung_directory_delays_no_other_and_each_keeps_its_order() {
        let (release, hangs) = channel::<()>();
        let (done, order) = channel();
        let mut writers = FileWriters::default();
        let hang = move || {
            assert!(hangs.recv().is_err());
            Ok(())
        };
        writers.write(Path::new("/hung/a"), hang, |result| assert!(result.is_ok()));
        for (file, number) in [("/hung/b", 3), ("/fine/a", 1), ("/fine/b", 2)] {
            let done = done.clone();
            writers.write(
                Path::new(file),
                || Ok(()),
                move |_| done.send(number).expect("received"),
            );
        }
        let next = || order.recv_timeout(Duration::from_secs(60)).expect("in time");
        assert_eq!([next(), next()], [1, 2]);
        drop(release);
        assert_eq!(next(), 3);
    }
}
