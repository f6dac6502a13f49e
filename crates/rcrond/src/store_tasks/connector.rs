//! Connects to the store. An attempt that is later than its call goes on: its error says what is wrong, such as a password, when
//! the call has only been told that there was no answer; and a log-in that takes longer than a call succeeds at last.

use super::time_limit::within;
use std::sync::Arc;
use std::time::Duration;
use store::{Connection, Error, Store};
use tokio::task::JoinSet;

/// Of an attempt. It is longer than any call.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(10);
/// Each call without a connection starts an attempt, because another server may answer, but there are never more at once.
const MAX_ATTEMPTS: usize = 4;

type Attempt = Result<Box<dyn Connection>, Error>;

pub(super) struct Connector {
    pub(super) store: Arc<dyn Store>,
    attempts: JoinSet<Attempt>,
    /// The error of an attempt that has ended after its call.
    late_error: Option<Error>,
}

impl Connector {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            attempts: JoinSet::new(),
            late_error: None,
        }
    }

    /// The first connection that an attempt makes, also one that was started by an earlier call.
    ///
    /// # Errors
    /// That of this call's attempt. If there is none within the limit: that of an earlier one, which says more.
    pub(super) async fn connect(&mut self, limit: Duration) -> Result<Box<dyn Connection>, Error> {
        match within(limit, self.first_connection()).await {
            Ok(connection) => {
                // The others are not needed any more. Dropping the set ends them.
                *self = Self::new(Arc::clone(&self.store));
                Ok(connection)
            }
            Err(late @ Error::Late(_)) => Err(self.late_error.clone().unwrap_or(late)),
            Err(error) => Err(error),
        }
    }

    /// May be dropped: the attempts go on.
    async fn first_connection(&mut self) -> Attempt {
        let own = (self.attempts.len() < MAX_ATTEMPTS).then(|| {
            let store = Arc::clone(&self.store);
            let attempt = async move { within(ATTEMPT_LIMIT, store.connect()).await };
            self.attempts.spawn(attempt).id()
        });
        loop {
            let Some(ended) = self.attempts.join_next_with_id().await else {
                return Err(self.late_error.clone().unwrap_or(Error::Silent));
            };
            match ended {
                Ok((_, Ok(connection))) => return Ok(connection),
                Ok((id, Err(error))) => {
                    self.late_error = Some(error.clone());
                    if own == Some(id) {
                        return Err(error);
                    }
                }
                Err(error) => {
                    self.late_error = Some(Error::Local {
                        act: "connect",
                        cause: error.to_string(),
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use store::memory::Memory;
    use store::{Answer, Watch};
    use tokio::sync::oneshot::{self, Receiver, Sender};

    /// Each attempt ends when the test says so.
    #[derive(Default)]
    struct Slow {
        memory: Memory,
        attempts: Mutex<Vec<Receiver<Result<(), Error>>>>,
    }

    impl Slow {
        fn next_attempt(&self) -> Sender<Result<(), Error>> {
            let (sender, receiver) = oneshot::channel();
            self.attempts.lock().expect("not poisoned").insert(0, receiver);
            sender
        }
    }

    impl Store for Slow {
        fn connect(&self) -> Answer<'_, Box<dyn Connection>> {
            Box::pin(async {
                let end = self.attempts.lock().expect("not poisoned").pop();
                end.expect("an expected attempt").await.expect("an end")?;
                self.memory.connect().await
            })
        }

        fn skip_current(&self) {}

        fn full_key(&self, key: &str) -> String {
            self.memory.full_key(key)
        }

        fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>> {
            self.memory.watch(keys)
        }

        fn init(&self) -> Answer<'_, ()> {
            self.memory.init()
        }
    }

    const SHORT: Duration = Duration::from_millis(10);
    const LONG: Duration = Duration::from_secs(60);

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(test);
    }

    #[test]
    fn an_error_that_comes_after_the_call_is_the_next_calls_error() {
        run(async {
            let store = Arc::new(Slow::default());
            let mut connector = Connector::new(Arc::clone(&store) as Arc<dyn Store>);
            let first = store.next_attempt();
            let error = connector.connect(SHORT).await.err().expect("late");
            assert_eq!(error, Error::Late(SHORT));
            first.send(Err(Error::Abandoned)).expect("waited for");
            let _second = store.next_attempt();
            let error = connector.connect(SHORT).await.err().expect("late");
            assert_eq!(error, Error::Abandoned);
        });
    }

    #[test]
    fn an_attempt_that_succeeds_after_its_call_is_used_by_the_next() {
        run(async {
            let store = Arc::new(Slow::default());
            let mut connector = Connector::new(Arc::clone(&store) as Arc<dyn Store>);
            let first = store.next_attempt();
            assert!(connector.connect(SHORT).await.is_err());
            let second = store.next_attempt();
            first.send(Ok(())).expect("waited for");
            assert!(connector.connect(LONG).await.is_ok());
            tokio::task::yield_now().await;
            assert!(second.is_closed(), "the other attempt is over");
        });
    }

    #[test]
    fn attempts_do_not_pile_up() {
        run(async {
            let store = Arc::new(Slow::default());
            let mut connector = Connector::new(Arc::clone(&store) as Arc<dyn Store>);
            let attempts: Vec<_> = (0..MAX_ATTEMPTS).map(|_| store.next_attempt()).collect();
            // One more attempt would find nothing to wait for.
            for _ in 0..=MAX_ATTEMPTS {
                assert!(connector.connect(SHORT).await.is_err());
            }
            assert!(attempts.iter().all(|attempt| !attempt.is_closed()));
        });
    }
}
