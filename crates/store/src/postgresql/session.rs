//! One connection to one server, opened and checked.

use super::Primary;
use super::error::Error;
use super::sql::{self, Sql};
use crate::dial::{Address, Server, Stream};
use crate::watch_stream::Task;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, SimpleQueryMessage, SimpleQueryRow};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The oldest version that has all functions which the statements use.
const OLDEST: u32 = 13_00_00;

/// A connection whose bytes a task moves. Dropping it closes it, whatever it waits for.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) driver: Task<()>,
    pub(super) sql: Arc<Sql>,
}

impl Session {
    /// Connects to this server, and checks that it is a primary which accepts writes. `notified` is called for each notification.
    pub(super) async fn open(
        primary: &Primary,
        server: &Server,
        notified: impl FnMut() + Send + 'static,
    ) -> Result<Self, crate::Error> {
        let (client, driver) = connect(primary, server, notified).await?;
        let session = Self {
            client,
            driver: Task::new(driver),
            sql: Arc::clone(&primary.sql),
        };
        let answers = session.client.simple_query(&sql::begin()).await?;
        check_server(last_row(&answers))?;
        Ok(session)
    }
}

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn connect(
    primary: &Primary,
    server: &Server,
    notified: impl FnMut() + Send + 'static,
) -> Result<(Client, Driver), crate::Error> {
    let stream = server.connect_plain().await?;
    let mut config = primary.config();
    // There is no TLS over a socket in the file system, to which no network can listen; libpq does the same.
    if let (Some(tls), Address::Tcp { host, .. }) = (&primary.tls, &server.address) {
        config.ssl_mode(SslMode::Require);
        let name = tls.server_name(host)?;
        let mut make = MakeRustlsConnect::new((*tls.config).clone());
        let Ok(connect) = MakeTlsConnect::<Stream>::make_tls_connect(&mut make, &name.to_str());
        shake_hands(config, stream, connect, notified).await
    } else {
        config.ssl_mode(SslMode::Disable);
        shake_hands(config, stream, NoTls, notified).await
    }
}

type Handshake = Pin<Box<dyn Future<Output = Result<(Client, Driver), crate::Error>> + Send>>;

fn shake_hands<T>(config: Config, stream: Stream, tls: T, notified: impl FnMut() + Send + 'static) -> Handshake
where
    T: TlsConnect<Stream, Stream: Send + 'static, Future: Send> + Send + 'static,
{
    Box::pin(async move {
        let (client, connection) = config.connect_raw(stream, tls).await?;
        Ok((client, drive(connection, notified)))
    })
}

/// Moves the connection's bytes until it ends.
fn drive<T>(mut connection: Connection<Stream, T>, mut notified: impl FnMut() + Send + 'static) -> Driver
where
    T: TlsStream + Unpin + Send + 'static,
{
    Box::pin(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message {
                notified();
            }
        }
    })
}

/// Checks that this server can keep the lease's records.
fn check_server(row: Option<&SimpleQueryRow>) -> Result<(), Error> {
    let column = |number| row.and_then(|row| row.get(number)).unwrap_or_default();
    let version: u32 = column(0).parse().unwrap_or_default();
    if version < OLDEST {
        return Err(Error::TooOld(version));
    }
    if column(1) != "f" {
        return Err(Error::Standby);
    }
    if column(2) != "off" {
        return Err(Error::ReadOnly);
    }
    Ok(())
}

/// The last row of an answer, which may have the rows of several statements.
pub(super) fn last_row(answers: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
    answers.iter().rev().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

impl Primary {
    fn config(&self) -> Config {
        let mut config = Config::new();
        config.application_name("rcrond").dbname(&self.database);
        if let Some(login) = &self.login {
            config.user(&login.user);
            if let Some(password) = &login.password {
                config.password(password.reveal());
            }
        }
        config
    }
}
