//! What the watches of several stores share: a task listens, and whoever waits is told.

use crate::{Answer, Failure, Watch};
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A listening connection on which nothing is heard must be asked now and then whether it is still one. It only carries hints: seconds will do.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// A task that ends with its owner.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) {
        let _ = (&mut self.0).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where to say that something has changed.
#[derive(Clone, Debug)]
pub(crate) struct Mouth(mpsc::Sender<()>);

impl Mouth {
    /// Says so. If the last hint was not taken up yet, that one will do.
    pub(crate) fn hint(&self) {
        let _ = self.0.try_send(());
    }
}

/// Where it is heard.
#[derive(Debug)]
pub(crate) struct Hints(mpsc::Receiver<()>);

pub(crate) fn hints() -> (Mouth, Hints) {
    let (mouth, hints) = mpsc::channel(1);
    (Mouth(mouth), Hints(hints))
}

/// A watch.
pub(crate) struct Ear {
    server: String,
    hints: Hints,
    failure: mpsc::Receiver<Failure>,
    /// What it has come to.
    failed: Option<Failure>,
    _task: Task,
}

impl Ear {
    /// `listening` runs beside, until it fails.
    pub(crate) fn new(server: &str, hints: Hints, listening: impl Future<Output = Failure> + Send + 'static) -> Self {
        let (end, failure) = mpsc::channel(1);
        let task = Task::new(async move {
            let _ = end.send(listening.await).await;
        });
        Self {
            server: server.to_owned(),
            hints,
            failure,
            failed: None,
            _task: task,
        }
    }
}

impl Watch for Ear {
    fn changed(&mut self) -> Answer<'_, ()> {
        Box::pin(async {
            if let Some(failure) = &self.failed {
                return Err(failure.clone());
            }
            let failure = tokio::select! {
                biased;
                Some(()) = self.hints.0.recv() => return Ok(()),
                failure = self.failure.recv() => failure,
            };
            let failure = failure.unwrap_or_else(|| Failure::new(&self.server, "the watch has ended"));
            self.failed = Some(failure.clone());
            Err(failure)
        })
    }
}

/// Listens as long as the connection lives, which `driver` moves; asks now and then whether the server is still there. Returns why it ended.
pub(crate) async fn attend<T, F>(server: &str, mut driver: Task, mut ask: impl FnMut() -> F) -> Failure
where
    F: Future<Output = Result<T, Failure>>,
{
    loop {
        tokio::select! {
            () = driver.ended() => return Failure::new(server, "the connection broke"),
            () = tokio::time::sleep(ASK_EVERY) => {}
        }
        match tokio::time::timeout(ASK_EVERY, ask()).await {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => return failure,
            Err(_) => return Failure::new(server, "does not answer any more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn hints_come_first_and_a_failure_is_for_good() {
        let (mouth, hints) = hints();
        mouth.hint();
        mouth.hint();
        let mut ear = Ear::new("here", hints, async { Failure::new("here", "gone") });
        assert_eq!(ear.changed().await, Ok(()));
        for _ in 0..2 {
            assert_eq!(ear.changed().await, Err(Failure::new("here", "gone")));
        }
        // It does not need the end of what hints.
        drop(mouth);
    }
}
