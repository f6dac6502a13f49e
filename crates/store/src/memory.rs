//! A store in this process, for tests: the contract in the simplest form.

use crate::{Answer, Change, Connection, Error, Item, Snapshot, Store, Verdict, Watch};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// Always the same, because the store ends together with its data.
const INCARNATION: &[u8] = b"memory";

/// A store; clones share its data.
#[derive(Clone, Debug)]
pub struct Memory {
    data: Arc<Mutex<Data>>,
    changes: broadcast::Sender<String>,
}

#[derive(Debug, Default)]
struct Data {
    revision: u64,
    items: BTreeMap<String, Item>,
    /// Each call has an error.
    down: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            data: Arc::default(),
            changes: broadcast::channel(64).0,
        }
    }
}

impl Memory {
    /// Makes each call fail from now on, or succeed again.
    pub fn set_down(&self, down: bool) {
        self.with(|data| data.down = down);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Data) -> T) -> T {
        act(&mut self.data.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn when_up<T>(&self, act: impl FnOnce(&mut Data) -> T) -> Result<T, Error> {
        self.with(|data| {
            if data.down {
                Err(Error::lost("cut off").at("memory"))
            } else {
                Ok(act(data))
            }
        })
    }
}

impl Store for Memory {
    fn connect(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async { self.when_up(|_| Box::new(self.clone()) as Box<dyn Connection>) })
    }

    fn skip_current(&self) {}

    fn full_key(&self, key: &str) -> String {
        key.to_owned()
    }

    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>> {
        let changes = self.changes.subscribe();
        Box::pin(async { self.when_up(|_| Box::new(MemoryWatch { keys, changes }) as Box<dyn Watch>) })
    }

    fn init(&self) -> Answer<'_, ()> {
        Box::pin(async { self.when_up(|_| ()) })
    }
}

impl Connection for Memory {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(async {
            self.when_up(|data| Snapshot {
                incarnation: Some(INCARNATION.to_vec()),
                revision: Some(data.revision),
                items: keys.iter().map(|key| data.items.get(key).cloned()).collect(),
            })
        })
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(async {
            change.check_lengths()?;
            let verdict = self.when_up(|data| data.change(change))?;
            if verdict == Verdict::Done {
                for (key, _) in &change.writes {
                    // An error means that there is no watch, which is fine.
                    let _ = self.changes.send(key.clone());
                }
            }
            Ok(verdict)
        })
    }

    fn warnings(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(async { Ok(vec!["this store ends with its process".to_owned()]) })
    }
}

impl Data {
    fn change(&mut self, change: &Change) -> Verdict {
        let other = change.incarnation.as_ref().is_some_and(|wanted| wanted != INCARNATION);
        let holds = |(key, version): &(String, Option<u64>)| self.items.get(key).map(|item| item.version) == *version;
        if other || !change.conditions.iter().all(holds) {
            return Verdict::Refused;
        }
        self.revision += 1;
        for (key, value) in &change.writes {
            let item = Item {
                version: self.revision,
                value: value.clone(),
            };
            self.items.insert(key.clone(), item);
        }
        Verdict::Done
    }
}

struct MemoryWatch {
    keys: Vec<String>,
    changes: broadcast::Receiver<String>,
}

impl Watch for MemoryWatch {
    fn changed(&mut self) -> Answer<'_, ()> {
        Box::pin(async {
            loop {
                let key = self
                    .changes
                    .recv()
                    .await
                    .map_err(|error| Error::lost(error.to_string()).at("memory"))?;
                if self.keys.contains(&key) {
                    return Ok(());
                }
            }
        })
    }
}
