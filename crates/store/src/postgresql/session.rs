//! One connection to one server, opened and looked over.

use super::{Inner, sql, trouble};
use crate::Failure;
use crate::dial::{self, Address, Stream};
use crate::ear::Task;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, SimpleQueryMessage, SimpleQueryRow};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The oldest version whose functions are known to do.
const OLDEST: u32 = 13_00_00;

/// A connection that is being driven; closed when dropped, whatever it waits for.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) driver: Task,
}

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Opens one to the server of this number, if that is a primary which takes writes. `told` is called at each notification.
pub(super) async fn open(
    inner: &Inner,
    number: usize,
    told: impl FnMut() + Send + 'static,
) -> Result<Session, Failure> {
    let server = &inner.settings.servers[number];
    let (client, driver) = reach(inner, server, &inner.addresses[number], told).await?;
    let session = Session {
        client,
        driver: Task::new(driver),
    };
    let answers = session.client.simple_query(sql::BEGIN).await;
    let answers = answers.map_err(|error| trouble::failure(server, &error))?;
    suits(server, row(&answers))?;
    Ok(session)
}

async fn reach(
    inner: &Inner,
    server: &str,
    address: &Address,
    told: impl FnMut() + Send + 'static,
) -> Result<(Client, Driver), Failure> {
    let stream = address.reach().await.map_err(|error| dial::unreached(server, &error))?;
    let mut config = inner.config();
    // No network can listen to a socket in the file system; libpq has no TLS there either.
    let answer = if let (Some(tls), Address::Tcp { host, .. }) = (&inner.tls, address) {
        config.ssl_mode(SslMode::Require);
        let name = tls.name(server, host)?;
        let mut make = MakeRustlsConnect::new((*tls.config).clone());
        let Ok(connect) = MakeTlsConnect::<Stream>::make_tls_connect(&mut make, &name.to_str());
        shake_hands(config, stream, connect, told).await
    } else {
        config.ssl_mode(SslMode::Disable);
        shake_hands(config, stream, NoTls, told).await
    };
    answer.map_err(|error| trouble::failure(server, &error))
}

type Hands = Pin<Box<dyn Future<Output = Result<(Client, Driver), Error>> + Send>>;

fn shake_hands<T>(config: Config, stream: Stream, tls: T, told: impl FnMut() + Send + 'static) -> Hands
where
    T: TlsConnect<Stream, Stream: Send + 'static, Future: Send> + Send + 'static,
{
    Box::pin(async move {
        let (client, connection) = config.connect_raw(stream, tls).await?;
        Ok((client, drive(connection, told)))
    })
}

/// Moves the connection's bytes until it ends.
fn drive<T>(mut connection: Connection<Stream, T>, mut told: impl FnMut() + Send + 'static) -> Driver
where
    T: TlsStream + Unpin + Send + 'static,
{
    Box::pin(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message {
                told();
            }
        }
    })
}

/// Whether the lease's records may be kept there.
fn suits(server: &str, row: Option<&SimpleQueryRow>) -> Result<(), Failure> {
    let column = |number| row.and_then(|row| row.get(number)).unwrap_or_default();
    let version: u32 = column(0).parse().unwrap_or_default();
    if version < OLDEST {
        return Err(
            Failure::new(server, format_args!("PostgreSQL of version {version}")).with_help("13 or later is needed")
        );
    }
    if column(1) != "f" {
        return Err(Failure::new(server, "a standby")
            .with_help("only the primary will do: name all servers that may become it"));
    }
    if column(2) != "off" {
        return Err(
            Failure::new(server, "takes no writes: default_transaction_read_only is on")
                .with_help("only a primary that takes writes will do"),
        );
    }
    Ok(())
}

/// The last row of an answer, which may have several statements' rows.
pub(super) fn row(answers: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
    answers.iter().rev().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

impl Inner {
    fn config(&self) -> Config {
        let mut config = Config::new();
        config.application_name("rcrond").dbname(&self.settings.database);
        if let Some(login) = &self.settings.login {
            config.user(&login.user);
            if let Some(password) = &login.password {
                config.password(password.reveal());
            }
        }
        config
    }
}
