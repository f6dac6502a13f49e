//! In the place of Redis.

use super::{
    Client, Fake, Settings, a_server_that_closes, a_silent_server_is_left_at_the_limit, an_endless_answer,
    each_is_an_error,
};
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

/// Answers the first read so.
fn answer_read(client: &mut Client, answer: &[u8]) -> std::io::Result<()> {
    log_in(client)?;
    client.send(answer)?;
    client.receive_all()
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
    let serve = |client: &mut Client, other: &[u8]| {
        client.receive()?;
        client.send(other)?;
        client.receive_all()
    };
    let others = [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\0\0\0\0",
    ];
    let expected = "this is not an answer of Redis; check that this is Redis' port";
    each_is_an_error(settings, serve, others, expected).await;
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
    let answers = [
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
    ];
    each_is_an_error(settings, answer_read, answers, "").await;
}

#[tokio::test(flavor = "current_thread")]
async fn junk_over_tls() {
    super::junk_over_tls(settings, "this is not an answer of Redis").await;
}
