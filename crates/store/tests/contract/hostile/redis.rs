//! In the place of Redis.

use super::{
    Authority, Client, Fake, Settings, a_server_that_closes, a_silent_server_is_left_at_the_limit, an_endless_answer,
    error_of, with_tls,
};
use crate::client::tls;
use std::sync::Arc;
use store::redis::Redis;

fn settings(fake: &Fake) -> Settings {
    Settings {
        kind: Arc::new(Redis { database: 0 }),
        servers: vec![fake.address()],
        prefix: "rcron:".to_owned(),
        login: None,
        tls: None,
    }
}

fn bulk(content: &str) -> String {
    format!("${}\r\n{content}\r\n", content.len())
}

/// Answers INFO as a good server does, and receives the first read.
fn log_in(client: &mut Client) -> std::io::Result<()> {
    client.receive()?;
    client.send(bulk("redis_version:7.0.15\r\nrole:master\r\n").as_bytes())?;
    client.receive().map(drop)
}

/// The error of a read that is answered so.
async fn read_error(answer: String) -> String {
    let fake = Fake::start(move |client| {
        log_in(client)?;
        client.send(answer.as_bytes())?;
        client.receive_all()
    });
    error_of(settings(&fake)).await
}

#[tokio::test(flavor = "current_thread")]
async fn silence() {
    a_silent_server_is_left_at_the_limit(settings).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_is_closed() {
    for first in [&b""[..], b"$", b"$100\r\nredis_version:7", b"*3\r\n+OK\r\n"] {
        a_server_that_closes(settings, first).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn other_protocols() {
    for other in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\0\0\0\0",
    ] {
        let fake = Fake::start(move |client| {
            client.receive()?;
            client.send(other)?;
            client.receive_all()
        });
        let error = error_of(settings(&fake)).await;
        assert!(
            error.contains("this is not an answer of Redis; check that this is Redis' port"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn answers_without_end() {
    let receive = |client: &mut Client| client.receive().map(drop);
    an_endless_answer(settings, receive, b"+", "a line of more than").await;
    an_endless_answer(settings, receive, b"*1\r\n", "elements").await;
    let claim = |client: &mut Client| {
        client.receive()?;
        client.send(b"$2147483647\r\n")
    };
    an_endless_answer(settings, claim, b"x", "a value of more than").await;
    let claim = |client: &mut Client| {
        client.receive()?;
        client.send(b"*2147483647\r\n")
    };
    an_endless_answer(settings, claim, b"_\r\n", "elements").await;

    let read = |begin: &'static [u8]| {
        move |client: &mut Client| {
            log_in(client)?;
            client.send(begin)
        }
    };
    an_endless_answer(settings, read(b"*2147483647\r\n"), b"$0\r\n\r\n", "elements").await;
    an_endless_answer(settings, read(b"*99999\r\n"), b"*0\r\n", "elements").await;
    an_endless_answer(settings, read(b"$1048577\r\n"), b"x", "a value of more than").await;
    let strings = concat!("$1024\r\n", include_str!("kilobyte.txt"), "\r\n").as_bytes();
    an_endless_answer(settings, read(b"*99999\r\n"), strings, "an answer of more than").await;
}

#[tokio::test(flavor = "current_thread")]
async fn answers_that_are_not_those_of_the_scripts() {
    let run = bulk("run/history");
    for answer in [
        "_\r\n".to_owned(),
        ":1\r\n".to_owned(),
        "+OK\r\n".to_owned(),
        "*0\r\n".to_owned(),
        "*-1\r\n".to_owned(),
        "%1\r\n+a\r\n+b\r\n".to_owned(),
        "|1\r\n+a\r\n+b\r\n:1\r\n".to_owned(),
        "*1\r\n".repeat(200) + ":1\r\n",
        format!("*1\r\n{run}"),
        format!("*2\r\n{run}{}", bulk("17")),
        format!("*4\r\n{run}{0}{0}{0}", bulk("17")),
        format!("*3\r\n{run}{}{}", bulk("y"), bulk("")),
        format!("*3\r\n{run}{}{}", bulk("-1"), bulk("")),
        format!("*3\r\n{run}:1\r\n*0\r\n"),
        "-ERR \u{1b}[2J\u{202e}\r\n".to_owned(),
    ] {
        let shown = answer.clone();
        let error = read_error(answer).await;
        assert!(!error.is_empty(), "{shown}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn junk_over_tls() {
    let authority = Authority::new();
    let fake = with_tls(&authority, None, b"\xff\xfe");
    let over_tls = Settings {
        tls: Some(tls(&authority, None)),
        ..settings(&fake)
    };
    let error = error_of(over_tls).await;
    assert!(error.contains("this is not an answer of Redis"), "{error}");
}
