//! A real PostgreSQL.

mod faults;
mod refusals;

use crate::client::{connect, login, tls, write, written_and_read};
use crate::{rivals, suite};
use store::postgresql::{PostgreSql, Settings};
use store::{Change, Store, Verdict};
use testing::certificates::Authority;
use testing::servers::postgresql::PostgreSql as Server;

fn settings(server: &Server) -> Settings {
    Settings {
        servers: vec![server.address()],
        prefix: "rcron/".to_owned(),
        login: Some(login("rcrond", Some("secret"))),
        tls: None,
        database: "ops".to_owned(),
        table: "rcron".to_owned(),
    }
}

fn store(settings: Settings) -> PostgreSql {
    PostgreSql::new(settings).expect("good settings")
}

async fn ready(settings: Settings) -> PostgreSql {
    let store = store(settings);
    store.init().await.expect("made ready");
    store
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_with_a_password() {
    let server = Server::start();
    suite::all(&store(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_without_a_password() {
    let server = Server::start();
    let settings = Settings {
        login: Some(login("trusted", None)),
        table: "public.rcron".to_owned(),
        prefix: String::new(),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_over_tls() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let settings = Settings {
        tls: Some(tls(&authority, None)),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_over_tls_with_a_client_certificate() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let settings = Settings {
        tls: Some(tls(&authority, Some(&authority.client("certified")))),
        login: Some(login("certified", None)),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_through_a_socket_in_the_file_system_and_a_table_of_any_name() {
    let server = Server::start();
    let settings = Settings {
        servers: vec![server.socket()],
        table: r#"Ops's "leases"; DROP TABLE x; --"#.to_owned(),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
    let tables = server.sql("SELECT tablename FROM pg_tables WHERE tableowner = 'rcrond'");
    assert_eq!(tables, r#"Ops's "leases"; DROP TABLE x; --"#);
}

#[tokio::test(flavor = "current_thread")]
async fn of_many_that_change_a_record_at_once_one_wins_each_time() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    rivals::one_wins_each_time(&store).await;
}

#[tokio::test(flavor = "current_thread")]
async fn two_that_each_want_the_others_record_to_be_missing_are_not_both_done() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let (mut one, mut other) = (connect(&store).await, connect(&store).await);
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
async fn a_sound_server_is_no_concern_and_one_that_forgets_is() {
    let server = Server::start();
    let sound = ready(settings(&server)).await;
    assert_eq!(connect(&sound).await.concerns().await, Ok(Vec::new()));

    let hasty = Server::start_with(&["fsync=off", "full_page_writes=off"]);
    let store = ready(settings(&hasty)).await;
    hasty.sql("ALTER TABLE rcron SET UNLOGGED");
    let told = connect(&store).await.concerns().await.expect("asked");
    assert_eq!(told.len(), 3, "{told:?}");
    for (sentence, word) in told.iter().zip(["fsync is off", "full_page_writes is off", "UNLOGGED"]) {
        assert!(sentence.contains(word), "{told:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_waits_for_the_disk_whatever_the_user_was_set_to() {
    let server = Server::start();
    server.sql("ALTER ROLE rcrond SET synchronous_commit = off");
    server.sql("ALTER ROLE trusted SET synchronous_commit = remote_apply");
    for (user, expected) in [("rcrond", "on"), ("trusted", "remote_apply")] {
        let password = (user == "rcrond").then_some("secret");
        let store = ready(Settings {
            login: Some(login(user, password)),
            table: format!("for_{user}"),
            ..settings(&server)
        })
        .await;
        // The table tells what held when it was written.
        server.sql(&format!(
            "ALTER TABLE for_{user} ADD COLUMN held text DEFAULT current_setting('synchronous_commit')"
        ));
        written_and_read(&mut connect(&store).await).await;
        assert_eq!(server.sql(&format!("SELECT held FROM for_{user}")), expected);
    }
}
