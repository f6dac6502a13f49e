//! In the place of PostgreSQL.

use super::{
    Authority, Client, Fake, Settings, a_server_that_closes, a_silent_server_is_left_at_the_limit, an_endless_answer,
    closed, each_is_an_error, error_of, with_tls,
};
use crate::client::{login, tls};
use std::sync::Arc;
use store::postgresql::PostgreSql;

/// The columns of the first answer, and of a read.
const CHECK: &[u32] = &[25, 16, 25];
const READ: &[u32] = &[25, 20, 25, 20, 17];

fn settings(fake: &Fake) -> Settings {
    Settings {
        kind: Arc::new(PostgreSql {
            database: "ops".to_owned(),
            table: "rcron".to_owned(),
        }),
        servers: vec![fake.address()],
        prefix: "rcron/".to_owned(),
        login: Some(login("rcrond", "hunter2")),
        tls: None,
    }
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short");
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

fn authentication(code: u32, rest: &[u8]) -> Vec<u8> {
    message(b'R', &[&code.to_be_bytes()[..], rest].concat())
}

fn columns(types: &[u32]) -> Vec<u8> {
    let mut body = u16::try_from(types.len()).expect("few").to_be_bytes().to_vec();
    for oid in types {
        body.extend(
            [
                b"c\0\0\0\0\0\0\0",
                &oid.to_be_bytes()[..],
                b"\xff\xff\xff\xff\xff\xff\0\0",
            ]
            .concat(),
        );
    }
    message(b'T', &body)
}

fn row(values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = u16::try_from(values.len()).expect("few").to_be_bytes().to_vec();
    for value in values {
        let length = value.map_or(-1, |value| i32::try_from(value.len()).expect("short"));
        body.extend(length.to_be_bytes());
        body.extend(value.unwrap_or_default());
    }
    message(b'D', &body)
}

fn end() -> Vec<u8> {
    [message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat()
}

/// Lets the client in without a password, as a good primary, and receives the first read.
fn log_in(client: &mut Client) -> std::io::Result<()> {
    client.receive()?;
    client.send(&[authentication(0, b""), message(b'Z', b"I")].concat())?;
    client.receive()?;
    let good = row(&[Some(b"150000"), Some(b"f"), Some(b"off")]);
    client.send(&[columns(CHECK), good, end()].concat())?;
    client.receive().map(drop)
}

/// Answers the first read so.
fn answer_read(client: &mut Client, answer: &[u8]) -> std::io::Result<()> {
    log_in(client)?;
    client.send(&[&message(b'1', b""), &message(b'2', b""), answer].concat())?;
    client.receive_all()
}

/// The error of a log-in that is answered so, and what the server has received.
async fn log_in_error(answer: Vec<u8>) -> (String, Vec<u8>) {
    let fake = Fake::start(move |client| {
        client.receive()?;
        client.send(&answer)?;
        client.receive_all()
    });
    let error = error_of(settings(&fake)).await;
    closed(&fake, 1).await;
    (error, fake.received())
}

#[tokio::test(flavor = "current_thread")]
async fn silence() {
    a_silent_server_is_left_at_the_limit(settings).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_is_closed() {
    for first in [
        &b""[..],
        b"R",
        b"R\0\0\0\x08\0\0",
        b"R\0\0\0\x08\0\0\0\0S\0\0\0\x09a\0b",
    ] {
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
        b"-ERR unknown command\r\n",
        b"\0\0\0\0\0\0",
    ];
    each_is_an_error(settings, serve, others, "check that this is").await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_password_is_sent_neither_in_plain_text_nor_as_a_hash_without_tls() {
    for (request, word) in [
        (authentication(3, b""), "in plain text"),
        (authentication(5, b"salt"), "as an MD5 hash"),
    ] {
        let (error, received) = log_in_error(request).await;
        assert!(error.contains(word) && error.contains("set `tls`"), "{error}");
        // Only the request for the connection, which has no tag.
        let text = String::from_utf8_lossy(&received).into_owned();
        assert!(text.contains("rcrond") && text.ends_with("\0\0"), "{text:?}");
        assert!(!text.contains("hunter2") && !text.contains("md5"), "{text:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_log_in_that_would_take_for_ever() {
    let fake = Fake::start(|client| {
        client.receive()?;
        client.send(&authentication(10, b"SCRAM-SHA-256\0\0"))?;
        let first = client.receive()?;
        let nonce = first.windows(2).position(|pair| pair == b"r=").expect("a nonce");
        let nonce = String::from_utf8_lossy(&first[nonce..]).into_owned();
        client.send(&authentication(
            11,
            format!("{nonce}x,s=c2FsdA==,i=4294967295").as_bytes(),
        ))?;
        client.receive_all()
    });
    let error = error_of(settings(&fake)).await;
    assert!(error.contains("asks for 4294967295 iterations of SCRAM"), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn answers_without_end() {
    let accept = |client: &mut Client| {
        client.receive()?;
        client.send(&authentication(0, b""))
    };
    let claim = |client: &mut Client| client.send(b"E\x7f\xff\xff\xff");
    an_endless_answer(settings, claim, b"x", "a message of more than").await;
    an_endless_answer(settings, accept, b"N\0\0\0\x0bSNOTI\0\0", "an answer of more than").await;
    an_endless_answer(settings, accept, b"S\0\0\0\x08a\0b\0", "parameters of more than").await;

    let read = |begin: Vec<u8>| {
        move |client: &mut Client| {
            log_in(client)?;
            client.send(&begin)
        }
    };
    an_endless_answer(
        settings,
        read(b"D\x7f\xff\xff\xff".to_vec()),
        b"x",
        "a message of more than",
    )
    .await;
    let rows = [message(b'1', b""), message(b'2', b""), columns(&[])].concat();
    an_endless_answer(
        settings,
        read(rows.clone()),
        b"D\0\0\0\x06\0\0",
        "an answer has more than 10000 messages",
    )
    .await;
    an_endless_answer(
        settings,
        read(rows),
        b"A\0\0\0\x0a\0\0\0\0\0\0",
        "an answer of more than",
    )
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn answers_that_are_not_those_of_the_statements() {
    // The library would ask for this type, and for the next in the answer.
    let foreign = [columns(&[25, 20, 99_999, 20, 17]), end()].concat();
    let expected = "a type of another program (99999)";
    each_is_an_error(settings, answer_read, [foreign], expected).await;

    let one: &[u8] = &1i64.to_be_bytes();
    let rows: [&[Option<&[u8]>]; 7] = [
        &[],
        &[None; 5],
        &[Some(b"i"), None, None, None, None],
        &[Some(b"\xff"), Some(one), None, None, None],
        &[Some(b"i"), Some(b"short"), None, None, None],
        &[Some(b"i"), Some(one), Some(b"rcron/a"), None, None],
        &[Some(b"i"), Some(one), Some(b"r")],
    ];
    let rows = rows.map(|values| [columns(READ), row(values), end()].concat());
    let answers = [
        end(),
        [columns(READ), end()].concat(),
        [columns(&[25]), row(&[Some(b"i")]), end()].concat(),
        message(b'T', b"\xff\xff"),
        message(b'D', b"\xff\xff"),
        [columns(READ), message(b'D', b"\0\x05\x7f\xff\xff\xff"), end()].concat(),
        message(b'G', b"\0\0\0"),
        message(b'E', b"SERROR\0C\x1b[2J\0M\xff\0\0"),
        message(b'E', b""),
    ];
    let all = rows.into_iter().chain(answers);
    each_is_an_error(settings, answer_read, all, "").await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_that_was_not_asked_for_is_ignored() {
    let fake = Fake::start(move |client| {
        log_in(client)?;
        let one: &[u8] = &1i64.to_be_bytes();
        let shorter_than_the_prefix = row(&[Some(b"i"), Some(one), Some(b"r"), Some(one), Some(b"x")]);
        let answer = [
            message(b'1', b""),
            message(b'2', b""),
            columns(READ),
            shorter_than_the_prefix,
            end(),
        ];
        client.send(&answer.concat())?;
        client.receive_all()
    });
    let store = crate::client::open(settings(&fake));
    assert_eq!(crate::client::read(&*store).await.items, [None]);
}

#[tokio::test(flavor = "current_thread")]
async fn junk_in_the_place_of_tls_and_over_tls() {
    let authority = Authority::new();
    let over_tls = |fake: &Fake| Settings {
        tls: Some(tls(&authority, None)),
        ..settings(fake)
    };
    let fake = Fake::start(|client| {
        client.receive()?;
        client.send(b"Sjunk")?;
        client.receive_all()
    });
    let error = error_of(over_tls(&fake)).await;
    assert!(error.contains("TLS"), "{error}");
    assert!(!fake.received().windows(7).any(|part| part == b"hunter2"));

    let fake = with_tls(&authority, Some(b"S"), b"\xff\xff\xff\xff\xff");
    let error = error_of(over_tls(&fake)).await;
    assert!(error.contains("a message of more than"), "{error}");
}
