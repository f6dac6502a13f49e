//! Watches records for a machine: the lease machine those of its last read, the claims machine one for each cluster. Each change of
//! one makes the machine read again.

use super::time_limit::within;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Error, Store, Watch};
use tokio::sync::watch::Receiver;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The shortest pause between attempts. There is no hurry: without a watch the machine polls.
const MIN_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(4);
/// A watch that ends sooner than this counts as failed: the next pause is longer.
const MIN_LIFETIME: Duration = Duration::from_secs(10);

/// What to watch.
#[derive(Clone)]
pub(crate) struct WatchSpec {
    pub(crate) store: Arc<dyn Store>,
    /// Nothing is watched while there are none, or if the store reports no changes.
    pub(crate) keys: Vec<String>,
}

/// What the task reports.
pub(crate) enum WatchReport {
    /// A watched record may have changed.
    Changed,
    /// The watch works; or the last attempt has failed.
    Watching(Result<(), Error>),
}

/// The task. It ends when the loop has dropped its sender.
pub(crate) async fn run(mut specs: Receiver<WatchSpec>, report: impl Fn(WatchReport)) {
    let mut pause = MIN_PAUSE;
    loop {
        let spec = specs.borrow_and_update().clone();
        if spec.keys.is_empty() || !spec.store.reports_changes() {
            if specs.changed().await.is_err() {
                return;
            }
            continue;
        }
        let connected = tokio::select! {
            connected = within(CONNECT_LIMIT, spec.store.watch(spec.keys)) => connected,
            // Perhaps with another store. A sender that was dropped is noticed below.
            Ok(()) = specs.changed() => continue,
        };
        let (lifetime, failure) = match connected {
            Ok(watch) => {
                let begin = Instant::now();
                // This makes the machine read, too: changes before the watch were missed.
                report(WatchReport::Watching(Ok(())));
                match pass_on_changes(watch, &mut specs, &report).await {
                    End::SenderDropped => return,
                    End::SpecChanged => continue,
                    End::WatchFailed(failure) => (begin.elapsed(), failure),
                }
            }
            Err(failure) => (Duration::ZERO, failure),
        };
        report(WatchReport::Watching(Err(failure)));
        pause = if lifetime >= MIN_LIFETIME {
            MIN_PAUSE
        } else {
            (pause * 2).min(MAX_PAUSE)
        };
        tokio::time::sleep(jittered(pause)).await;
        if specs.has_changed().is_err() {
            return;
        }
    }
}

/// Why a watch is over.
enum End {
    SenderDropped,
    SpecChanged,
    WatchFailed(Error),
}

async fn pass_on_changes(
    mut watch: Box<dyn Watch>,
    specs: &mut Receiver<WatchSpec>,
    report: &impl Fn(WatchReport),
) -> End {
    loop {
        tokio::select! {
            changed = watch.changed() => match changed {
                Ok(()) => report(WatchReport::Changed),
                Err(failure) => return End::WatchFailed(failure),
            },
            spec = specs.changed() => {
                return if spec.is_ok() { End::SpecChanged } else { End::SenderDropped };
            }
        }
    }
}

/// Between half of the duration and all of it, because many daemons lose one store at the same moment.
fn jittered(duration: Duration) -> Duration {
    let random = u32::from(sys::random::ten_bytes()[0]);
    duration / 2 + duration / 512 * random
}
