//! Time limits of calls to the store.

use std::time::Duration;
use store::Failure;

/// The answer; a failure if there is none when the limit has passed.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let no_answer = |_| Err(Failure::new("", format!("no answer within {} ms", limit.as_millis())));
    tokio::time::timeout(limit, answer).await.unwrap_or_else(no_answer)
}
