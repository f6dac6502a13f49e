//! LISTEN, and a test of it: a connection pooler between rcrond and PostgreSQL loses notifications in silence if it gives the
//! server's connection to another client after each transaction.

use super::Primary;
use super::error::Error;
use super::session::Session;
use super::sql;
use crate::dial::Server;
use crate::watch_stream::Notifier;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// For a notification to come, and for a connection to send it.
const TEST_LIMIT: Duration = Duration::from_secs(2);

/// The channel of the test. It is always the same, because a pooler's connection to the server keeps it.
const TEST: &str = "rcron_test";

/// A session that listens for changes of these keys.
pub(super) async fn listen(
    primary: &Primary,
    server: &Server,
    keys: &[String],
    notifier: Notifier,
) -> Result<Session, crate::Error> {
    let heard = Arc::new(Notify::new());
    let receiver = Arc::clone(&heard);
    let receive = move |channel: &str| {
        if channel == TEST {
            receiver.notify_one();
        } else {
            notifier.notify();
        }
    };
    let session = Session::open(primary, server, receive).await?;
    // LISTEN takes one name and no parameters. The name of a channel needs no quotes.
    let channels = keys.iter().map(|key| sql::channel(key)).chain([TEST.to_owned()]);
    let listen: Vec<_> = channels.map(|channel| format!("LISTEN {channel}")).collect();
    session.execute(&listen.join(";")).await?;
    // A server that does not accept another connection may still notify.
    if let Ok(Ok(())) = timeout(TEST_LIMIT, notify(primary, server)).await {
        let is_heard = timeout(TEST_LIMIT, heard.notified()).await;
        is_heard.map_err(|_| Error::NoNotification)?;
    }
    session.execute(&format!("UNLISTEN {TEST}")).await?;
    Ok(session)
}

/// Over another connection: a transaction's own notifications reach its client even through a pooler.
async fn notify(primary: &Primary, server: &Server) -> Result<(), crate::Error> {
    let session = Session::open(primary, server, |_| ()).await?;
    session.execute(&format!("NOTIFY {TEST}")).await.map(drop)
}
