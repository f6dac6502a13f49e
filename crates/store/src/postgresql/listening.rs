//! LISTEN, and a test of it: a connection pooler between rcrond and PostgreSQL loses notifications in silence if it gives the
//! server's connection to another client after each transaction.

use super::Primary;
use super::error::Error;
use super::session::Session;
use super::sql;
use crate::dial::Server;
use crate::random_version::random_version;
use crate::watch_stream::Notifier;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// For a notification to come, and for a connection to send it.
const TEST_LIMIT: Duration = Duration::from_secs(2);

/// A session that listens for changes of these keys.
pub(super) async fn listen(
    primary: &Primary,
    server: &Server,
    keys: &[String],
    notifier: Notifier,
) -> Result<Session, crate::Error> {
    let heard = Arc::new(Notify::new());
    let hears = Arc::clone(&heard);
    let session = Session::open(primary, server, move || {
        hears.notify_one();
        notifier.notify();
    })
    .await?;
    let test = format!("rcron_test_{:016x}", random_version()?);
    // LISTEN takes one name and no parameters. The name of a channel needs no quotes.
    let channels = keys.iter().map(|key| sql::channel(key)).chain([test.clone()]);
    let listen: Vec<_> = channels.map(|channel| format!("LISTEN {channel}")).collect();
    session.execute(&listen.join(";")).await?;
    // A server that does not accept another connection may still notify.
    if let Ok(Ok(())) = timeout(TEST_LIMIT, notify(primary, server, &test)).await {
        let is_heard = timeout(TEST_LIMIT, heard.notified()).await;
        is_heard.map_err(|_| Error::NoNotification)?;
    }
    session.execute(&format!("UNLISTEN {test}")).await?;
    Ok(session)
}

/// Over another connection: a transaction's own notifications reach its client even through a pooler.
async fn notify(primary: &Primary, server: &Server, channel: &str) -> Result<(), crate::Error> {
    let session = Session::open(primary, server, || ()).await?;
    session.execute(&format!("NOTIFY {channel}")).await.map(drop)
}
