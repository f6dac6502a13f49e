//! What the clients of all stores share: the choice of a server, the prefix of the keys, and connections that fail once and
//! for good.

use crate::dial::{Address, Server};
use crate::error::one_short_line;
use crate::poisonable::Poisonable;
use crate::rotation::Rotation;
use crate::watch_stream::{Listening, Notifier, WatchStream, notifications};
use crate::{Answer, Change, Connection, Error, Settings, Snapshot, Store, Verdict, Watch};
use std::sync::Arc;

/// How many keys one call reads. etcd accepts 128 operations by default (`--max-txn-ops`).
const KEYS_AT_ONCE: usize = 100;

/// How many warnings about a server are returned. They may contain texts of the server.
const MOST_WARNINGS: usize = 20;

/// How to talk to one server of some kind of store. Keys have their prefix here, and errors need not name the server.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// The address of a server, from the configuration.
    fn address(&self, server: &str) -> Result<Address, Error> {
        Address::parse(server)
    }

    /// Connects to this server, and checks that it is one which can keep the records.
    fn log_in<'a>(&'a self, server: &'a Server) -> Answer<'a, Box<dyn Connection>>;

    /// Whether servers of this kind report changes. If they do not, [`subscribe`](Self::subscribe) always fails.
    fn reports_changes(&self) -> bool {
        true
    }

    /// Subscribes to changes of these keys at this server: no change is missed from the moment when the subscription returns.
    fn subscribe<'a>(&'a self, server: &'a Server, keys: &'a [String], notifier: Notifier) -> Answer<'a, Listening>;

    /// Creates what the store must have. By default nothing, but who asks for it wants to know that the server can be used.
    fn init<'a>(&'a self, server: &'a Server) -> Answer<'a, ()> {
        Box::pin(async { self.log_in(server).await.map(drop) })
    }
}

/// A client of any kind of store.
pub(crate) struct Client {
    protocol: Box<dyn Protocol>,
    servers: Vec<Server>,
    prefix: String,
    /// Shared with the connections, which mark a server that answers.
    rotation: Arc<Rotation>,
    /// Watches have their own: a watch on a server that hangs must not move the connections.
    watch_rotation: Rotation,
}

impl Client {
    pub(crate) fn open(protocol: impl Protocol, settings: &Settings) -> Result<Box<dyn Store>, Error> {
        let servers = settings.servers.iter().map(|name| {
            Ok(Server {
                name: name.clone(),
                address: protocol.address(name)?,
            })
        });
        Ok(Box::new(Self {
            servers: servers.collect::<Result<_, Error>>()?,
            protocol: Box::new(protocol),
            prefix: settings.prefix.clone(),
            rotation: Arc::default(),
            watch_rotation: Rotation::default(),
        }))
    }

    async fn connect_to(&self, number: usize) -> Result<Box<dyn Connection>, Error> {
        let server = &self.servers[number];
        let session = self.protocol.log_in(server).await;
        Ok(Box::new(Guarded {
            session: Poisonable::new(session.map_err(|error| error.at(&server.name))?),
            server: server.name.clone(),
            prefix: self.prefix.clone(),
            rotation: Arc::clone(&self.rotation),
            number,
        }))
    }

    async fn watch_at(&self, number: usize, keys: &[String]) -> Result<Box<dyn Watch>, Error> {
        let server = &self.servers[number];
        let (notifier, notifications) = notifications();
        let listening = self.protocol.subscribe(server, keys, notifier).await;
        let listening = listening.map_err(|error| error.at(&server.name))?;
        self.watch_rotation.mark_good(number);
        Ok(Box::new(WatchStream::new(&server.name, notifications, listening)))
    }

    async fn init_at(&self, number: usize) -> Result<(), Error> {
        let server = &self.servers[number];
        let done = self.protocol.init(server).await;
        done.map_err(|error| error.at(&server.name))
    }
}

impl Store for Client {
    fn connect(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(
            self.rotation
                .first(self.servers.len(), |number| self.connect_to(number)),
        )
    }

    fn skip_current(&self) {
        self.rotation.skip_current();
    }

    fn full_key(&self, key: &str) -> String {
        full(&self.prefix, key)
    }

    fn reports_changes(&self) -> bool {
        self.protocol.reports_changes()
    }

    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>> {
        let keys: Vec<_> = keys.iter().map(|key| full(&self.prefix, key)).collect();
        Box::pin(async move {
            let attempt = |number| self.watch_at(number, &keys);
            self.watch_rotation.first(self.servers.len(), attempt).await
        })
    }

    fn init(&self) -> Answer<'_, ()> {
        Box::pin(self.rotation.first(self.servers.len(), |number| self.init_at(number)))
    }
}

/// Reads many keys with several calls, so that each answer has a bounded length.
async fn read_in_parts(session: &mut dyn Connection, keys: &[String]) -> Result<Snapshot, Error> {
    let (first, rest) = keys.split_at(keys.len().min(KEYS_AT_ONCE));
    let mut all = session.read(first).await?;
    for some in rest.chunks(KEYS_AT_ONCE) {
        let part = session.read(some).await?;
        if part.incarnation != all.incarnation {
            return Err(Error::lost("the store's data were replaced during a read"));
        }
        all.revision = all.revision.min(part.revision);
        all.items.extend(part.items);
    }
    if all.items.len() == keys.len() {
        Ok(all)
    } else {
        Err(Error::lost(
            "a read returned another number of records than it asked for",
        ))
    }
}

/// A key as it is in the store.
fn full(prefix: &str, key: &str) -> String {
    format!("{prefix}{key}")
}

/// A connection that adds the prefix, and is closed by its first error.
struct Guarded {
    session: Poisonable<Box<dyn Connection>>,
    server: String,
    prefix: String,
    rotation: Arc<Rotation>,
    /// The server's place in the configuration.
    number: usize,
}

impl Guarded {
    fn take(&mut self) -> Result<Box<dyn Connection>, Error> {
        self.session.take().map_err(|error| error.at(&self.server))
    }

    fn give_back<T>(&mut self, session: Box<dyn Connection>, answer: Result<T, Error>) -> Result<T, Error> {
        if answer.is_ok() {
            self.rotation.mark_good(self.number);
        }
        let answer = self.session.give_back(session, answer);
        answer.map_err(|error| error.at(&self.server))
    }

    fn full(&self, key: &str) -> String {
        full(&self.prefix, key)
    }
}

impl Connection for Guarded {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(async {
            let keys: Vec<_> = keys.iter().map(|key| self.full(key)).collect();
            let mut session = self.take()?;
            let answer = read_in_parts(&mut *session, &keys).await;
            self.give_back(session, answer)
        })
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(async {
            let conditions = change.conditions.iter();
            let writes = change.writes.iter();
            let change = Change {
                incarnation: change.incarnation.clone(),
                conditions: conditions.map(|(key, version)| (self.full(key), *version)).collect(),
                writes: writes.map(|(key, value)| (self.full(key), value.clone())).collect(),
            };
            change.check_lengths()?;
            let mut session = self.take()?;
            let answer = session.change(&change).await;
            self.give_back(session, answer)
        })
    }

    fn warnings(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(async {
            let mut session = self.take()?;
            let answer = session.warnings().await;
            let warnings = self.give_back(session, answer)?;
            Ok(warnings
                .iter()
                .take(MOST_WARNINGS)
                .map(|warning| one_short_line(warning))
                .collect())
        })
    }
}
