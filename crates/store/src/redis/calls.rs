//! The calls over one connection.

use super::session::Session;
use super::warnings;
use crate::{Answer, Change, Connection, Snapshot, Verdict};

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

    fn warnings(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(warnings::find(&mut self.connection))
    }
}
