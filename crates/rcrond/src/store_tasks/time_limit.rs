//! Time limits of calls to the store.

use std::time::Duration;
use store::Error;

/// The answer; a failure if there is none when the limit has passed.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let no_answer = |_| Err(Error::Late(limit));
    tokio::time::timeout(limit, answer).await.unwrap_or_else(no_answer)
}
