//! What a client sees when something happens to PostgreSQL.

use super::{Server, Settings, ready, settings};
use crate::client::{A_WHILE, AT_LAST, connect, keys, read, write, written_and_read};
use crate::outages;
use store::{Change, Verdict};
use testing::servers::{TestServer, free_port};
use tokio::time::timeout;

#[tokio::test(flavor = "current_thread")]
async fn an_abandoned_call_closes_its_connection() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    outages::an_abandoned_call_closes_its_connection(&*store, &server, &server.address()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_error_names_each_server() {
    let server = Server::start();
    outages::the_error_names_each_server(settings(&server)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_ends_with_its_server() {
    let mut server = Server::start();
    let store = ready(settings(&server)).await;
    let before = outages::a_connection_ends_with_its_server(&*store, &mut server).await;
    let after = read(&*store).await;
    assert_eq!((after.incarnation, after.items), (before.incarnation, before.items));
    assert!(after.revision >= before.revision);
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_ends_with_its_server() {
    let mut server = Server::start();
    let store = ready(settings(&server)).await;
    outages::a_watch_ends_with_its_server(&*store, &mut server).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_on_a_silent_server_fails() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let error = outages::a_watch_on_a_silent_server_fails(&*store, &server).await;
    assert!(error.what().ends_with("the server no longer answers"), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn an_emptied_or_replaced_table_has_another_incarnation() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&*store).await;
    let mut before = written_and_read(&mut connection).await;
    let again = "DROP TABLE rcron; CREATE TABLE rcron (key text PRIMARY KEY, version bigint, value bytea);
                 GRANT ALL ON rcron TO rcrond";
    for loss in ["TRUNCATE rcron", again] {
        server.sql(loss);
        // The same connection sees it: no prepared statement is for the old table.
        let after = connection.read(&keys()).await.expect("read");
        assert_eq!(after.items, [None]);
        assert_ne!(after.incarnation, before.incarnation, "{loss}");
        let bound = Change {
            incarnation: before.incarnation,
            ..write("a")
        };
        assert_eq!(connection.change(&bound).await, Ok(Verdict::Refused), "{loss}");
        before = after;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_standby_is_skipped_and_has_another_incarnation_when_promoted() {
    let mut primary = Server::start();
    let standby = primary.standby();
    let dead = format!("127.0.0.1:{}", free_port());
    let store = ready(Settings {
        servers: vec![dead, standby.address(), primary.address()],
        ..settings(&primary)
    })
    .await;
    let mut connection = connect(&*store).await;
    let before = written_and_read(&mut connection).await;
    let told = connection.warnings().await.expect("asked");
    assert!(told.len() == 1 && told[0].contains("none is synchronous"), "{told:?}");
    testing::until("the standby to have it", || {
        let there = standby.sql("SELECT to_regclass('rcron') IS NOT NULL") == "t";
        (there && standby.sql("SELECT count(*) FROM rcron") == "1").then_some(())
    });

    primary.kill();
    let told = store.connect().await.err().expect("none will do").to_string();
    assert!(told.contains("is a standby"), "{told}");
    standby.promote();
    let after = read(&*store).await;
    assert_eq!(after.items, before.items);
    assert_ne!(after.incarnation, before.incarnation);
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_waits_for_the_synchronous_standby() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&*store).await;
    written_and_read(&mut connection).await;
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.sql("SELECT pg_reload_conf()");
    // Each process reloads in its own time. From then on no change is confirmed.
    let confirmed = timeout(AT_LAST, async {
        loop {
            let confirmed = read(&*store).await.items;
            if timeout(A_WHILE, connection.change(&write("a"))).await.is_err() {
                return confirmed;
            }
        }
    });
    let confirmed = confirmed.await.expect("the standby to be waited for");
    testing::until("the change to be at its commit", || {
        let waiting = server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        (waiting == "1").then_some(())
    });
    // Reads still succeed, and see only what is confirmed.
    assert_eq!(
        timeout(AT_LAST, read(&*store)).await.expect("answered").items,
        confirmed
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_stops_during_a_change_blocks_no_other() {
    let server = Server::start();
    let mine = ready(settings(&server)).await;
    outages::a_client_that_stops_during_a_change_blocks_no_other(&*mine, settings(&server), b"INSERT").await;
}
