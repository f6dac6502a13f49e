//! Executes a machine's reads and changes, one call at a time, on one connection. The lease machine and the claims machine have a
//! client each, so that neither delays the other.
//!
//! A read connects if there is no connection. A change never does: it must use the connection of its read. A call that fails or
//! is too late ends the connection, and counts as not answered.

use super::connector::Connector;
use super::time_limit::within;
use crate::api::metrics::{Metrics, Operation, Outcome};
use crate::event::{Event, EventSender};
use inputs::clock;
use lease::{Call, Verdict};
use policy::moment::BootTime;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Connection, Error, Snapshot, Store};
use tokio::sync::mpsc::UnboundedReceiver;

/// The records of one machine as keys and bytes of the store, and the events for its answers.
pub(crate) trait Codec: Send + 'static {
    /// Whether the client logs what the store's server warns of. One client is enough.
    const REPORTS_WARNINGS: bool;

    /// A record's place.
    type Key: Send;
    /// What to write, and on which conditions.
    type Change: Send;
    /// The answer to a read.
    type Reading: Send;

    /// The key in the store.
    fn key(key: &Self::Key) -> String;
    /// The answer to a read of these keys, whose names are in the same order.
    fn reading(&mut self, keys: &[Self::Key], names: &[String], snapshot: Snapshot) -> Self::Reading;
    /// The change in the store's terms.
    fn change(&self, change: &Self::Change) -> store::Change;
    /// The event for the end of a read.
    fn was_read(call: Call, answer: Result<Self::Reading, Error>) -> Event;
    /// The event for the end of a change; without an answer perhaps with the reason.
    fn was_changed(call: Call, verdict: Verdict, failure: Option<Error>) -> Event;
    /// Counts a call that has ended.
    fn count_call(metrics: &Metrics, operation: Operation, duration: Duration, outcome: Outcome);
}

/// What the loop sends to the client.
pub(crate) enum StoreRequest<C: Codec> {
    /// Answered with [`Codec::was_read`]. `by` is the time at which the machine gives up.
    Read {
        call: Call,
        keys: Vec<C::Key>,
        by: BootTime,
    },
    /// Answered with [`Codec::was_changed`].
    Change {
        call: Call,
        change: C::Change,
        by: BootTime,
    },
    /// From now on use this store, because a reload has changed servers or credentials.
    UseStore(Arc<dyn Store>),
}

/// The task.
pub(crate) struct StoreClient<C> {
    codec: C,
    connector: Connector,
    connection: Option<Box<dyn Connection>>,
    /// Whether the warnings about this store's server were read. They are logged once for each store.
    has_read_warnings: bool,
    events: EventSender,
    metrics: Arc<Metrics>,
}

impl<C: Codec> StoreClient<C> {
    pub(crate) fn new(codec: C, store: Arc<dyn Store>, events: EventSender, metrics: Arc<Metrics>) -> Self {
        Self {
            codec,
            connector: Connector::new(store),
            connection: None,
            has_read_warnings: false,
            events,
            metrics,
        }
    }

    /// Ends when the loop has dropped its sender.
    pub(crate) async fn run(mut self, mut requests: UnboundedReceiver<StoreRequest<C>>) {
        while let Some(request) = requests.recv().await {
            match request {
                StoreRequest::Read { call, keys, by } => {
                    let answer = self.read(keys, by).await;
                    self.events.send(C::was_read(call, answer));
                }
                StoreRequest::Change { call, change, by } => {
                    let (verdict, failure) = self.change(&change, by).await;
                    self.events.send(C::was_changed(call, verdict, failure));
                    self.read_warnings(by).await;
                }
                StoreRequest::UseStore(store) => {
                    self.connector = Connector::new(store);
                    self.connection = None;
                    self.has_read_warnings = false;
                }
            }
        }
    }

    async fn read(&mut self, keys: Vec<C::Key>, by: BootTime) -> Result<C::Reading, Error> {
        let begin = Instant::now();
        let names: Vec<_> = keys.iter().map(C::key).collect();
        let was_connected = self.connection.is_some();
        let answer = match self.connect(by).await {
            Ok(mut connection) => {
                let answer = until(by, connection.read(&names)).await;
                answer.map(|snapshot| {
                    self.connection = Some(connection);
                    self.codec.reading(&keys, &names, snapshot)
                })
            }
            Err(error) => Err(error),
        };
        let outcome = answer.as_ref().map_or(Outcome::NoAnswer, |_| Outcome::Done);
        C::count_call(&self.metrics, Operation::Read, begin.elapsed(), outcome);
        if answer.is_err() && was_connected {
            self.connector.store.skip_current();
        }
        answer
    }

    async fn connect(&mut self, by: BootTime) -> Result<Box<dyn Connection>, Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.connector.connect(by.since(clock::boot_time())).await,
        }
    }

    async fn change(&mut self, change: &C::Change, by: BootTime) -> (Verdict, Option<Error>) {
        let begin = Instant::now();
        let Some(mut connection) = self.connection.take() else {
            return (Verdict::NoAnswer, None);
        };
        let change = self.codec.change(change);
        let answer = until(by, connection.change(&change)).await;
        let (outcome, verdict) = match &answer {
            Ok(store::Verdict::Done) => (Outcome::Done, Verdict::Done),
            Ok(store::Verdict::Refused) => (Outcome::Refused, Verdict::Refused),
            Err(_) => (Outcome::NoAnswer, Verdict::NoAnswer),
        };
        C::count_call(&self.metrics, Operation::Change, begin.elapsed(), outcome);
        if answer.is_ok() {
            self.connection = Some(connection);
        } else {
            self.connector.store.skip_current();
        }
        (verdict, answer.err())
    }

    /// Runs after the first change, when the machine waits for nothing.
    async fn read_warnings(&mut self, by: BootTime) {
        if self.has_read_warnings || !C::REPORTS_WARNINGS {
            return;
        }
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        self.has_read_warnings = true;
        // A failure costs only the connection; the next read connects again.
        if let Ok(warnings) = until(by, connection.warnings()).await {
            self.connection = Some(connection);
            self.events.send(Event::StoreWarnings(warnings));
        }
    }
}

async fn until<T>(by: BootTime, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    within(by.since(clock::boot_time()), answer).await
}
