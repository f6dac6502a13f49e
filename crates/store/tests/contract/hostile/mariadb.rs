//! In the place of MariaDB.

use super::{Authority, Client, Fake, Settings, an_endless_answer, closed, each_is_an_error, error_of};
use crate::client::{login, tls};
use std::sync::Arc;
use store::mariadb::MariaDb;

fn settings(fake: &Fake) -> Settings {
    Settings {
        kind: Arc::new(MariaDb {
            database: "ops".to_owned(),
            table: "rcron".to_owned(),
        }),
        servers: vec![fake.address()],
        prefix: "rcron/".to_owned(),
        login: Some(login("rcrond", "hunter2")),
        tls: None,
    }
}

fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short").to_le_bytes();
    [&length[..3], &[number], body].concat()
}

/// The first packet, with TLS or without.
fn greeting(plugin: &str, tls: bool) -> Vec<u8> {
    let low: u16 = if tls { 0xffff } else { 0xf7ff };
    let body = [
        b"\x0a10.11.6-MariaDB\0\x07\0\0\0abcdefgh\0",
        &low.to_le_bytes()[..],
        b"\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0",
        plugin.as_bytes(),
        b"\0",
    ];
    packet(0, &body.concat())
}

const DONE: &[u8] = b"\0\0\0\x02\0\0\0";
const END: &[u8] = b"\xfe\0\0\x02\0";

/// A column of this type and collation; the first is a key.
fn column(kind: u8, collation: u8, key: bool) -> Vec<u8> {
    let flags = if key { 2 } else { 0 };
    [
        b"\x03def\0\0\0\x01c\x01c\x0c",
        &[collation, 0, 0, 1, 0, 0, kind, flags, 0, 0, 0, 0][..],
    ]
    .concat()
}

fn row(values: &[Option<&[u8]>]) -> Vec<u8> {
    let value = |value: Option<&[u8]>| match value {
        None => vec![0xfb],
        Some(value) => [&[u8::try_from(value.len()).expect("short")], value].concat(),
    };
    values.iter().copied().flat_map(value).collect()
}

/// The packets of an answer, in their order.
fn answer(packets: &[Vec<u8>]) -> Vec<u8> {
    let numbered = packets.iter().zip(1..);
    numbered.flat_map(|(body, number)| packet(number, body)).collect()
}

fn rows(columns: &[Vec<u8>], rows: &[Vec<u8>]) -> Vec<u8> {
    let count = vec![u8::try_from(columns.len()).expect("few")];
    let parts = [&[count][..], columns, &[END.to_vec()], rows, &[END.to_vec()]];
    answer(&parts.concat())
}

fn texts(all: &[&[&str]]) -> Vec<u8> {
    let columns = vec![column(253, 45, false); all[0].len()];
    let row_of = |values: &&[&str]| row(&values.iter().map(|value| Some(value.as_bytes())).collect::<Vec<_>>());
    rows(&columns, &all.iter().map(row_of).collect::<Vec<_>>())
}

/// Lets the client in, as a good primary, and receives the first read.
fn log_in(client: &mut Client) -> std::io::Result<()> {
    client.send(&greeting("mysql_native_password", false))?;
    client.receive()?;
    client.send(&packet(2, DONE))?;
    client.receive()?;
    client.send(&texts(&[
        &["version", "10.11.6-MariaDB"],
        &["read_only", "OFF"],
        &["server_id", "1"],
    ]))?;
    for _ in 0..2 {
        client.receive()?;
        client.send(&packet(1, DONE))?;
    }
    client.receive()?;
    client.send(&texts(&[&["7"]]))?;
    client.receive()?;
    client.send(&packet(1, b"\0\0\x07\x02\0\0\0"))?;
    client.receive().map(drop)
}

/// The columns of a read.
fn columns() -> Vec<Vec<u8>> {
    let other = column(253, 45, false);
    vec![
        column(253, 63, true),
        column(8, 63, false),
        column(251, 63, false),
        other.clone(),
        other,
    ]
}

