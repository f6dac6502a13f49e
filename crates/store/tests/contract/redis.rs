//! The tests on a real Redis.

mod faults;
mod refusals;

use crate::client::{connect, login, open, tls, written_and_read};
use crate::{rivals, suite};
use std::sync::Arc;
use store::{Settings, redis::Redis};
use testing::certificates::Authority;
use testing::servers::redis::Redis as Server;

/// The rights that docs/design/store.md lists for the user.
const RIGHTS: [&str; 18] = [
    "resetchannels",
    "~rcron/*",
    "&rcron/*",
    "-@all",
    "+@connection",
    "+info",
    "+eval",
    "+evalsha",
    "+get",
    "+mget",
    "+mset",
    "+publish",
    "+scan",
    "+subscribe",
    "+config|get",
    "+ping",
    "on",
    ">secret",
];

fn settings(server: &Server) -> Settings {
    Settings {
        kind: Arc::new(Redis { database: 0 }),
        servers: vec![server.address()],
        prefix: "rcron/".to_owned(),
        login: None,
        tls: None,
    }
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract() {
    let server = Server::start();
    suite::all(&*open(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_with_few_rights_in_another_database() {
    let server = Server::start();
    server.cli(&[&["ACL", "SETUSER", "rcrond"][..], &RIGHTS].concat());
    let settings = Settings {
        login: Some(login("rcrond", "secret")),
        kind: Arc::new(Redis { database: 3 }),
        ..settings(&server)
    };
    suite::all(&*open(settings)).await;
    assert_eq!(server.cli(&["EXISTS", "rcron/a/1"]), "0");
    assert_eq!(server.cli(&["-n", "3", "EXISTS", "rcron/a/1"]), "1");
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_with_a_password_and_no_user() {
    let server = Server::start_with(&["--requirepass", "secret"]);
    let settings = Settings {
        login: Some(login("", "secret")),
        ..settings(&server)
    };
    suite::all(&*open(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_over_tls_with_a_client_certificate() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let settings = Settings {
        servers: vec![server.tls_address()],
        tls: Some(tls(&authority, Some(&authority.client("rcrond")))),
        ..settings(&server)
    };
    suite::all(&*open(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_over_a_unix_socket_with_a_prefix_like_a_pattern() {
    let server = Server::start();
    let settings = Settings {
        servers: vec![server.socket()],
        prefix: r"*[a-z]?\^".to_owned(),
        ..settings(&server)
    };
    server.cli(&["SET", "xa?^h_/no", "1\nx"]);
    suite::all(&*open(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn one_of_many_rivals_wins_each_time() {
    let server = Server::start();
    rivals::one_wins_each_time(&*open(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn redis_cli_shows_a_record() {
    let server = Server::start();
    let snapshot = written_and_read(&mut connect(&*open(settings(&server))).await).await;
    let version = snapshot.items[0].as_ref().expect("there").version;
    assert_eq!(server.cli(&["--raw", "GET", "rcron/a"]), format!("{version}\nx"));
}

#[tokio::test(flavor = "current_thread")]
async fn forgotten_scripts_are_sent_again() {
    let server = Server::start();
    let store = open(settings(&server));
    let mut connection = connect(&*store).await;
    for _ in 0..2 {
        server.cli(&["SCRIPT", "FLUSH"]);
        written_and_read(&mut connection).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn warns_about_a_server_that_may_forget() {
    let server = Server::start();
    let sound = open(settings(&server));
    assert_eq!(connect(&*sound).await.warnings().await, Ok(Vec::new()));

    server.cli(&["CONFIG", "SET", "appendonly", "no"]);
    let warnings = connect(&*sound).await.warnings().await.expect("asked");
    assert!(
        warnings.len() == 1 && warnings[0].contains("appendonly no"),
        "{warnings:?}"
    );

    let few: Vec<_> = RIGHTS.into_iter().filter(|right| *right != "+config|get").collect();
    server.cli(&[&["ACL", "SETUSER", "few"][..], &few].concat());
    let store = open(Settings {
        login: Some(login("few", "secret")),
        ..settings(&server)
    });
    let warnings = connect(&*store).await.warnings().await.expect("asked");
    assert!(
        warnings.len() == 1 && warnings[0].contains("could not check"),
        "{warnings:?}"
    );
}
