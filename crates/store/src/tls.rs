//! TLS: whom to trust, and who we are.

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