/// Answers the first read so, and closes the connection.
fn answer_read(client: &mut Client, answer: &[u8]) -> std::io::Result<()> {
    log_in(client)?;
    client.send(answer)
}

/// The error of a log-in in which the server sends these packets, one after each of the client's; and what it has received.
async fn log_in_error(packets: Vec<Vec<u8>>) -> (String, Vec<u8>) {
    let fake = Fake::start(move |client| {
        for packet in &packets {
            client.send(packet)?;
            client.receive()?;
        }
        Ok(())
    });
    let error = error_of(settings(&fake)).await;
    closed(&fake, 1).await;
    (error, fake.received())
}

#[tokio::test(flavor = "current_thread")]
async fn silence() {
    let fake = Fake::start(Client::receive_all);
    let store = crate::client::open(settings(&fake));
    assert!(
        tokio::time::timeout(crate::client::A_WHILE, store.connect())
            .await
            .is_err()
    );
    closed(&fake, 1).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_is_closed() {
    let firsts = [&b""[..], b"\x05", b"\x05\0\0\0\x0a10", b"\x01\0\0\0\x0a"];
    each_is_an_error(settings, Client::send, firsts, "").await;
}

#[tokio::test(flavor = "current_thread")]
async fn other_protocols() {
    let serve = |client: &mut Client, other: &[u8]| {
        client.send(other)?;
        client.receive().map(drop)
    };
    let others = [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"-ERR unknown command\r\n",
        b"\0\0\0\0\0\0",
        b"\x01\0\0\0\x09",
        b"\x02\0\0\0\xff\x01",
    ];
    each_is_an_error(settings, serve, others, "check that this is").await;
    let (error, _) = log_in_error(vec![packet(0, b"\xff\x6a\x04Host is not allowed\x1b[2J")]).await;
    assert!(error.contains("Host is not allowed [2J (1130)"), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn the_password_is_not_sent_without_tls() {
    let clear = packet(2, b"\xfemysql_clear_password\0");
    let full = packet(2, b"\x01\x04");
    let switch = packet(2, b"\xfecaching_sha2_password\0abcdefghijklmnopqrst\0");
    let native = || greeting("mysql_native_password", false);
    for packets in [
        vec![native(), clear.clone()],
        vec![greeting("mysql_clear_password", false), clear],
        vec![greeting("caching_sha2_password", false), full],
        vec![native(), switch, packet(4, b"\x01\x04")],
    ] {
        let (error, received) = log_in_error(packets).await;
        assert!(
            error.contains("asks for the password in plain text") && error.contains("set `tls`"),
            "{error}"
        );
        let text = String::from_utf8_lossy(&received).into_owned();
        assert!(text.contains("rcrond") && !text.contains("hunter2"), "{text:?}");
    }
    // A server that has no TLS gets no name of a user either, if TLS is configured.
    let authority = Authority::new();
    let fake = Fake::start(|client| {
        client.send(&greeting("mysql_native_password", false))?;
        client.receive_all()
    });
    let over_tls = |fake: &Fake| Settings {
        tls: Some(tls(&authority, None)),
        ..settings(fake)
    };
    let error = error_of(over_tls(&fake)).await;
    assert!(error.contains("does not offer TLS"), "{error}");
    closed(&fake, 1).await;
    assert_eq!(fake.received(), b"");
}

#[tokio::test(flavor = "current_thread")]
async fn junk_in_the_place_of_tls() {
    let authority = Authority::new();
    // Bytes that come before the handshake are not taken for bytes that come over TLS.
    let early = [greeting("mysql_native_password", true), packet(2, DONE)].concat();
    let fake = Fake::start(move |client| {
        client.send(&early)?;
        client.receive_all()
    });
    let error = error_of(Settings {
        tls: Some(tls(&authority, None)),
        ..settings(&fake)
    })
    .await;
    assert!(error.contains("TLS"), "{error}");
    let received = fake.received();
    assert!(!received.windows(6).any(|part| part == b"rcrond"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_log_in_without_end() {
    let mut packets = vec![greeting("mysql_native_password", false)];
    let switch = |number| packet(number, b"\xfemysql_native_password\0abcdefghijklmnopqrst\0");
    packets.extend((1..100).map(|step| switch(step * 2)));
    let (error, _) = log_in_error(packets).await;
    assert!(error.contains("not a packet of MariaDB"), "{error}");
    for wrong in [&b"\x01\x03"[..], b"\x02", b"", b"\xfe", b"\xfedialog\0", b"\x01\x04"] {
        let (error, received) = log_in_error(vec![greeting("mysql_native_password", false), packet(2, wrong)]).await;
        assert!(
            error.contains("check that this is") || error.contains("let the user log in"),
            "{error}"
        );
        assert!(!received.windows(7).any(|part| part == b"hunter2"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn answers_without_end() {
    let claim = |client: &mut Client| client.send(b"\xff\xff\xff\0");
    an_endless_answer(settings, claim, b"x", "a packet of more than").await;
    let begin = || {
        let all = rows(&columns(), &[]);
        all[..all.len() - 4 - END.len()].to_vec()
    };
    // The numbers of the packets go round, as they do in a long answer.
    let first = |begin: Vec<u8>| {
        move |client: &mut Client| {
            log_in(client)?;
            client.send(&begin)
        }
    };
    let around = |body: &[u8]| {
        let all: Vec<u8> = (0..=255_u8)
            .flat_map(|number| packet(number.wrapping_add(8), body))
            .collect();
        &*Box::leak(all.into_boxed_slice())
    };
    let short = around(&row(&[Some(b"rcron/b"), Some(b"1"), None, Some(b"0"), None]));
    an_endless_answer(settings, first(begin()), short, "more than 10000 packets").await;
    let long = row(&[Some(b"rcron/b"), Some(b"1")]);
    let long = around(&[&long[..], b"\xfd\0\0\x02", &[b'x'; 2 << 16], b"\x010\xfb"].concat());
    an_endless_answer(settings, first(begin()), long, "an answer of more than").await;
}

#[tokio::test(flavor = "current_thread")]
async fn answers_that_are_not_those_of_the_statements() {
    let good: [Option<&[u8]>; 5] = [
        Some(b""),
        Some(b"1"),
        Some(b"0123456789abcdef"),
        Some(b"0"),
        Some(b"InnoDB/1"),
    ];
    let with = |number: usize, value: Option<&'static [u8]>| {
        let mut values = good;
        values[number] = value;
        rows(&columns(), &[row(&values)])
    };
    let wrong_table: &[u8] = b"InnoDB/1' OR '1";
    let answers = [
        packet(1, DONE),
        packet(1, b""),
        packet(1, b"\xfb/etc/shadow"),
        packet(1, b"\x05"),
        packet(1, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff"),
        packet(1, b"\xff"),
        packet(1, b"\xff\x28\x04#HY000\xff\xfe"),
        packet(3, DONE),
        rows(&[], &[]),
        rows(&columns()[..2], &[row(&good[..2])]),
        rows(&columns(), &[b"\x7f".to_vec()]),
        rows(&columns(), &[row(&good[..3])]),
        answer(&[vec![5], b"\x03def".to_vec()]),
        answer(&[vec![1], column(253, 63, true), DONE.to_vec()]),
        with(0, None),
        with(1, None),
        with(1, Some(b"x")),
        with(3, None),
        with(3, Some(b"1")),
        with(4, None),
        with(4, Some(b"Aria/1")),
        with(4, Some(wrong_table)),
        with(4, Some(b"\xff")),
    ];
    each_is_an_error(settings, answer_read, answers, "").await;
    let fake = Fake::start(move |client| {
        log_in(client)?;
        client.send(&rows(
            &columns(),
            &[row(&good), row(&[Some(b"r"), Some(b"1"), None, Some(b"0"), None])],
        ))?;
        client.receive_all()
    });
    // A key that was not asked for is ignored.
    let store = crate::client::open(settings(&fake));
    let found = crate::client::read(&*store).await;
    assert_eq!((found.items, found.revision), (vec![None], Some(1)));
}
