//! The tests on a real Redis.

mod faults;
mod refusals;

use crate::client::{connect, login, open, tls, written_and_read};
use crate::{rivals, spoilt, suite};
use std::sync::Arc;
use store::{Settings, redis::Redis};
use testing::certificates::Authority;
use testing::servers::redis::Redis as Server;

/// The rights that docs/design/store.md lists for the user.
const RIGHTS: [&str; 16] = [
    "resetchannels",
    "~rcron/*",
    "&rcron/*",
    "-@all",
    "+@connection",
    "+info",
    "+eval",
    "+evalsha",
    "+getrange",
    "+mset",
    "+publish",
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

#[tokio::test(flavor = "current_thread")]
async fn a_spoilt_value_affects_only_its_own_key() {
    let server = Server::start();
    server.cli(&[&["ACL", "SETUSER", "rcrond"][..], &RIGHTS].concat());
    let store = open(Settings {
        login: Some(login("rcrond", "secret")),
        ..settings(&server)
    });
    for junk in [
        "junk",
        "17",
        "x\ny",
        "-1\n",
        "0\n",
        "017\nx",
        "9999999999999999999\nx",
        "99999999999999999999\n",
    ] {
        let set = || drop(server.cli(&["SET", "rcron/spoilt", junk]));
        let item = spoilt::affects_only_its_own_key(&*store, set).await;
        assert_eq!(item.value, junk.as_bytes());
    }
    for command in [
        &["RPUSH", "rcron/spoilt", "x"][..],
        &["HSET", "rcron/spoilt", "x", "y"],
        &["XADD", "rcron/spoilt", "*", "x", "y"],
    ] {
        let replace = || {
            server.cli(&["DEL", "rcron/spoilt"]);
            server.cli(command);
        };
        assert_eq!(spoilt::affects_only_its_own_key(&*store, replace).await.value, b"");
    }
    // 64 MiB, with and without a version at the beginning.
    for (command, begin) in [("APPEND", "17\n"), ("SETRANGE", "")] {
        let grow = || {
            server.cli(&["SET", "rcron/spoilt", begin]);
            if command == "APPEND" {
                server.cli(&["SETBIT", "rcron/spoilt", "536870911", "1"]);
            } else {
                server.cli(&["SETRANGE", "rcron/spoilt", "67108863", "x"]);
            }
        };
        assert_eq!(spoilt::affects_only_its_own_key(&*store, grow).await.value, b"");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_spoilt_value_that_changes_has_another_version() {
    let server = Server::start();
    let store = open(settings(&server));
    let mut connection = connect(&*store).await;
    let mut versions = Vec::new();
    for junk in ["one", "two", "17\n", "18\n"] {
        server.cli(&["SET", "rcron/spoilt", junk]);
        versions.push(spoilt::read_spoilt(&mut connection).await.expect("there").version);
    }
    server.cli(&["DEL", "rcron/spoilt"]);
    server.cli(&["RPUSH", "rcron/spoilt", "x"]);
    versions.push(spoilt::read_spoilt(&mut connection).await.expect("there").version);
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), 5);
    // No record of rcrond's is empty.
    server.cli(&["SET", "rcron/spoilt", ""]);
    assert_eq!(spoilt::read_spoilt(&mut connection).await, None);
}
