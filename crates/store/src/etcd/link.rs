//! One connection: what is known of its server, and whether it is still good.

use super::message::{Headed, KeyValue};
use super::wire::Wire;
use super::{Welcome, trouble};
use crate::rotation::Rotation;
use crate::{Failure, Item};
use prost::Message;
use std::sync::Arc;

/// A connection, and what is known of its server.
pub(super) struct Link {
    wire: Wire,
    pub(super) prefix: String,
    pub(super) cluster: u64,
    /// A user is configured, but anybody may do anything.
    pub(super) open_to_all: bool,
    /// Why it is not to be used any more.
    spoilt: Option<Failure>,
    rotation: Arc<Rotation>,
    /// Among the servers configured.
    place: usize,
}

impl Link {
    pub(super) fn new(welcome: Welcome, prefix: &str, rotation: Arc<Rotation>) -> Self {
        Self {
            wire: welcome.wire,
            prefix: prefix.to_owned(),
            cluster: welcome.cluster,
            open_to_all: welcome.open_to_all,
            spoilt: None,
            rotation,
            place: welcome.place,
        }
    }

    /// One call. After a failure, or a call that was given up, there is no other.
    pub(super) async fn ask<Q, A>(&mut self, method: &'static str, request: Q) -> Result<A, Failure>
    where
        Q: Message + 'static,
        A: Message + Default + Headed + 'static,
    {
        if let Some(failure) = &self.spoilt {
            return Err(failure.clone());
        }
        self.spoilt = Some(Failure::new(
            self.wire.server(),
            "a call over this connection was given up",
        ));
        let answer = self
            .wire
            .call(method, request)
            .await
            .and_then(|answer| self.check(answer));
        self.spoilt = answer.as_ref().err().cloned();
        answer
    }

    /// Whether it comes from the cluster that we know: something between us and etcd might send each call elsewhere.
    fn check<A: Headed>(&self, answer: A) -> Result<A, Failure> {
        let header = answer.header().ok_or_else(|| self.malformed())?;
        if header.cluster_id == self.cluster {
            return Ok(answer);
        }
        let what = format!("cluster {:x} answers, not {:x}", header.cluster_id, self.cluster);
        let help = "all servers must be of one cluster, and whatever stands before them must not mix several";
        Err(trouble::trouble(self.wire.server(), what, Some(help)))
    }

    pub(super) fn malformed(&self) -> Failure {
        trouble::malformed(self.wire.server())
    }

    /// As etcd has it.
    pub(super) fn key(&self, key: &str) -> Vec<u8> {
        [self.prefix.as_bytes(), key.as_bytes()].concat()
    }

    /// That this member answers what needs a majority.
    pub(super) fn praise(&self) {
        self.rotation.praise(self.place);
    }

    pub(super) fn item(&self, found: KeyValue) -> Result<Item, Failure> {
        let version = u64::try_from(found.mod_revision).map_err(|_| self.malformed())?;
        Ok(Item {
            version,
            value: found.value,
        })
    }
}
