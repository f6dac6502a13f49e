//! In the place of etcd.

use super::{
    Client, Fake, Settings, a_server_that_closes, a_silent_server_is_left_at_the_limit, an_endless_answer, closed,
    each_is_an_error,
};
use crate::client::{A_WHILE, open};
use std::sync::Arc;
use store::etcd::Etcd;
use tokio::time::timeout;

const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// `:status: 200` and `content-type: application/grpc` on the first stream.
const HEADERS: &[u8] = b"\0\0\x14\x01\x04\0\0\0\x01\x88\x0f\x10\x10application/grpc";

fn settings(fake: &Fake) -> Settings {
    Settings {
        kind: Arc::new(Etcd),
        servers: vec![fake.address()],
        prefix: "rcron/".to_owned(),
        login: None,
        tls: None,
    }
}

/// A frame of data on the first stream.
fn data(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("short").to_be_bytes();
    [&length[1..], b"\0\0\0\0\0\x01", content].concat()
}

/// Receives the first call.
fn receive_call(client: &mut Client) -> std::io::Result<()> {
    client.send(SETTINGS)?;
    let mut received = Vec::new();
    while !has_data(&received) {
        received.extend(client.receive()?);
    }
    Ok(())
}

/// Whether one of these frames, which a preface of 24 bytes precedes, is data: that of the call.
fn has_data(received: &[u8]) -> bool {
    let mut rest = received.get(24..).unwrap_or_default();
    while let [high, middle, low, kind, ..] = *rest {
        if kind == 0 {
            return true;
        }
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    false
}

#[tokio::test(flavor = "current_thread")]
async fn silence() {
    a_silent_server_is_left_at_the_limit(settings).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_is_closed() {
    for first in [&b""[..], b"\0\0\0", SETTINGS] {
        a_server_that_closes(settings, first).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn other_protocols() {
    for other in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"-ERR unknown command\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
    ] {
        a_server_that_closes(settings, other).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn answers_without_end() {
    let nothing = |_: &mut Client| Ok(());
    // A frame of 16 MiB.
    an_endless_answer(settings, nothing, b"\xff\xff\xff\x04\0\0\0\0\0", "the connection broke").await;
    // A header without end.
    let header = |client: &mut Client| client.send(&[SETTINGS, b"\0\0\x01\x01\0\0\0\0\x01\x88"].concat());
    an_endless_answer(
        settings,
        header,
        b"\0\0\x04\x09\0\0\0\0\x01\0\x01a\0",
        "the connection broke",
    )
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn settings_and_pings_without_end_are_left_at_the_limit() {
    for endless in [SETTINGS, b"\0\0\x08\x06\0\0\0\0\0pingpong"] {
        let fake = Fake::start(move |client| client.send_endlessly(endless));
        assert!(timeout(A_WHILE, open(settings(&fake)).connect()).await.is_err());
        closed(&fake, 1).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_message_without_end() {
    let claim = |client: &mut Client| {
        receive_call(client)?;
        client.send(&[HEADERS, &data(b"\0\x7f\xff\xff\xff")].concat())
    };
    an_endless_answer(settings, claim, b"\0\0\x01\0\0\0\0\0\x01x", "message length too large").await;
}

#[tokio::test(flavor = "current_thread")]
async fn messages_that_are_not_answers() {
    let serve = |client: &mut Client, content: &[u8]| {
        receive_call(client)?;
        client.send(&[HEADERS, &data(content)].concat())?;
        // The end of the stream.
        client.send(b"\0\0\0\0\x01\0\0\0\x01")?;
        client.receive_all()
    };
    let contents = [
        &b""[..],
        b"\0\0\0\0\0",
        b"\0\0\0\0\x03\xff\xff\xff",
        b"\x01\0\0\0\x01x",
        b"\xff\0\0\0\x01x",
    ];
    each_is_an_error(settings, serve, contents, "").await;
}

#[tokio::test(flavor = "current_thread")]
async fn junk_over_tls() {
    super::junk_over_tls(settings, "").await;
}
