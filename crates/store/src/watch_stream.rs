//! The watch that all clients share: a task listens, and [`Watch::changed`] waits for its reports.

use crate::{Answer, Error, Watch};
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

/// How often a listening connection asks its server for an answer, and how long it waits for that. Seconds are short enough,
/// because the connection carries only hints.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// A task that ends with its owner.
#[derive(Debug)]
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T: Send + 'static> Task<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Waits until it has ended by itself. It may be dropped and called again until it has returned.
    async fn ended(&mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The sender's end of [`notifications`].
#[derive(Clone, Debug)]
pub(crate) struct Notifier(mpsc::Sender<()>);

impl Notifier {
    /// Reports that something has changed. If the last report was not received yet, that one is enough.
    pub(crate) fn notify(&self) {
        let _ = self.0.try_send(());
    }
}

/// The receiver's end of [`notifications`].
#[derive(Debug)]
pub(crate) struct Notifications(mpsc::Receiver<()>);

pub(crate) fn notifications() -> (Notifier, Notifications) {
    let (notifier, notifications) = mpsc::channel(1);
    (Notifier(notifier), Notifications(notifications))
}

/// Listens to a server, and ends with the error that stopped it.
pub(crate) type Listening = Pin<Box<dyn Future<Output = Error> + Send>>;

/// A watch.
pub(crate) struct WatchStream {
    server: String,
    notifications: Notifications,
    task: Task<Error>,
    /// Why the task has ended.
    error: Option<Error>,
}

impl WatchStream {
    pub(crate) fn new(server: &str, notifications: Notifications, listening: Listening) -> Self {
        Self {
            server: server.to_owned(),
            notifications,
            task: Task::new(listening),
            error: None,
        }
    }
}

impl Watch for WatchStream {
    fn changed(&mut self) -> Answer<'_, ()> {
        Box::pin(async {
            if let Some(error) = &self.error {
                return Err(error.clone());
            }
            let ended = tokio::select! {
                biased;
                Some(()) = self.notifications.0.recv() => return Ok(()),
                ended = self.task.ended() => ended,
            };
            let error = ended.unwrap_or_else(|error| Error::Local {
                act: "listen any longer",
                cause: error.to_string(),
            });
            let error = error.at(&self.server);
            self.error = Some(error.clone());
            Err(error)
        })
    }
}

/// Listens as long as the connection lives, which `driver` moves, and `ask` gets an answer from the server. Returns why it ended.
pub(crate) async fn keepalive<T, F>(mut driver: Task<()>, mut ask: impl FnMut() -> F) -> Error
where
    F: Future<Output = Result<T, Error>>,
{
    loop {
        tokio::select! {
            _ = driver.ended() => return Error::lost("the server closed it"),
            () = tokio::time::sleep(KEEPALIVE) => {}
        }
        match tokio::time::timeout(KEEPALIVE, ask()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return error,
            Err(_) => return Error::Silent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_notification_comes_first_and_an_error_stays() {
        let (notifier, notifications) = notifications();
        notifier.notify();
        notifier.notify();
        let mut watch = WatchStream::new("here", notifications, Box::pin(async { Error::Silent }));
        assert_eq!(watch.changed().await, Ok(()));
        for _ in 0..2 {
            assert_eq!(watch.changed().await, Err(Error::Silent.at("here")));
        }
        // The error does not need the notifier's end.
        drop(notifier);
    }
}
