//! What the tasks around the loop tell it.

use crate::daemon::Renewal;
use lease::{ClusterName, Input};
use store::Error;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Something that a task has to say.
pub(crate) enum News {
    /// For the machine.
    Input(Input),
    /// Why the store did not answer.
    StoreFailed(Error),
    /// What an administrator should know of the store.
    Concerns(Vec<String>),
    /// Epochs or identity could not be written, and why.
    FileFailed(String),
    /// A state file could not be written, and why.
    StateFailed(ClusterName, String),
    /// The configuration has been read again, or cannot be.
    Renewal(Result<Box<Renewal>, String>),
    /// What was drained is kept on disk, or could not be.
    DrainKept(bool),
    /// So many jobs of this cluster run here, or it cannot be told.
    Running(ClusterName, Result<usize, String>),
}

/// Where to say it. It never waits.
#[derive(Clone, Debug)]
pub(crate) struct Newsroom(UnboundedSender<News>);

impl Newsroom {
    pub(crate) fn open() -> (Self, UnboundedReceiver<News>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) fn tell(&self, news: News) {
        // The loop ends before its tasks, and needs no news then.
        let _ = self.0.send(news);
    }

    pub(crate) fn input(&self, input: Input) {
        self.tell(News::Input(input));
    }
}
