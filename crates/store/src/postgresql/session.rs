//! One connection to one server, opened and checked.

use super::Primary;
use super::error::Error;
use super::inspector::Messages;
use super::sql::{self, Sql};
use crate::dial::{Address, Bounded, Server, Stream};
use crate::watch_stream::Task;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, SimpleQueryMessage, SimpleQueryRow};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The oldest version that has all functions which the statements use.
const OLDEST: u32 = 13_00_00;

/// A connection whose bytes a task moves. Dropping it closes it, whatever it waits for.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) driver: Task<()>,
    pub(super) sql: Arc<Sql>,
    /// Why the connection has ended.
    failure: Arc<OnceLock<crate::Error>>,
}

impl Session {
    /// Connects to this server, and checks that it is a primary which accepts writes. `notified` is called for each notification with
    /// its channel.
    pub(super) async fn open(
        primary: &Primary,
        server: &Server,
        notified: impl FnMut(&str) + Send + 'static,
    ) -> Result<Self, crate::Error> {
        let failure = Arc::default();
        let ends = Ends {
            failure: Arc::clone(&failure),
            notified,
        };
        let (client, driver) = connect(primary, server, ends).await?;
        let session = Self {
            client,
            driver: Task::new(driver),
            sql: Arc::clone(&primary.sql),
            failure,
        };
        let answers = session.execute(&sql::begin()).await?;
        check_server(last_row(&answers))?;
        Ok(session)
    }

    /// Executes statements without parameters.
    pub(super) async fn execute(&self, statements: &str) -> Result<Vec<SimpleQueryMessage>, crate::Error> {
        self.explained(self.client.simple_query(statements).await)
    }

    /// Gives a connection that is closed its reason.
    pub(super) fn explained<T>(&self, answer: Result<T, tokio_postgres::Error>) -> Result<T, crate::Error> {
        answer.map_err(|error| {
            let reason = self.failure.get().filter(|_| error.is_closed());
            reason.cloned().unwrap_or_else(|| error.into())
        })
    }
}

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn connect(
    primary: &Primary,
    server: &Server,
    ends: Ends<impl FnMut(&str) + Send + 'static>,
) -> Result<(Client, Driver), crate::Error> {
    let stream = server.connect_plain().await?;
    let mut config = primary.config();
    match (&primary.tls, &server.address) {
        (Some(tls), Address::Tcp { host, .. }) => {
            config.ssl_mode(SslMode::Require);
            let name = tls.server_name(host)?;
            let mut make = MakeRustlsConnect::new((*tls.config).clone());
            let Ok(connect) = MakeTlsConnect::<Stream>::make_tls_connect(&mut make, &name.to_str());
            shake_hands(config, stream, InspectedTls(connect), ends).await
        }
        // There is no TLS over a socket in the file system, to which no network can listen; libpq does the same.
        (_, address) => {
            config.ssl_mode(SslMode::Disable);
            let is_exposed = matches!(address, Address::Tcp { .. });
            let stream = Bounded::new(stream, Messages::new(is_exposed));
            shake_hands(config, stream, NoTls, ends).await
        }
    }
}

type Handshake = Pin<Box<dyn Future<Output = Result<(Client, Driver), crate::Error>> + Send>>;

fn shake_hands<S, T>(config: Config, stream: S, tls: T, ends: Ends<impl FnMut(&str) + Send + 'static>) -> Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsConnect<S, Stream: Send + 'static, Future: Send> + Send + 'static,
{
    Box::pin(async move {
        let (client, connection) = config.connect_raw(stream, tls).await?;
        Ok((client, ends.drive(connection)))
    })
}

/// TLS whose content is inspected. It is not exposed, because the server has proved who it is.
struct InspectedTls<T>(T);

impl<T> TlsConnect<Stream> for InspectedTls<T>
where
    T: TlsConnect<Stream, Future: Send + 'static>,
{
    type Stream = Bounded<T::Stream, Messages>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, T::Error>> + Send>>;

    fn connect(self, stream: Stream) -> Self::Future {
        let connecting = self.0.connect(stream);
        Box::pin(async { Ok(Bounded::new(connecting.await?, Messages::new(false))) })
    }
}

impl<S: TlsStream + Unpin> TlsStream for Bounded<S, Messages> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream().channel_binding()
    }
}

/// What is done with a connection's bytes besides moving them.
struct Ends<N> {
    /// The calls only learn that the connection is closed. This has the reason.
    failure: Arc<OnceLock<crate::Error>>,
    /// Called for each notification with its channel.
    notified: N,
}

impl<N: FnMut(&str) + Send + 'static> Ends<N> {
    /// Moves the connection's bytes until it ends.
    fn drive<S, T>(mut self, mut connection: Connection<S, T>) -> Driver
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: TlsStream + Unpin + Send + 'static,
    {
        Box::pin(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notification(notification)) => (self.notified)(notification.channel()),
                    Ok(_) => {}
                    Err(error) => {
                        let _ = self.failure.set(error.into());
                        return;
                    }
                }
            }
        })
    }
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
