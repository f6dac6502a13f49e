//! Servers that are hostile or damaged, or other programs at a store's address. Whatever they send, a client fails within its caller's
//! time limit, keeps little in memory, and does not panic.

mod etcd;
mod mariadb;
mod postgresql;
mod redis;

use crate::client::{A_WHILE, AT_LAST, keys, open, tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Write};
use std::sync::Arc;
use store::{Error, Settings};
use testing::certificates::Authority;
use testing::servers::fake::{Client, Fake};
use tokio::time::timeout;

/// How many bytes a client may take before it gives up. The kernel's buffers take most of them.
const LITTLE: u64 = 32 << 20;

/// The text of the error of a client that connects and reads. It must come by itself.
async fn error_of(settings: Settings) -> String {
    let store = open(settings);
    let used = timeout(AT_LAST, async {
        store
            .connect()
            .await?
            .read(&keys())
            .await
            .map(|found| format!("{found:?}"))
    });
    let used: Result<String, Error> = used.await.expect("it ends by itself");
    used.expect_err("no store").to_string()
}

/// Waits until so many connections have ended. Tasks of this runtime close them.
async fn closed(fake: &Fake, count: u64) {
    let closed = timeout(AT_LAST, async {
        while fake.ended() < count {
            tokio::task::yield_now().await;
        }
    });
    closed.await.expect("the connections are closed");
}

/// A server that accepts everything and sends nothing.
async fn a_silent_server_is_left_at_the_limit(with: impl Fn(&Fake) -> Settings) {
    let fake = Fake::start(Client::receive_all);
    let store = open(with(&fake));
    assert!(timeout(A_WHILE, store.connect()).await.is_err());
    assert!(timeout(A_WHILE, store.watch(keys())).await.is_err());
    closed(&fake, 2).await;
}

/// A server that sends this and closes the connection.
async fn a_server_that_closes(with: impl Fn(&Fake) -> Settings, first: &'static [u8]) {
    let fake = Fake::start(move |client| {
        client.receive()?;
        client.send(first)
    });
    let error = error_of(with(&fake)).await;
    assert!(error.starts_with(&fake.address()), "{error}");
}

/// A server for each of these answers, which it sends as `serve` says. Each error names the server, contains the word, and can be shown.
async fn each_is_an_error(
    with: impl Fn(&Fake) -> Settings,
    serve: impl Fn(&mut Client, &[u8]) -> io::Result<()> + Copy + Send + Sync + 'static,
    answers: impl IntoIterator<Item: AsRef<[u8]>>,
    word: &str,
) {
    for answer in answers {
        let answer = answer.as_ref().to_vec();
        let shown = answer.escape_ascii().to_string();
        let fake = Fake::start(move |client| serve(client, &answer));
        let error = error_of(with(&fake)).await;
        let is_right = error.starts_with(&fake.address()) && error.contains(word);
        assert!(is_right && !error.chars().any(char::is_control), "{shown}: {error:?}");
        closed(&fake, 1).await;
    }
}

/// Junk as the content of TLS. The error contains the word.
async fn junk_over_tls(with: impl Fn(&Fake) -> Settings, word: &str) {
    let authority = Authority::new();
    let fake = with_tls(&authority, None, b"\xff\xfe");
    let over_tls = Settings {
        tls: Some(tls(&authority, None)),
        ..with(&fake)
    };
    let error = error_of(over_tls).await;
    assert!(error.starts_with(&fake.address()) && error.contains(word), "{error}");
}

/// A server that sends this first, and the rest endlessly. The error contains the word.
async fn an_endless_answer(
    with: impl Fn(&Fake) -> Settings,
    serve: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static,
    endless: &'static [u8],
    word: &str,
) {
    let fake = Fake::start(move |client| {
        serve(client)?;
        client.send_endlessly(endless)
    });
    let error = error_of(with(&fake)).await;
    assert!(error.contains(word), "{word}: {error}");
    closed(&fake, 1).await;
    assert!(fake.sent() < LITTLE, "{word}: {} bytes", fake.sent());
}

/// A server with a good certificate that sends this as the content of TLS. `first` is answered before the handshake.
fn with_tls(authority: &Authority, first: Option<&'static [u8]>, content: &'static [u8]) -> Fake {
    let certificate = authority.server("hostile");
    let chain = CertificateDer::pem_file_iter(&certificate.certificate).expect("a file");
    let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain.map(|one| one.expect("a certificate")).collect(), key);
    let config = Arc::new(config.expect("a good pair"));
    Fake::start(move |client| {
        if let Some(first) = first {
            client.receive()?;
            client.send(first)?;
        }
        let connection = ServerConnection::new(Arc::clone(&config)).expect("a configuration");
        let mut stream = StreamOwned::new(connection, client);
        loop {
            stream.write_all(content)?;
        }
    })
}
