//! The settings of TLS: which authorities to trust, and which certificate to present.

use crate::Error;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, InvalidMessage, RootCertStore, crypto::ring};
use std::fmt::{self, Display};
use std::io;
use std::sync::Arc;

/// PEM texts, as read from the configured files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The certificates of the authorities to trust. `None` means the system's.
    pub authorities: Option<Vec<u8>>,
    /// The certificate to present, if the server asks for one.
    pub identity: Option<Identity>,
    /// The name that the server's certificate must have. `None` means the host in the server's address.
    pub server_name: Option<String>,
}

/// A client certificate with its key; `{:?}` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The chain, in PEM; the client's own certificate first.
    pub certificates: Vec<u8>,
    /// The private key, in PEM.
    pub key: Vec<u8>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(certificate and key)")
    }
}

pub(crate) const NOT_ACCEPTED: &str = "configure a client certificate that the server accepts";

/// Makes the configuration of rustls. The system's authorities are read from their files now.
///
/// # Errors
/// [`Error::Settings`] for the first text that is wrong.
pub(crate) fn client(settings: &Settings) -> Result<Arc<ClientConfig>, Error> {
    // The provider is passed here, not installed for the process: a library must not decide that for its program.
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("TLS", error))?
        .with_root_certificates(authorities(settings)?);
    let config = match &settings.identity {
        Some(identity) => {
            let chain = certificates("the client certificate", &identity.certificates)?;
            let key = PrivateKeyDer::from_pem_slice(&identity.key).map_err(|error| wrong("the client's key", error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| wrong("the client certificate with its key", error))?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

/// The name that the certificate of the server at `host` (a name or an address, without brackets) must have.
///
/// # Errors
/// If it cannot be the name of a server.
pub(crate) fn server_name(settings: &Settings, host: &str) -> Result<ServerName<'static>, Error> {
    let name = settings.server_name.as_deref().unwrap_or(host);
    ServerName::try_from(name.to_owned()).map_err(|error| wrong(&format!("the server's name {name:?}"), error))
}

/// What to do about a handshake that failed, where that is known.
pub(crate) fn help(error: &io::Error) -> Option<&'static str> {
    const NOT_TLS: &str = "check that this port expects TLS";
    // A server that closes the connection with bytes of the handshake unread resets it.
    if matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    ) {
        return Some(NOT_TLS);
    }
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => NOT_TLS,
        rustls::Error::InvalidCertificate(error) => certificate_help(error)?,
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired,
        ) => NOT_ACCEPTED,
        _ => return None,
    })
}

fn certificate_help(error: &CertificateError) -> Option<&'static str> {
    Some(match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "none of the trusted authorities has issued the server's certificate: configure the certificate of its authority"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate has another name: connect by that name, or configure it as `server_name`"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "renew the server's certificate, or correct this machine's clock"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "correct this machine's clock, or wait until the server's certificate is valid"
        }
        _ => return None,
    })
}

fn authorities(settings: &Settings) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(text) = &settings.authorities {
        for certificate in certificates("the authorities' certificates", text)? {
            roots
                .add(certificate)
                .map_err(|error| wrong("the authorities' certificates", error))?;
        }
        return Ok(roots);
    }
    let found = rustls_native_certs::load_native_certs();
    // Some systems have certificates that rustls cannot parse. The others can still be used.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found
            .errors
            .first()
            .map_or_else(|| "none found".to_owned(), ToString::to_string);
        let help = "install ca-certificates, or configure the certificate of an authority";
        return Err(wrong_with_help("the system's authorities", why, Some(help)));
    }
    Ok(roots)
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if all.is_empty() => {
            let help = "write it as PEM: -----BEGIN CERTIFICATE-----";
            Err(wrong_with_help(what, "it holds no certificate", Some(help)))
        }
        Ok(all) => Ok(all),
        Err(error) => Err(wrong(what, error)),
    }
}

fn wrong(setting: &str, problem: impl Display) -> Error {
    wrong_with_help(setting, problem, None)
}

fn wrong_with_help(setting: &str, problem: impl Display, help: Option<&'static str>) -> Error {
    Error::Settings {
        setting: setting.to_owned(),
        problem: problem.to_string(),
        help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_wrong_text() {
        let junk = Settings {
            authorities: Some(b"junk".to_vec()),
            ..Settings::default()
        };
        let error = client(&junk).expect_err("no certificate").to_string();
        assert!(
            error.starts_with("the authorities' certificates: it holds no certificate; write it as PEM"),
            "{error}"
        );

        let half = b"-----BEGIN CERTIFICATE-----\nMIIB\n".to_vec();
        let error = certificates("the client certificate", &half)
            .expect_err("cut off")
            .to_string();
        assert!(error.starts_with("the client certificate: "), "{error}");
    }

    #[test]
    fn a_certificate_must_have_the_host_of_the_address_unless_another_name_is_configured() {
        let mut settings = Settings::default();
        assert_eq!(server_name(&settings, "::1").expect("an address").to_str(), "::1");
        assert_eq!(
            server_name(&settings, "db1.example").expect("a name").to_str(),
            "db1.example"
        );
        settings.server_name = Some("db.example".to_owned());
        assert_eq!(
            server_name(&settings, "db1.example").expect("a name").to_str(),
            "db.example"
        );
        settings.server_name = Some("two words".to_owned());
        let error = server_name(&settings, "db1.example").expect_err("no name").to_string();
        assert!(error.starts_with("the server's name \"two words\": "), "{error}");
    }
}
