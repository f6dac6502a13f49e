//! Reading runs in a thread of its own, while others are printed: each takes half of the time.

use journal::Runs;
use journal::run::Run;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// For fewer runs, a thread is not worth it.
const FEW: usize = 2_000;
/// How many runs are handed over at once, and how many such batches wait.
const BATCH: usize = 128;
const BATCHES: usize = 4;
/// In bytes of commands: a batch of very long ones has fewer runs.
const LARGEST_BATCH: usize = 256 << 10;

/// Calls `consume` with the runs, which are read ahead.
pub(crate) fn with_runs<T>(runs: &mut Runs, mut consume: impl FnMut(&mut dyn Iterator<Item = Run>) -> T) -> T {
    if runs.len() < FEW {
        return consume(&mut runs.iter());
    }
    let consumed = thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BATCHES);
        let runs = &mut *runs;
        let reader = thread::Builder::new().spawn_scoped(scope, move || read_ahead(runs, &sender));
        // Where no thread can be created, the runs are read below.
        reader.ok().map(|_| consume(&mut receiver.into_iter().flatten()))
    });
    consumed.unwrap_or_else(|| consume(&mut runs.iter()))
}

/// Ends early if nobody wants more runs.
fn read_ahead(runs: &mut Runs, sender: &SyncSender<Vec<Run>>) {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for run in runs.iter() {
        bytes += run.command.len();
        batch.push(run);
        if batch.len() == BATCH || bytes > LARGEST_BATCH {
            if sender.send(std::mem::take(&mut batch)).is_err() {
                return;
            }
            bytes = 0;
        }
    }
    let _ = sender.send(batch);
}
