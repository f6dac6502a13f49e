//! The calls over one connection.

use super::session::Session;
use super::warnings;
use crate::{Answer, Change, Connection, Item, Snapshot, Verdict};
use redis::{AsyncIter, RedisResult};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many keys one call of a list reads.
const AT_ONCE: usize = 1000;

impl Session {
    async fn keys(&mut self, prefix: &str) -> RedisResult<Vec<String>> {
        let mut scan = redis::cmd("SCAN");
        let pattern = escape(prefix) + "*";
        scan.cursor_arg(0).arg("MATCH").arg(pattern).arg("COUNT").arg(AT_ONCE);
        let mut found: AsyncIter<'_, String> = scan.iter_async(&mut self.connection).await?;
        // Redis may return a key twice.
        let mut keys = BTreeSet::new();
        while let Some(key) = found.next_item().await {
            keys.insert(key?);
        }
        Ok(keys.into_iter().collect())
    }

    async fn list_all(&mut self, prefix: &str) -> Result<Vec<(String, Item)>, crate::Error> {
        let keys = self.keys(prefix).await?;
        let scripts = Arc::clone(&self.scripts);
        let mut all = Vec::new();
        for some in keys.chunks(AT_ONCE) {
            let (_, items) = scripts.read(&mut self.connection, some).await?;
            let pairs = some.iter().zip(items);
            all.extend(pairs.filter_map(|(key, item)| Some((key.clone(), item?))));
        }
        Ok(all)
    }
}

impl Connection for Session {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(async {
            let (incarnation, items) = self.scripts.read(&mut self.connection, keys).await?;
            Ok(Snapshot {
                incarnation: Some(incarnation),
                // No data outlive the incarnation, so a revision would show nothing more.
                revision: None,
                items,
            })
        })
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(self.scripts.change(&mut self.connection, change))
    }

    fn list<'a>(&'a mut self, prefix: &'a str) -> Answer<'a, Vec<(String, Item)>> {
        Box::pin(self.list_all(prefix))
    }

    fn warnings(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(warnings::find(&mut self.connection))
    }
}

/// Makes a pattern that matches exactly this text.
fn escape(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
