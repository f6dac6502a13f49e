//! Redis 6 and later, Valkey: a string for each record, and a script for each call. What it promises, and what it cannot: docs/design/store.md.

mod concerns;
mod link;
mod script;
mod trouble;
mod watch;

use crate::dial::{Address, Tls};
use crate::held::Held;
use crate::rotation::Rotation;
use crate::{Answer, Change, Connection, Failure, Item, Login, Snapshot, Store, Verdict, Watch, tls};
use ::redis::{AsyncIter, PushInfo, RedisResult};
use link::Link;
use script::Scripts;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many keys a list asks for in one call.
const AT_ONCE: usize = 1000;

/// Where it is, and who to be for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `HOST:PORT` of each server that may be the master, or the path of its Unix socket.
    pub servers: Vec<String>,
    /// What all keys begin with.
    pub prefix: String,
    /// Who to be; the user is empty where there is only a password (`requirepass`).
    pub login: Option<Login>,
    /// TLS, if it is to be used.
    pub tls: Option<tls::Settings>,
    /// The number of the database.
    pub database: u32,
}

/// A database of the master.
#[derive(Clone, Debug)]
pub struct Redis(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    addresses: Vec<Address>,
    tls: Option<Tls>,
    scripts: Scripts,
    rotation: Rotation,
}

impl Redis {
    /// Checks the settings. Nothing is connected to; the files of the system's authorities may be read.
    ///
    /// # Errors
    /// Says which of them is wrong, and what to write.
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        let addresses: Result<Vec<_>, _> = settings.servers.iter().map(|server| Address::parse(server)).collect();
        Ok(Self(Arc::new(Inner {
            addresses: addresses?,
            tls: settings.tls.as_ref().map(Tls::new).transpose()?,
            scripts: Scripts::new(),
            rotation: Rotation::default(),
            settings,
        })))
    }

    /// The first server that will do.
    async fn open(&self) -> Result<Open, Failure> {
        let attempt = async |number| {
            let link = link::open(&self.0, number, None::<fn(PushInfo) -> Result<(), ()>>).await?;
            Ok(Open {
                inner: Arc::clone(&self.0),
                number,
                link: Held::new(link),
            })
        };
        self.0.rotation.first(self.0.addresses.len(), attempt).await
    }
}

impl Store for Redis {
    fn connect(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async { Ok(Box::new(self.open().await?) as Box<dyn Connection>) })
    }

    fn pass_over(&self) {
        self.0.rotation.pass_over();
    }

    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>> {
        Box::pin(async move {
            let attempt = |number| watch::watch(&self.0, number, &keys);
            self.0.rotation.first(self.0.addresses.len(), attempt).await
        })
    }

    /// There is nothing to create; that the server will do is seen.
    fn init(&self) -> Answer<'_, ()> {
        Box::pin(async { self.open().await.map(|_| ()) })
    }
}

/// A connection, until it fails or is given up.
struct Open {
    inner: Arc<Inner>,
    number: usize,
    link: Held<Link>,
}

impl Open {
    fn take(&mut self) -> Result<Link, Failure> {
        self.link.take(&self.inner.settings.servers[self.number])
    }

    fn end<T>(&mut self, link: Link, answer: Result<T, Failure>) -> Result<T, Failure> {
        if answer.is_ok() {
            self.inner.rotation.praise(self.number);
        }
        self.link.bring_back(link, answer)
    }

    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.inner.settings.prefix)
    }

    async fn keys(&self, link: &mut Link, begin: &str) -> RedisResult<BTreeSet<String>> {
        let mut scan = ::redis::cmd("SCAN");
        scan.cursor_arg(0)
            .arg("MATCH")
            .arg(escaped(begin) + "*")
            .arg("COUNT")
            .arg(1000);
        let mut found: AsyncIter<'_, String> = scan.iter_async(&mut link.connection).await?;
        // Redis may name a key twice.
        let mut keys = BTreeSet::new();
        while let Some(key) = found.next_item().await {
            keys.insert(key?);
        }
        Ok(keys)
    }

    async fn listed(&self, link: &mut Link, prefix: &str) -> Result<Vec<(String, Item)>, Failure> {
        let keys = self.keys(link, &self.full(prefix)).await;
        let keys = keys.map_err(|error| trouble::failure(&link.server, &error))?;
        let keys: Vec<_> = keys.into_iter().collect();
        let own = self.inner.settings.prefix.len();
        let mut all = Vec::new();
        for some in keys.chunks(AT_ONCE) {
            let (_, items) = self.inner.scripts.read(link, some).await?;
            let pairs = some.iter().zip(items);
            all.extend(pairs.filter_map(|(key, item)| Some((key[own..].to_owned(), item?))));
        }
        Ok(all)
    }
}

impl Connection for Open {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(async move {
            let keys: Vec<_> = keys.iter().map(|key| self.full(key)).collect();
            let mut link = self.take()?;
            let answer = self.inner.scripts.read(&mut link, &keys).await;
            let (incarnation, items) = self.end(link, answer)?;
            Ok(Snapshot {
                incarnation: Some(incarnation),
                // What counts in Redis does not outlive what the incarnation tells.
                revision: None,
                items,
            })
        })
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(async move {
            let mut link = self.take()?;
            let prefix = &self.inner.settings.prefix;
            let answer = self.inner.scripts.change(&mut link, prefix, change).await;
            let done = self.end(link, answer)?;
            Ok(if done { Verdict::Done } else { Verdict::Refused })
        })
    }

    fn list<'a>(&'a mut self, prefix: &'a str) -> Answer<'a, Vec<(String, Item)>> {
        Box::pin(async move {
            let mut link = self.take()?;
            let answer = self.listed(&mut link, prefix).await;
            self.end(link, answer)
        })
    }

    fn concerns(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(async {
            let mut link = self.take()?;
            let answer = concerns::ask(&mut link).await;
            self.end(link, answer)
        })
    }
}

/// A text that a pattern is to find as it is.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
