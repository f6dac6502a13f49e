//! The names of users. A name service can hang, so a look-up has a thread of its own, and each user at most one at a time.

use nix::unistd::{Uid, User};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

/// How long an rcron waits for its user's name. It then tries again with a new connection.
const LIMIT: Duration = Duration::from_secs(3);
/// How long a name is believed. Users are seldom renamed.
const NAME_LIFETIME: Duration = Duration::from_secs(60);
/// How long it is believed that there is no such user: one may just be created.
const OTHER_LIFETIME: Duration = Duration::from_secs(2);
/// Of all users together.
const MOST_LOOKUPS: usize = 8;
/// How many users are remembered.
const MOST_USERS: usize = 1000;

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Name(Arc<str>),
    /// There is no user with this number.
    Nobody,
    /// The name service has failed or does not answer.
    NoAnswer,
}

type Lookup = fn(u32) -> Found;

/// All users that were asked for.
#[derive(Debug)]
pub(crate) struct Users {
    lookup: Lookup,
    threads: Arc<Semaphore>,
    known: Mutex<HashMap<u32, Entry>>,
}

#[derive(Debug)]
struct Entry {
    asked: Instant,
    result: watch::Receiver<Option<Found>>,
}

impl Users {
    /// Of the system.
    pub(crate) fn new() -> Self {
        Self::with(look_up)
    }

    fn with(lookup: Lookup) -> Self {
        Self {
            lookup,
            threads: Arc::new(Semaphore::new(MOST_LOOKUPS)),
            known: Mutex::default(),
        }
    }

    /// The name of a user, within [`LIMIT`].
    pub(crate) async fn find(&self, uid: u32) -> Found {
        let mut result = self.result(uid);
        let found = timeout(LIMIT, result.wait_for(Option::is_some)).await;
        match found {
            Ok(Ok(found)) => found.clone().unwrap_or(Found::NoAnswer),
            // The limit has passed, or the thread could not be started.
            Ok(Err(_)) | Err(_) => Found::NoAnswer,
        }
    }

    /// The result of the look-up that is in progress, or was made a short time ago; otherwise of a new one.
    fn result(&self, uid: u32) -> watch::Receiver<Option<Found>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(entry) = known.get(&uid).filter(|entry| entry.is_current(now)) {
            return entry.result.clone();
        }
        if known.len() >= MOST_USERS {
            known.retain(|_, entry| entry.is_current(now));
        }
        let (sender, result) = watch::channel(None);
        let (lookup, threads) = (self.lookup, Arc::clone(&self.threads));
        tokio::spawn(async move {
            // The semaphore is never closed.
            let Ok(permit) = threads.acquire_owned().await else {
                return;
            };
            // The thread has the permit, because it may outlast all that wait for it.
            tokio::task::spawn_blocking(move || {
                let _ = sender.send(Some(lookup(uid)));
                drop(permit);
            });
        });
        known.insert(
            uid,
            Entry {
                asked: now,
                result: result.clone(),
            },
        );
        result
    }
}

impl Entry {
    fn is_current(&self, now: Instant) -> bool {
        let lifetime = match &*self.result.borrow() {
            Some(Found::Name(_)) => NAME_LIFETIME,
            Some(_) => OTHER_LIFETIME,
            // In progress, unless it has no thread.
            None => return self.result.has_changed().is_ok(),
        };
        now.saturating_duration_since(self.asked) < lifetime
    }
}

fn look_up(uid: u32) -> Found {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => Found::Name(user.name.into()),
        Ok(None) => Found::Nobody,
        Err(_) => Found::NoAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(test);
    }

    #[test]
    fn root_has_its_name_and_a_number_without_a_user_has_none() {
        run(async {
            let users = Users::new();
            assert_eq!(users.find(0).await, Found::Name("root".into()));
            assert_eq!(users.find(4_294_000_001).await, Found::Nobody);
        });
    }

    #[test]
    fn a_user_is_looked_up_once_for_all_who_wait() {
        static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
        run(async {
            let users = Users::with(|uid| {
                LOOKUPS.fetch_add(1, Ordering::Relaxed);
                Found::Name(format!("user{uid}").into())
            });
            let (one, other) = tokio::join!(users.find(7), users.find(7));
            assert_eq!((one, other), (Found::Name("user7".into()), Found::Name("user7".into())));
            assert_eq!(users.find(7).await, Found::Name("user7".into()));
            assert_eq!(LOOKUPS.load(Ordering::Relaxed), 1);
            assert_eq!(users.find(8).await, Found::Name("user8".into()));
            assert_eq!(LOOKUPS.load(Ordering::Relaxed), 2);
        });
    }
}
