//! A watch: one stream for several keys.

use super::error::{self, Error};
use super::message::{WatchCreateRequest, WatchRequest, WatchResponse};
use super::wire::{WATCH, Wire};
use crate::watch_stream::{Listening, Notifier};
use tonic::Streaming;
use tonic::codegen::tokio_stream::{self, StreamExt};

/// Watches these keys. When it returns, all of them are watched.
pub(super) async fn subscribe(mut wire: Wire, keys: &[String], notifier: Notifier) -> Result<Listening, crate::Error> {
    let mut missing = keys.len();
    let requests: Vec<_> = keys.iter().map(|key| create(key)).collect();
    // etcd ends the stream when the requests end, so they never do.
    let requests = tokio_stream::iter(requests).chain(tokio_stream::pending());
    let responses = wire.stream(WATCH, requests).await;
    let mut events = Events {
        responses: responses.map_err(|status| wire.error(&status))?,
        wire,
    };
    while missing > 0 {
        let response = events.next().await?;
        // An event may come while other keys are not watched yet.
        notify(&notifier, &response);
        missing -= usize::from(response.created);
    }
    Ok(Box::pin(async move {
        loop {
            match events.next().await {
                Ok(response) => notify(&notifier, &response),
                Err(error) => return error,
            }
        }
    }))
}

fn create(key: &str) -> WatchRequest {
    WatchRequest {
        create: Some(WatchCreateRequest {
            key: key.as_bytes().to_vec(),
        }),
    }
}

fn notify(notifier: &Notifier, response: &WatchResponse) {
    if !response.events.is_empty() {
        notifier.notify();
    }
}

struct Events {
    responses: Streaming<WatchResponse>,
    /// The stream ends when this connection is dropped.
    wire: Wire,
}

impl Events {
    async fn next(&mut self) -> Result<WatchResponse, crate::Error> {
        let response = self.responses.message().await;
        let response = response.map_err(|status| self.wire.error(&status))?;
        let response = response.ok_or(Error::WatchEnded)?;
        if response.canceled || response.compact_revision != 0 {
            return Err(error::cancelled_watch(&response.cancel_reason).into());
        }
        Ok(response)
    }
}
