//! Asks the store what the machine wants to know: one call at a time, over one connection.
//!
//! A read may make the connection; a change never does: between the two nothing may be connected anew. What fails or comes too late
//! ends the connection, and is "no answer".

use super::codec;
use crate::news::{News, Newsroom};
use crate::outside::metrics::{Metrics, Operation, Outcome};
use inputs::clock;
use lease::{Call, Change, Input, Key, Reading, Verdict};
use policy::moment::BootTime;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Connection, Error, Store};
use tokio::sync::mpsc::UnboundedReceiver;

/// What to do.
pub(crate) enum Request {
    /// Read records.
    Read { call: Call, keys: Vec<Key>, by: BootTime },
    /// Change records.
    Change { call: Call, change: Change, by: BootTime },
    /// Use this store from now on: other credentials, other servers.
    Use(Arc<dyn Store>),
}

/// The task.
pub(crate) struct Asker {
    store: Arc<dyn Store>,
    connection: Option<Box<dyn Connection>>,
    /// The server's concerns are told once for each store.
    concerned: bool,
    newsroom: Newsroom,
    metrics: Arc<Metrics>,
}

impl Asker {
    pub(crate) fn new(store: Arc<dyn Store>, newsroom: Newsroom, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            connection: None,
            concerned: false,
            newsroom,
            metrics,
        }
    }

    /// Until nobody asks any more.
    pub(crate) async fn run(mut self, mut requests: UnboundedReceiver<Request>) {
        while let Some(request) = requests.recv().await {
            match request {
                Request::Read { call, keys, by } => {
                    let reading = self.read(keys, by).await;
                    self.newsroom.input(Input::Read(call, reading));
                }
                Request::Change { call, change, by } => {
                    let verdict = self.change(&change, by).await;
                    self.newsroom.input(Input::Changed(call, verdict));
                    self.look_for_concerns(by).await;
                }
                Request::Use(store) => {
                    self.store = store;
                    self.connection = None;
                    self.concerned = false;
                }
            }
        }
    }

    async fn read(&mut self, keys: Vec<Key>, by: BootTime) -> Option<Reading> {
        let began = Instant::now();
        let names: Vec<_> = keys.iter().map(codec::key).collect();
        let had = self.connection.is_some();
        let answer = in_time(by, async {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.store.connect().await?,
            };
            let snapshot = connection.read(&names).await?;
            Ok((connection, snapshot))
        })
        .await;
        let outcome = if answer.is_ok() {
            Outcome::Done
        } else {
            Outcome::NoAnswer
        };
        self.metrics.call(Operation::Read, began.elapsed(), outcome);
        match answer {
            Ok((connection, snapshot)) => {
                self.connection = Some(connection);
                Some(codec::reading(&keys, snapshot))
            }
            Err(failure) => {
                if had {
                    self.store.skip_current();
                }
                self.newsroom.tell(News::StoreFailed(failure));
                None
            }
        }
    }

    async fn change(&mut self, change: &Change, by: BootTime) -> Verdict {
        let began = Instant::now();
        // The read's connection or none.
        let Some(mut connection) = self.connection.take() else {
            return Verdict::NoAnswer;
        };
        let change = codec::change(change, clock::wall_time());
        let answer = in_time(by, connection.change(&change)).await;
        let (outcome, verdict) = match &answer {
            Ok(store::Verdict::Done) => (Outcome::Done, Verdict::Done),
            Ok(store::Verdict::Refused) => (Outcome::Refused, Verdict::Refused),
            Err(_) => (Outcome::NoAnswer, Verdict::NoAnswer),
        };
        self.metrics.call(Operation::Change, began.elapsed(), outcome);
        match answer {
            Ok(_) => self.connection = Some(connection),
            Err(failure) => {
                self.store.skip_current();
                self.newsroom.tell(News::StoreFailed(failure));
            }
        }
        verdict
    }

    /// After the first change that went well, when nothing is waited for.
    async fn look_for_concerns(&mut self, by: BootTime) {
        if self.concerned {
            return;
        }
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        self.concerned = true;
        // One that cannot say is no reason to lose the lease; the next read connects anew.
        if let Ok(concerns) = in_time(by, connection.warnings()).await {
            self.connection = Some(connection);
            self.newsroom.tell(News::Concerns(concerns));
        }
    }
}

/// What has not come by then is a failure.
pub(super) async fn in_time<T>(by: BootTime, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    within(by.since(clock::boot_time()), answer).await
}

/// The same with a span.
pub(super) async fn within<T>(span: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(span, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::Late(span)),
    }
}
