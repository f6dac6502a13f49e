//! SUBSCRIBE.

use super::link::{self, Link};
use super::{Inner, trouble};
use crate::ear::{self, Ear};
use crate::{Failure, Watch};
use redis::{PushInfo, PushKind, RedisResult, Value};
use std::convert::Infallible;

/// Listens for changes of these keys at the server of this number. A key is its own channel's name.
pub(super) async fn watch(inner: &Inner, number: usize, keys: &[String]) -> Result<Box<dyn Watch>, Failure> {
    let (mouth, hints) = ear::hints();
    let told = move |news: PushInfo| {
        if news.kind == PushKind::Message {
            mouth.hint();
        }
        Ok::<_, Infallible>(())
    };
    let mut link = link::open(inner, number, Some(told)).await?;
    // One command for each, for each channel is answered by itself.
    let mut subscribe = redis::pipe();
    for key in keys {
        subscribe
            .cmd("SUBSCRIBE")
            .arg(format!("{}{key}", inner.settings.prefix));
    }
    let answer: RedisResult<Vec<Value>> = subscribe.query_async(&mut link.connection).await;
    answer.map_err(|error| trouble::failure(&link.server, &error))?;
    inner.rotation.praise(number);
    let server = link.server.clone();
    Ok(Box::new(Ear::new(&server, hints, attend(link))))
}

async fn attend(link: Link) -> Failure {
    let Link {
        server,
        connection,
        driver,
    } = link;
    let ask = async || {
        let answer: RedisResult<Value> = redis::cmd("PING").query_async(&mut connection.clone()).await;
        answer.map_err(|error| trouble::failure(&server, &error))
    };
    ear::attend(&server, driver, ask).await
}
