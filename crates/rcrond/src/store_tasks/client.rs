//! Executes the machine's reads and changes, one call at a time, on one connection.
//!
//! A read connects if there is no connection. A change never does: it must use the connection of its read. A call that fails or
//! is too late ends the connection, and counts as not answered.

use super::codec::{self, SessionDates};
use super::connector::Connector;
use super::time_limit::within;
use crate::api::metrics::{Metrics, Operation, Outcome};
use crate::event::{Event, EventSender};
use inputs::clock;
use lease::{Call, Change, Key, NodeName, Reading, Verdict};
use policy::moment::BootTime;
use std::sync::Arc;
use std::time::Instant;
use store::{Connection, Error, Store};
use tokio::sync::mpsc::UnboundedReceiver;

/// What the loop sends to the client.
pub(crate) enum StoreRequest {
    /// Answered with [`Event::Read`]. `by` is the time at which the machine gives up.
    Read { call: Call, keys: Vec<Key>, by: BootTime },
    /// Answered with [`Event::Changed`].
    Change { call: Call, change: Change, by: BootTime },
    /// From now on use this store, because a reload has changed servers or credentials.
    UseStore(Arc<dyn Store>),
}

/// The task.
pub(crate) struct StoreClient {
    /// This node's name.
    node: NodeName,
    connector: Connector,
    connection: Option<Box<dyn Connection>>,
    /// When the sessions of the last read were written, by their writers' clocks.
    dates: SessionDates,
    /// Whether the warnings about this store's server were read. They are logged once for each store.
    has_read_warnings: bool,
    events: EventSender,
    metrics: Arc<Metrics>,
}

impl StoreClient {
    pub(crate) fn new(node: NodeName, store: Arc<dyn Store>, events: EventSender, metrics: Arc<Metrics>) -> Self {
        Self {
            node,
            connector: Connector::new(store),
            connection: None,
            dates: SessionDates::default(),
            has_read_warnings: false,
            events,
            metrics,
        }
    }

    /// Ends when the loop has dropped its sender.
    pub(crate) async fn run(mut self, mut requests: UnboundedReceiver<StoreRequest>) {
        while let Some(request) = requests.recv().await {
            match request {
                StoreRequest::Read { call, keys, by } => {
                    let answer = self.read(keys, by).await;
                    self.events.send(Event::Read(call, answer));
                }
                StoreRequest::Change { call, change, by } => {
                    let (verdict, failure) = self.change(&change, by).await;
                    self.events.send(Event::Changed(call, verdict, failure));
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

    async fn read(&mut self, keys: Vec<Key>, by: BootTime) -> Result<Reading, Error> {
        let begin = Instant::now();
        let names: Vec<_> = keys.iter().map(codec::key).collect();
        let was_connected = self.connection.is_some();
        let answer = match self.connect(by).await {
            Ok(mut connection) => {
                let answer = until(by, connection.read(&names)).await;
                answer.map(|snapshot| {
                    self.connection = Some(connection);
                    self.dates = SessionDates::of(&names, &snapshot);
                    codec::reading(&keys, snapshot)
                })
            }
            Err(error) => Err(error),
        };
        let outcome = answer.as_ref().map_or(Outcome::NoAnswer, |_| Outcome::Done);
        self.metrics.count_call(Operation::Read, begin.elapsed(), outcome);
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

    async fn change(&mut self, change: &Change, by: BootTime) -> (Verdict, Option<Error>) {
        let begin = Instant::now();
        let Some(mut connection) = self.connection.take() else {
            return (Verdict::NoAnswer, None);
        };
        let change = codec::change(change, &self.node, &self.dates, clock::wall_time());
        let answer = until(by, connection.change(&change)).await;
        let (outcome, verdict) = match &answer {
            Ok(store::Verdict::Done) => (Outcome::Done, Verdict::Done),
            Ok(store::Verdict::Refused) => (Outcome::Refused, Verdict::Refused),
            Err(_) => (Outcome::NoAnswer, Verdict::NoAnswer),
        };
        self.metrics.count_call(Operation::Change, begin.elapsed(), outcome);
        if answer.is_ok() {
            self.connection = Some(connection);
        } else {
            self.connector.store.skip_current();
        }
        (verdict, answer.err())
    }

    /// Runs after the first change, when the machine waits for nothing.
    async fn read_warnings(&mut self, by: BootTime) {
        if self.has_read_warnings {
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
