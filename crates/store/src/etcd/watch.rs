//! A stream of news.

use super::message::{WatchCreateRequest, WatchRequest, WatchResponse};
use super::trouble;
use super::wire::{WATCH, Wire};
use crate::{Answer, Failure, Watch};
use tonic::Streaming;
use tonic::codegen::tokio_stream::{self, StreamExt};

/// Several keys, one stream.
pub(super) struct Ear {
    /// The stream ends with it.
    wire: Wire,
    news: Streaming<WatchResponse>,
    /// News that came while some keys were not yet listened to.
    early: bool,
}

impl Ear {
    /// Listens when it returns: no change from then on is missed.
    pub(super) async fn listen(mut wire: Wire, keys: Vec<Vec<u8>>) -> Result<Self, Failure> {
        let mut missing = keys.len();
        let wanted = keys.into_iter().map(|key| WatchRequest {
            create: Some(WatchCreateRequest { key }),
        });
        // The server takes the end of the requests for the end of the conversation.
        let requests = tokio_stream::iter(wanted).chain(tokio_stream::pending());
        let news = wire.stream(WATCH, requests).await;
        let news = news.map_err(|status| wire.failure(&status))?;
        let mut ear = Self {
            wire,
            news,
            early: false,
        };
        while missing > 0 {
            let response = ear.next().await?;
            ear.early |= !response.events.is_empty();
            missing -= usize::from(response.created);
        }
        Ok(ear)
    }

    async fn next(&mut self) -> Result<WatchResponse, Failure> {
        let response = match self.news.message().await {
            Ok(Some(response)) => response,
            Ok(None) => return Err(Failure::new(self.wire.server(), "the server has ended the watch")),
            Err(status) => return Err(self.wire.failure(&status)),
        };
        if response.canceled || response.compact_revision != 0 {
            return Err(trouble::of_cancelled_watch(self.wire.server(), &response.cancel_reason));
        }
        Ok(response)
    }
}

impl Watch for Ear {
    /// May be dropped and called again: nothing is lost.
    fn changed(&mut self) -> Answer<'_, ()> {
        Box::pin(async {
            while !self.early {
                self.early = !self.next().await?.events.is_empty();
            }
            self.early = false;
            Ok(())
        })
    }
}
