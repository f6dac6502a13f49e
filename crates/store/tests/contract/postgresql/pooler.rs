//! A pooler between the client and PostgreSQL that gives no notification to a client, as PgBouncer does with
//! `pool_mode = transaction`.

use super::{Server, settings};
use crate::client::open;
use store::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Passes on everything, except notifications to clients.
async fn start_pooler(server: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listening");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(&server).await.expect("connected");
            let (mut from_client, to_client) = client.into_split();
            let (from_server, mut to_server) = upstream.into_split();
            tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
            tokio::spawn(pass_on(from_server, to_client));
        }
    });
    address
}

/// Ends with the connection.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
    const NOTIFICATION: u8 = b'A';
    loop {
        let kind = from.read_u8().await?;
        let length = from.read_u32().await?;
        let mut body = vec![0; usize::try_from(length).expect("a length") - 4];
        from.read_exact(&mut body).await?;
        if kind != NOTIFICATION {
            to.write_u8(kind).await?;
            to.write_u32(length).await?;
            to.write_all(&body).await?;
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn that_loses_notifications_is_recognized() {
    let server = Server::start();
    let pooler = start_pooler(server.address()).await;
    let store = open(Settings {
        servers: vec![pooler],
        ..settings(&server)
    });
    store.init().await.expect("made ready");
    let error = store.watch(vec!["k".to_owned()]).await.err().expect("no watch");
    assert!(
        error.what().contains("does not reach a connection that listens"),
        "{error}"
    );
    assert!(error.help().is_some_and(|help| help.contains("pool_mode")), "{error}");
    // Without the pooler.
    let direct = open(settings(&server));
    assert!(direct.watch(vec!["k".to_owned()]).await.is_ok());
}
