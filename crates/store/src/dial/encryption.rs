//! TLS over a connected transport.

use super::stream::Stream;
use crate::{Error, tls};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// The configured TLS, with its files parsed once.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    settings: tls::Settings,
    pub(crate) config: Arc<ClientConfig>,
}

impl Tls {
    /// `None` if no TLS is configured.
    pub(crate) fn configured(settings: &crate::Settings) -> Result<Option<Self>, Error> {
        let Some(settings) = settings.tls.clone() else {
            return Ok(None);
        };
        let config = tls::client(&settings)?;
        Ok(Some(Self { settings, config }))
    }

    /// Names this protocol in the handshake (ALPN, RFC 7301).
    pub(crate) fn with_protocol(mut self, protocol: &[u8]) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols = vec![protocol.to_vec()];
        self
    }

    /// The name that the certificate of the server at `host` must have.
    pub(crate) fn server_name(&self, host: &str) -> Result<ServerName<'static>, Error> {
        tls::server_name(&self.settings, host)
    }

    /// Performs the handshake with the server at `host`.
    pub(crate) async fn wrap(&self, host: &str, stream: Stream) -> Result<Stream, Error> {
        let name = self.server_name(host)?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let connected = connector.connect(name, stream).await;
        Ok(Stream::new(connected.map_err(|error| handshake_error(&error))?))
    }
}

/// The error of a connection that broke. With TLS 1.3 a server that requires a client certificate says so only after the
/// handshake, in answer to the first request.
pub(crate) fn connection_error(error: &io::Error) -> Error {
    let inner = error.get_ref();
    if let Some(refused) = inner.and_then(|inner| inner.downcast_ref::<Error>()) {
        return refused.clone();
    }
    if inner.is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some()) {
        return handshake_error(error);
    }
    Error::lost(error.to_string())
}

fn handshake_error(error: &io::Error) -> Error {
    Error::Tls {
        cause: error.to_string(),
        help: tls::help(error),
    }
}
