//! The tests on a real PostgreSQL.

mod faults;
mod pooler;
mod refusals;

use crate::client::{connect, login, open, ready, write, written_and_read};
use crate::{rivals, spoilt, suite, tables};
use std::sync::Arc;
use store::{Change, Kind, Settings, Verdict, postgresql::PostgreSql};
use testing::certificates::Authority;
use testing::servers::postgresql::PostgreSql as Server;

fn settings(server: &Server) -> Settings {
    Settings {
        kind: table("rcron"),
        servers: vec![server.address()],
        prefix: "rcron/".to_owned(),
        login: Some(login("rcrond", Some("secret"))),
        tls: None,
    }
}

fn table(name: &str) -> Arc<dyn Kind> {
    Arc::new(PostgreSql {
        database: "ops".to_owned(),
        table: name.to_owned(),
    })
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_with_a_password() {
    let server = Server::start();
    suite::all(&*open(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_without_a_password() {
    let server = Server::start();
    let settings = Settings {
        login: Some(login("trusted", None)),
        kind: table("public.rcron"),
        prefix: String::new(),
        ..settings(&server)
    };
    suite::all(&*open(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_over_tls() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    tables::keeps_the_contract_over_tls(settings(&server), &authority).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_over_tls_with_a_client_certificate() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    tables::keeps_the_contract_over_tls_with_a_client_certificate(settings(&server), &authority).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_over_a_unix_socket_with_any_table_name() {
    let server = Server::start();
    let settings = Settings {
        servers: vec![server.socket()],
        kind: table(r#"Ops's "leases"; DROP TABLE x; --"#),
        ..settings(&server)
    };
    suite::all(&*open(settings)).await;
    let tables = server.sql("SELECT tablename FROM pg_tables WHERE tableowner = 'rcrond'");
    assert_eq!(tables, r#"Ops's "leases"; DROP TABLE x; --"#);
}

#[tokio::test(flavor = "current_thread")]
async fn one_of_many_rivals_wins_each_time() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    rivals::one_wins_each_time(&*store).await;
}

#[tokio::test(flavor = "current_thread")]
async fn one_of_two_crossed_conditions_fails() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let (mut one, mut other) = (connect(&*store).await, connect(&*store).await);
    for round in 0..50 {
        let (here, there) = (format!("here/{round}"), format!("there/{round}"));
        let wants = |missing: &str, writes: &str| Change {
            conditions: vec![(missing.to_owned(), None)],
            ..write(writes)
        };
        let (first, second) = (wants(&there, &here), wants(&here, &there));
        let (first, second) = tokio::join!(one.change(&first), other.change(&second));
        let verdicts = [first.expect("answered"), second.expect("answered")];
        assert!(
            verdicts.contains(&Verdict::Done) && verdicts.contains(&Verdict::Refused),
            "{verdicts:?}"
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn warns_about_a_server_that_may_forget() {
    let server = Server::start();
    let sound = ready(settings(&server)).await;
    assert_eq!(connect(&*sound).await.warnings().await, Ok(Vec::new()));

    let hasty = Server::start_with(&["fsync=off", "full_page_writes=off"]);
    let store = ready(settings(&hasty)).await;
    hasty.sql("ALTER TABLE rcron SET UNLOGGED");
    let warnings = connect(&*store).await.warnings().await.expect("asked");
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for (sentence, word) in warnings
        .iter()
        .zip(["fsync is off", "full_page_writes is off", "UNLOGGED"])
    {
        assert!(sentence.contains(word), "{warnings:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_waits_for_the_disk_and_sees_what_was_committed_whatever_is_set_for_the_user() {
    let server = Server::start();
    server.sql("ALTER DATABASE ops SET default_transaction_isolation = 'repeatable read'");
    server.sql("ALTER ROLE rcrond SET synchronous_commit = off");
    server.sql("ALTER ROLE trusted SET synchronous_commit = remote_apply");
    for (user, expected) in [("rcrond", "on"), ("trusted", "remote_apply")] {
        let password = (user == "rcrond").then_some("secret");
        let store = ready(Settings {
            login: Some(login(user, password)),
            kind: table(&format!("for_{user}")),
            ..settings(&server)
        })
        .await;
        // The table stores what was set when the record was written.
        server.sql(&format!(
            "ALTER TABLE for_{user} ADD COLUMN held text
             DEFAULT current_setting('synchronous_commit') || ', ' || current_setting('transaction_isolation')"
        ));
        written_and_read(&mut connect(&*store).await).await;
        let held = server.sql(&format!("SELECT held FROM for_{user}"));
        assert_eq!(held, format!("{expected}, read committed"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_spoilt_row_affects_only_its_own_key() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let spoil = |set: &str| drop(server.sql(&format!("UPDATE rcron SET {set} WHERE key = 'rcron/spoilt'")));
    let item = spoilt::affects_only_its_own_key(&*store, || spoil("value = 'junk', version = -1")).await;
    assert_eq!((item.version, item.value.as_slice()), (u64::MAX, &b"junk"[..]));
    // The same version as before.
    let item = spoilt::affects_only_its_own_key(&*store, || spoil("value = 'junk'")).await;
    assert_eq!(item.value, b"junk");
    let long = "value = convert_to(repeat('x', 100 << 20), 'UTF8')";
    assert_eq!(
        spoilt::affects_only_its_own_key(&*store, || spoil(long)).await.value,
        b""
    );
    // The table has no such rows unless its owner has changed it.
    server.sql("ALTER TABLE rcron ALTER version DROP NOT NULL, ALTER value DROP NOT NULL");
    assert_eq!(
        spoilt::affects_only_its_own_key(&*store, || spoil("value = NULL"))
            .await
            .value,
        b""
    );
    spoil("version = NULL");
    let mut connection = connect(&*store).await;
    assert_eq!(spoilt::read_spoilt(&mut connection).await, None);
    let missing = Change {
        conditions: vec![("spoilt".to_owned(), None)],
        ..write("spoilt")
    };
    assert_eq!(connection.change(&missing).await, Ok(Verdict::Done));
    assert_eq!(spoilt::read_spoilt(&mut connection).await.expect("there").value, b"x");
}
