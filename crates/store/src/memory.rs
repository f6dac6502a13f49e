//! A store in this process: what the contract says in the fewest words, for tests.

use crate::{Answer, Change, Connection, Failure, Item, Snapshot, Store, Verdict, Watch};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// It ends with its data.
const INCARNATION: &[u8] = b"memory";

/// Clones share the data.
#[derive(Clone, Debug)]
pub struct Memory {
    data: Arc<Mutex<Data>>,
    news: broadcast::Sender<String>,
}

#[derive(Debug, Default)]
struct Data {
    revision: u64,
    items: BTreeMap<String, Item>,
    /// Nobody can reach it.
    down: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            data: Arc::default(),
            news: broadcast::channel(64).0,
        }
    }
}

impl Memory {
    /// Cuts it off, or puts it back.
    pub fn set_down(&self, down: bool) {
        self.with(|data| data.down = down);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Data) -> T) -> T {
        act(&mut self.data.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn up<T>(&self, act: impl FnOnce(&mut Data) -> T) -> Result<T, Failure> {
        self.with(|data| {
            if data.down {
                Err(Failure::new("memory", "cut off"))
            } else {
                Ok(act(data))
            }
        })
    }
}

impl Store for Memory {
    fn connect(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async { self.up(|_| Box::new(self.clone()) as Box<dyn Connection>) })
    }

    fn pass_over(&self) {}

    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>> {
        let news = self.news.subscribe();
        Box::pin(async { self.up(|_| Box::new(Ear { keys, news }) as Box<dyn Watch>) })
    }

    fn init(&self) -> Answer<'_, ()> {
        Box::pin(async { self.up(|_| ()) })
    }
}

impl Connection for Memory {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(async {
            self.up(|data| Snapshot {
                incarnation: Some(INCARNATION.to_vec()),
                revision: Some(data.revision),
                items: keys.iter().map(|key| data.items.get(key).cloned()).collect(),
            })
        })
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(async {
            let verdict = self.up(|data| data.change(change))?;
            if verdict == Verdict::Done {
                for (key, _) in &change.writes {
                    // Nobody may be listening.
                    let _ = self.news.send(key.clone());
                }
            }
            Ok(verdict)
        })
    }

    fn list<'a>(&'a mut self, prefix: &'a str) -> Answer<'a, Vec<(String, Item)>> {
        Box::pin(async move {
            self.up(|data| {
                let found = data.items.iter().filter(|(key, _)| key.starts_with(prefix));
                found.map(|(key, item)| (key.clone(), item.clone())).collect()
            })
        })
    }

    fn concerns(&mut self) -> Answer<'_, Vec<String>> {
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

struct Ear {
    keys: Vec<String>,
    news: broadcast::Receiver<String>,
}

impl Watch for Ear {
    fn changed(&mut self) -> Answer<'_, ()> {
        Box::pin(async {
            loop {
                let key = self.news.recv().await.map_err(|error| Failure::new("memory", error))?;
                if self.keys.contains(&key) {
                    return Ok(());
                }
            }
        })
    }
}
