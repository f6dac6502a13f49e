//! Stores that keep their records in a table, and whose servers can have TLS switched off: PostgreSQL and MariaDB.

use crate::client::{connect, keys, login, open, ready, refused, tls, write, written_and_read};
use crate::suite;
use store::{Error, Settings};
use testing::certificates::Authority;

/// `settings` are those of a server of this authority.
pub(crate) async fn keeps_the_contract_over_tls(settings: Settings, authority: &Authority) {
    suite::all(&*open(over_tls(settings, authority))).await;
}

/// The server knows the user `certified` by a certificate of this authority.
pub(crate) async fn keeps_the_contract_over_tls_with_a_client_certificate(settings: Settings, authority: &Authority) {
    let settings = Settings {
        tls: Some(tls(authority, Some(&authority.client("certified")))),
        login: Some(login("certified", None)),
        ..settings
    };
    suite::all(&*open(settings)).await;
}

/// `plain` has no TLS, which the error calls `absence`; `encrypted` has it, with an authority that is not trusted.
pub(crate) async fn tls_is_never_omitted(plain: Settings, absence: &str, encrypted: Settings) {
    let told = refused(&*open(over_tls(plain, &Authority::new()))).await;
    assert!(told.contains(absence), "{told}");
    let told = refused(&*open(over_tls(encrypted, &Authority::new()))).await;
    assert!(told.contains("none of the trusted authorities"), "{told}");
}

fn over_tls(settings: Settings, authority: &Authority) -> Settings {
    Settings {
        tls: Some(tls(authority, None)),
        ..settings
    }
}

pub(crate) async fn a_missing_table(settings: Settings) {
    let store = open(settings);
    let advises = |error: Option<Error>| {
        let told = error.expect("no table").to_string();
        assert!(told.contains("rcrond --init-store"), "{told}");
    };
    advises(connect(&*store).await.read(&keys()).await.err());
    advises(connect(&*store).await.change(&write("a")).await.err());
    store.init().await.expect("made");
    written_and_read(&mut connect(&*store).await).await;
    store.init().await.expect("made again");
    assert!(connect(&*store).await.read(&keys()).await.expect("read").items[0].is_some());
}

pub(crate) async fn many_may_create_the_table_at_once(settings: Settings) {
    let store = open(settings);
    let all = tokio::join!(store.init(), store.init(), store.init(), store.init());
    assert_eq!(all, (Ok(()), Ok(()), Ok(()), Ok(())));
}

/// `create` makes the table with these columns, and this row. `file` is the one that makes it as it should be.
pub(crate) async fn a_foreign_table_is_not_used(
    settings: Settings,
    tables: &[(&str, &str)],
    create: impl Fn(&str, &str),
    file: &str,
) {
    let store = open(settings);
    for (columns, row) in tables {
        create(columns, row);
        let told = match store.connect().await {
            Ok(mut connection) => connection.read(&keys()).await.err(),
            Err(error) => Some(error),
        };
        let told = told.map(|error| error.to_string()).unwrap_or_default();
        let expected = format!("not as {file} creates it");
        assert!(told.contains(&expected), "{columns}: {told:?}");
    }
}

/// What is written is on the writable server.
pub(crate) async fn a_read_only_server_is_skipped(read_only: Settings, writable: Settings) {
    let told = refused(&*open(read_only.clone())).await;
    assert!(told.contains("accepts no writes"), "{told}");
    let both = Settings {
        servers: [read_only.servers, writable.servers.clone()].concat(),
        ..writable
    };
    let store = ready(both).await;
    written_and_read(&mut connect(&*store).await).await;
}
