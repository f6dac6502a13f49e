//! What PostgreSQL refuses, and the help for it.

use super::{Server, Settings, ready, settings};
use crate::client::{connect, keys, login, open, refused, tls, write, written_and_read};
use crate::tables;
use std::sync::Arc;
use store::postgresql::PostgreSql;
use testing::certificates::Authority;

#[tokio::test(flavor = "current_thread")]
async fn a_missing_table() {
    let server = Server::start();
    tables::a_missing_table(settings(&server)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_user_who_may_not_create_the_table() {
    let server = Server::start();
    server.sql("REVOKE CREATE ON SCHEMA public FROM rcrond");
    let store = open(settings(&server));
    let told = store.init().await.expect_err("no right").to_string();
    assert!(told.contains("rcrond.sql"), "{told}");
    // The error names this file.
    server.sql(include_str!("../../../../../packaging/postgresql/rcrond.sql"));
    let told = connect(&*store)
        .await
        .read(&keys())
        .await
        .expect_err("no right")
        .to_string();
    assert!(told.contains("rcrond.sql"), "{told}");
    server.sql("GRANT SELECT, INSERT, UPDATE ON rcron TO rcrond");
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
    let told = refused(&*with("rcrond", Some("wrong"))).await;
    assert!(
        told.starts_with(&server.address()) && told.contains("check the user and the password"),
        "{told}"
    );
    assert!(!told.contains("wrong"), "{told}");
    let told = refused(&*with("rcrond", None)).await;
    assert!(told.contains("requires one"), "{told}");
    let told = refused(&*with("certified", None)).await;
    assert!(told.contains("requires one"), "{told}");
    let nowhere = Settings {
        kind: Arc::new(PostgreSql {
            database: "nowhere".to_owned(),
            table: "rcron".to_owned(),
        }),
        ..settings(&server)
    };
    let told = refused(&*open(nowhere)).await;
    assert!(told.contains("`database`"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn tls_is_never_omitted() {
    let plain = Server::start();
    let server = Server::start_with_tls(&Authority::new());
    tables::tls_is_never_omitted(settings(&plain), "`ssl`", settings(&server)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_read_only_server_is_skipped() {
    let read_only = Server::start();
    read_only.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    read_only.sql("SELECT pg_reload_conf()");
    testing::until("the server to be read-only", || {
        (read_only.sql("SHOW default_transaction_read_only") == "on").then_some(())
    });
    let writable = Server::start();
    tables::a_read_only_server_is_skipped(settings(&read_only), settings(&writable)).await;
    assert_eq!(writable.sql("SELECT key FROM rcron"), "rcron/a");
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_becomes_read_only_fails_a_change() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&*store).await;
    written_and_read(&mut connection).await;
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    server.sql("SELECT pg_reload_conf()");
    // Each process reloads in its own time.
    let told = loop {
        match connection.change(&write("a")).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(told) => break told.to_string(),
        }
    };
    assert!(told.contains("accepts no writes"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_foreign_table_is_not_used() {
    let server = Server::start();
    server.sql("CREATE TYPE mood AS ENUM ('good')");
    let create = |columns: &str, row: &str| {
        server.sql("DROP TABLE IF EXISTS rcron");
        server.sql(&format!(
            "CREATE TABLE rcron ({columns}); INSERT INTO rcron VALUES ({row})"
        ));
        server.sql("GRANT ALL ON rcron TO rcrond");
    };
    let foreign = [
        ("key text, version text", "'rcron/a', '1'"),
        ("key text, version bigint, value integer", "'rcron/a', 1, 1"),
        ("key text, version bigint, value text", "'rcron/a', 1, 'x'"),
        ("key text, version text, value bytea", "'rcron/a', '1', 'x'"),
        ("key bytea, version bigint, value bytea", "'rcron/a', 1, 'x'"),
        ("key text, version mood, value bytea", "'rcron/a', 'good', 'x'"),
    ];
    tables::a_foreign_table_is_not_used(settings(&server), &foreign, create, "rcrond.sql").await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_password_in_plain_text_is_sent_only_over_tls_and_over_a_unix_socket() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let plain = Settings {
        login: Some(login("plain", "secret")),
        ..settings(&server)
    };
    let told = refused(&*open(plain.clone())).await;
    assert!(
        told.contains("asks for the password in plain text") && told.contains("set `tls`"),
        "{told}"
    );
    let encrypted = Settings {
        tls: Some(tls(&authority, None)),
        ..plain.clone()
    };
    written_and_read(&mut connect(&*ready(encrypted).await).await).await;
    let local = Settings {
        servers: vec![server.socket()],
        ..plain
    };
    written_and_read(&mut connect(&*ready(local).await).await).await;
}
