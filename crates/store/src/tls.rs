//! TLS: whom to trust, and who we are.

use crate::Failure;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, InvalidMessage, RootCertStore, crypto::ring};
use std::io;
use std::sync::Arc;

/// PEM texts, as read from files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The certificates of the authorities to trust; `None`: those of the system.
    pub authorities: Option<Vec<u8>>,
    /// This client's certificate chain and private key.
    pub identity: Option<Identity>,
    /// The name that the server's certificate must bear, if not that of its address.
    pub server_name: Option<String>,
}

/// A client certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The chain, PEM.
    pub certificates: Vec<u8>,
    /// The key, PEM.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("(certificate and key)")
    }
}

pub(crate) const NOT_ACCEPTED: &str =
    "the server does not accept our client certificate, or asks for one where none is configured";

/// What rustls needs to be a client. The system's authorities are read from their files now.
///
/// # Errors
/// Says which of the texts is wrong, and how; it is no server's fault, so none is named.
pub fn client(settings: &Settings) -> Result<Arc<ClientConfig>, Failure> {
    // Named here and not set for the whole process: a library does not decide for its program.
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

/// The name that the certificate of the server at `host` (a name or an address, without brackets) must bear.
///
/// # Errors
/// If it cannot be a server's name.
pub fn server_name(settings: &Settings, host: &str) -> Result<ServerName<'static>, Failure> {
    let name = settings.server_name.as_deref().unwrap_or(host);
    ServerName::try_from(name.to_owned()).map_err(|error| wrong(&format!("the server's name {name:?}"), error))
}

/// What to do about a handshake that failed, where the cure is known.
pub fn help(error: &io::Error) -> Option<&'static str> {
    const NOT_TLS: &str = "does this port speak TLS?";
    if error.kind() == io::ErrorKind::UnexpectedEof {
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
            "the server's certificate is from none of the trusted authorities: name its authority's certificate in the configuration"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate bears another name: connect by that, or configure it as the server's name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired, if this machine's clock is right"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet, if this machine's clock is right"
        }
        _ => return None,
    })
}

fn authorities(settings: &Settings) -> Result<RootCertStore, Failure> {
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
    // A system has some that no modern library likes: the others are still good.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found
            .errors
            .first()
            .map_or_else(|| "none found".to_owned(), ToString::to_string);
        return Err(wrong("the system's authorities", why)
            .with_help("install ca-certificates, or name an authority's certificate in the configuration"));
    }
    Ok(roots)
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if all.is_empty() => {
            Err(wrong(what, "no certificate in it").with_help("it must be PEM: -----BEGIN CERTIFICATE-----"))
        }
        Ok(all) => Ok(all),
        Err(error) => Err(wrong(what, error)),
    }
}

fn wrong(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::new("", format_args!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_text_is_named() {
        let junk = Settings {
            authorities: Some(b"junk".to_vec()),
            ..Settings::default()
        };
        let told = client(&junk).expect_err("no certificate").to_string();
        assert!(
            told.starts_with("the authorities' certificates: no certificate in it; it must be PEM"),
            "{told}"
        );

        let half = b"-----BEGIN CERTIFICATE-----\nMIIB\n".to_vec();
        let told = certificates("the client certificate", &half)
            .expect_err("cut off")
            .to_string();
        assert!(told.starts_with("the client certificate: "), "{told}");
    }

    #[test]
    fn a_server_is_called_by_its_address_unless_another_name_is_given() {
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
        let told = server_name(&settings, "db1.example").expect_err("no name").to_string();
        assert!(told.starts_with("the server's name \"two words\": "), "{told}");
    }
}
