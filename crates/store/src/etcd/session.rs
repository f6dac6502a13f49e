//! One connection, and what is known of its server.

use super::error::{Error, is_too_long};
use super::message::{Headed, KeyValue};
use super::wire::Wire;
use crate::Item;
use prost::Message;

/// A connection to a server that has accepted the log-in.
pub(super) struct Session {
    pub(super) wire: Wire,
    /// The cluster's id. It cannot change, because the connection leads to one process.
    pub(super) cluster: u64,
    /// A password is configured, but etcd has no authentication enabled.
    pub(super) open_to_all: bool,
}

impl Session {
    /// Makes one call, and checks that its answer comes from the same cluster: a proxy before etcd might send each call
    /// elsewhere.
    pub(super) async fn call<Q, A>(&mut self, method: &'static str, request: Q) -> Result<A, crate::Error>
    where
        Q: Message + 'static,
        A: Message + Default + Headed + 'static,
    {
        let answer = self.wire.try_call(method, request).await;
        let answer = answer.map_err(|status| self.wire.error(&status))?;
        self.check_cluster(answer)
    }

    /// The same, for an answer that may be too long to be read: then `None`.
    pub(super) async fn call_bounded<Q, A>(
        &mut self,
        method: &'static str,
        request: Q,
    ) -> Result<Option<A>, crate::Error>
    where
        Q: Message + 'static,
        A: Message + Default + Headed + 'static,
    {
        match self.wire.try_call(method, request).await {
            Ok(answer) => self.check_cluster(answer).map(Some),
            Err(status) if is_too_long(&status) => Ok(None),
            Err(status) => Err(self.wire.error(&status)),
        }
    }

    fn check_cluster<A: Headed>(&self, answer: A) -> Result<A, crate::Error> {
        let found = answer.header().ok_or(Error::Malformed)?.cluster_id;
        if found == self.cluster {
            return Ok(answer);
        }
        let expected = self.cluster;
        Err(Error::AnotherCluster { expected, found }.into())
    }
}

/// The record in etcd's answer.
pub(super) fn item(found: KeyValue) -> Result<Item, Error> {
    let version = u64::try_from(found.mod_revision).map_err(|_| Error::Malformed)?;
    Ok(Item::new(version, found.value))
}
