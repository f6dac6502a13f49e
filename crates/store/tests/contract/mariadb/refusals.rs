//! What MariaDB refuses, and the help for it.

use super::{Server, Settings, local, ready, settings};
use crate::client::{connect, keys, login, open, refused, write, written_and_read};
use crate::tables;
use std::sync::Arc;
use store::mariadb::MariaDb;
use testing::certificates::Authority;

#[tokio::test(flavor = "current_thread")]
async fn a_missing_table() {
    let server = Server::start();
    tables::a_missing_table(settings(&server)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_user_who_may_not_create_the_table() {
    let server = Server::start();
    server.sql("REVOKE ALL ON ops.* FROM rcrond");
    let store = open(settings(&server));
    let told = store.init().await.expect_err("no right").to_string();
    assert!(told.contains("`database`"), "{told}");
    // The error names this file.
    server.sql(include_str!("../../../../../packaging/mariadb/rcrond-mariadb.sql"));
    server.sql("GRANT SELECT ON ops.rcron TO rcrond");
    let mut connection = connect(&*store).await;
    let told = connection.change(&write("a")).await.expect_err("no right").to_string();
    assert!(told.contains("rcrond-mariadb.sql"), "{told}");
    server.sql("GRANT SELECT, INSERT, UPDATE ON ops.rcron TO rcrond");
    store.init().await.expect("it is there");
    written_and_read(&mut connect(&*store).await).await;
    assert_eq!(connect(&*store).await.warnings().await, Ok(Vec::new()));
}

#[tokio::test(flavor = "current_thread")]
async fn many_may_create_the_table_at_once() {
    let server = Server::start();
    tables::many_may_create_the_table_at_once(settings(&server)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn wrong_credentials() {
    let server = Server::start();
    let with = |user: &str, password: Option<&str>| {
        open(Settings {
            login: Some(login(user, password)),
            ..settings(&server)
        })
    };
    for password in [Some("wrong"), None] {
        let told = refused(&*with("rcrond", password)).await;
        assert!(
            told.starts_with(&server.address()) && told.contains("check the user and the password"),
            "{told}"
        );
        assert!(!told.contains("wrong"), "{told}");
    }
    assert!(refused(&*with("certified", None)).await.contains("check the user"));
    let nowhere = Settings {
        kind: Arc::new(MariaDb {
            database: "nowhere".to_owned(),
            table: "rcron".to_owned(),
        }),
        ..settings(&server)
    };
    let told = refused(&*open(nowhere)).await;
    assert!(told.contains("`database`"), "{told}");
}

/// The Unix socket shows who the client is.
#[tokio::test(flavor = "current_thread")]
async fn another_user_of_the_unix_socket() {
    let server = Server::start();
    server.sql("CREATE USER somebody@localhost IDENTIFIED VIA unix_socket");
    let other = Settings {
        login: Some(login("somebody", Some("secret"))),
        ..local(&server)
    };
    let told = refused(&*open(other)).await;
    assert!(told.contains("check the user"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn methods_that_rcrond_does_not_have() {
    let server = Server::start_with(&["--plugin-load-add=auth_ed25519"]);
    server.sql("CREATE USER modern IDENTIFIED VIA ed25519 USING PASSWORD('secret')");
    let modern = Settings {
        login: Some(login("modern", Some("secret"))),
        ..settings(&server)
    };
    let told = refused(&*open(modern)).await;
    assert!(
        told.contains("client_ed25519") && told.contains("mysql_native_password"),
        "{told}"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn tls_is_never_omitted() {
    let plain = Server::start_with(&["--skip-ssl"]);
    let server = Server::start_with_tls(&Authority::new());
    tables::tls_is_never_omitted(settings(&plain), "does not offer TLS", settings(&server)).await;
    server.sql("SET GLOBAL require_secure_transport = ON");
    let told = refused(&*open(settings(&server))).await;
    assert!(told.contains("whether it requires TLS"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_read_only_server_is_skipped() {
    let read_only = Server::start();
    read_only.sql("SET GLOBAL read_only = ON");
    let writable = Server::start();
    tables::a_read_only_server_is_skipped(settings(&read_only), settings(&writable)).await;
    assert_eq!(writable.sql("SELECT `key` FROM rcron WHERE `key` <> ''"), "rcron/a");
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_becomes_read_only_answers_neither_changes_nor_reads() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let (mut one, mut other) = (connect(&*store).await, connect(&*store).await);
    written_and_read(&mut one).await;
    server.sql("SET GLOBAL read_only = ON");
    let told = one.change(&write("a")).await.expect_err("read-only").to_string();
    assert!(told.contains("accepts no writes"), "{told}");
    let error = other.read(&keys()).await.expect_err("read-only");
    assert!(error.is_standby(), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_foreign_table_is_not_used() {
    let server = Server::start();
    let create = |columns: &str, row: &str| {
        server.sql("DROP TABLE IF EXISTS rcron");
        server.sql(&format!(
            "CREATE TABLE rcron ({columns}); INSERT INTO rcron VALUES ({row})"
        ));
    };
    let foreign = [
        (
            "`key` VARBINARY(99) PRIMARY KEY, version TEXT, value BLOB",
            "'rcron/a', '1', 'x'",
        ),
        (
            "`key` VARBINARY(99) PRIMARY KEY, version BIGINT, value INT",
            "'rcron/a', 1, 1",
        ),
        (
            "`key` VARBINARY(99) PRIMARY KEY, version BIGINT, value TEXT",
            "'rcron/a', 1, 'x'",
        ),
        (
            "`key` VARCHAR(99) PRIMARY KEY, version BIGINT, value BLOB",
            "'rcron/a', 1, 'x'",
        ),
        ("`key` VARBINARY(99) PRIMARY KEY, version BIGINT", "'rcron/a', 1"),
        ("`key` VARBINARY(99), version BIGINT, value BLOB", "'rcron/a', 1, 'x'"),
    ];
    tables::a_foreign_table_is_not_used(settings(&server), &foreign, create, "rcrond-mariadb.sql").await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_table_of_another_engine_is_not_used() {
    let server = Server::start();
    server.sql("CREATE TABLE rcron (`key` VARBINARY(900) PRIMARY KEY, version BIGINT, value BLOB) ENGINE = MyISAM");
    let told = connect(&*open(settings(&server)))
        .await
        .read(&keys())
        .await
        .expect_err("MyISAM");
    assert!(told.to_string().contains("the table's engine is MyISAM"), "{told}");
}
