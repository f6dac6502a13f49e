//! A proxy that sends reads to one server and writes to another, as ProxySQL and MaxScale can.

use super::{Server, ready, settings};
use crate::client::{connect, open, refused, written_and_read};
use std::io;
use std::sync::Arc;
use store::Settings;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Passes the log-in to both servers, and afterwards each SELECT to the first and everything else to the second.
async fn start_proxy(for_reads: String, for_others: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listening");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let reader = TcpStream::connect(&for_reads).await.expect("connected");
            let writer = TcpStream::connect(&for_others).await.expect("connected");
            tokio::spawn(pass_on(client, reader, writer));
        }
    });
    address
}

async fn packet(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = from.read_u32_le().await?;
    let mut packet = length.to_le_bytes().to_vec();
    packet.resize(4 + usize::try_from(length & 0xff_ffff).expect("a length"), 0);
    from.read_exact(&mut packet[4..]).await?;
    Ok(packet)
}

/// The user has no password, so that one response suits the challenges of both servers.
async fn pass_on(mut client: TcpStream, mut reader: TcpStream, mut writer: TcpStream) -> io::Result<()> {
    packet(&mut reader).await?;
    client.write_all(&packet(&mut writer).await?).await?;
    let response = packet(&mut client).await?;
    for server in [&mut reader, &mut writer] {
        server.write_all(&response).await?;
    }
    packet(&mut reader).await?;
    client.write_all(&packet(&mut writer).await?).await?;

    let (mut requests, answers) = client.into_split();
    let (from_reader, mut to_reader) = reader.into_split();
    let (from_writer, mut to_writer) = writer.into_split();
    // The answers do not mix, because the client sends the next statement only after the whole answer to the last.
    let answers = Arc::new(Mutex::new(answers));
    tokio::spawn(answer(from_reader, Arc::clone(&answers)));
    tokio::spawn(answer(from_writer, answers));
    loop {
        let statement = packet(&mut requests).await?;
        let is_read = statement[5..].starts_with(b"SELECT");
        let server = if is_read { &mut to_reader } else { &mut to_writer };
        server.write_all(&statement).await?;
    }
}

async fn answer(mut from: OwnedReadHalf, to: Arc<Mutex<OwnedWriteHalf>>) -> io::Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        to.lock().await.write_all(&bytes[..count]).await?;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn that_splits_reads_from_writes_is_recognized() {
    let (one, other) = (Server::start(), Server::start());
    let trusted = |server: &Server, address: String| Settings {
        login: Some(crate::client::login("trusted", None)),
        servers: vec![address],
        ..settings(server)
    };
    for server in [&one, &other] {
        ready(trusted(server, server.address())).await;
    }
    // Otherwise both connections might have the same number.
    connect(&*open(trusted(&one, one.address()))).await;
    let split = start_proxy(one.address(), other.address()).await;
    let told = refused(&*open(trusted(&one, split))).await;
    assert!(told.contains("different servers"), "{told}");
    let direct = open(trusted(&other, other.address()));
    written_and_read(&mut connect(&*direct).await).await;
}
