//! Metrics of jobs: docs/design/job-metrics.md. A thread of its own reads the journals when a client asks for metrics, because journals
//! can be large, and a file system can hang. Then a client gets what was read before.

use super::MissedTicks;
use crate::config::ClusterSettings;
use crate::threads;
use ::jobs::Jobs;
use job_metrics::{Collector, CrontabJobs, Row, Scope};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a client waits for what is new.
const LIMIT: Duration = Duration::from_secs(1);
/// The least time between two readings.
const PAUSE: Duration = Duration::from_secs(1);
/// A pause is this many times as long as the reading before: readings take at most a twentieth of a core.
const PAUSE_FACTOR: u32 = 20;
/// How long the first reading waits for the crontabs. Without them, jobs that have not run are missing.
const CRONTABS_LIMIT: Duration = Duration::from_secs(10);

/// The thread. It ends when the last copy of this is dropped.
#[derive(Clone, Debug)]
pub(crate) struct JobMetrics {
    messages: Sender<Message>,
    texts: watch::Receiver<Arc<str>>,
    /// Whether a question waits in the channel: one is enough.
    is_asked: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Message {
    Asked,
    CrontabsRead(Arc<CrontabJobs>),
    Configured(JobSources),
}

/// Whose jobs are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct JobSources {
    clusters: Vec<String>,
    journals: Vec<PathBuf>,
}

impl JobMetrics {
    /// Starts the thread for the jobs of these clusters.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn start(clusters: &[ClusterSettings], missed: MissedTicks) -> io::Result<Self> {
        Self::start_with(clusters, missed, |took| PAUSE.max(took * PAUSE_FACTOR))
    }

    fn start_with(
        clusters: &[ClusterSettings],
        missed: MissedTicks,
        pause: fn(Duration) -> Duration,
    ) -> io::Result<Self> {
        let (messages, received) = mpsc::channel();
        let (sender, texts) = watch::channel("".into());
        let is_asked = Arc::new(AtomicBool::new(false));
        let state = State {
            collector: collector(&JobSources::new(clusters)),
            sources: JobSources::new(clusters),
            crontabs: None,
            missed,
            unreadable: 0,
            pause,
        };
        let asked = Arc::clone(&is_asked);
        threads::start("job-metrics", move || answer(state, &received, &sender, &asked))?;
        Ok(Self {
            messages,
            texts,
            is_asked,
        })
    }

    /// Other clusters are configured.
    pub(crate) fn set_clusters(&self, clusters: &[ClusterSettings]) {
        self.send(Message::Configured(JobSources::new(clusters)));
    }

    /// The crontabs were read.
    pub(crate) fn set_crontabs(&self, jobs: &Jobs, clusters: &[String]) {
        self.send(Message::CrontabsRead(Arc::new(CrontabJobs::new(jobs, clusters))));
    }

    /// The text of the metrics: as they are now, if that can be found out in time. Empty until they were read for the first time.
    pub(super) async fn text(&self) -> Arc<str> {
        let mut texts = self.texts.clone();
        texts.mark_unchanged();
        if !self.is_asked.swap(true, Ordering::AcqRel) {
            self.send(Message::Asked);
        }
        // What is there is used if nothing new comes.
        let _ = timeout(LIMIT, texts.changed()).await;
        texts.borrow().clone()
    }

    fn send(&self, message: Message) {
        // An error means that the thread has ended, which it has logged.
        let _ = self.messages.send(message);
    }
}

impl JobSources {
    fn new(clusters: &[ClusterSettings]) -> Self {
        let mut journals: Vec<PathBuf> = clusters.iter().filter_map(|cluster| cluster.journal.clone()).collect();
        journals.sort();
        journals.dedup();
        Self {
            clusters: clusters
                .iter()
                .map(|cluster| cluster.name.as_str().to_owned())
                .collect(),
            journals,
        }
    }
}

/// What the thread knows.
struct State {
    sources: JobSources,
    collector: Collector,
    crontabs: Option<Arc<CrontabJobs>>,
    missed: MissedTicks,
    unreadable: usize,
    /// How long it does not read after a reading that took this long.
    pause: fn(Duration) -> Duration,
}

fn answer(mut state: State, messages: &Receiver<Message>, texts: &watch::Sender<Arc<str>>, is_asked: &AtomicBool) {
    if !state.wait_for_crontabs(messages) {
        return;
    }
    let mut next = Instant::now();
    loop {
        // Who asks from here on sends another question.
        is_asked.store(false, Ordering::Release);
        let now = Instant::now();
        let text = if now < next {
            Arc::clone(&texts.borrow())
        } else {
            let text = state.read();
            next = Instant::now() + (state.pause)(now.elapsed());
            text
        };
        texts.send_replace(text);
        loop {
            match messages.recv() {
                Ok(Message::Asked) => break,
                Ok(message) => state.take(message),
                Err(_) => return,
            }
        }
    }
}

impl State {
    /// Returns whether the daemon still runs.
    fn wait_for_crontabs(&mut self, messages: &Receiver<Message>) -> bool {
        let begin = Instant::now();
        while self.crontabs.is_none() {
            match messages.recv_timeout(CRONTABS_LIMIT.saturating_sub(begin.elapsed())) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::CrontabsRead(crontabs) => self.crontabs = Some(crontabs),
            Message::Configured(sources) if sources != self.sources => {
                self.collector = collector(&sources);
                self.sources = sources;
            }
            Message::Configured(_) | Message::Asked => {}
        }
    }

    fn read(&mut self) -> Arc<str> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        let crontabs = self.crontabs.clone().unwrap_or_default();
        let table = self.collector.update(&crontabs, now);
        if table.unreadable > self.unreadable {
            let first = self.collector.unseen().first();
            log::warn!(
                "metrics of jobs are not complete, because journals cannot be read: {}; `rcronctl check` says more",
                first.map_or_else(|| "only root can list them".to_owned(), ToString::to_string)
            );
        }
        self.unreadable = table.unreadable;
        let missed = table.missed_text(|Row { cluster, user, job, .. }| self.missed.count(cluster, user, job));
        (table.text() + &missed).into()
    }
}

fn collector(sources: &JobSources) -> Collector {
    Collector::new(&sources.clusters, sources.journals.clone(), Scope::All)
}

#[cfg(test)]
mod tests;
