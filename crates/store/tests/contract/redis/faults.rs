//! What a client sees when something happens to Redis.

use super::{Server, Settings, settings};
use crate::client::{AT_LAST, connect, keys, open, read, write, written_and_read};
use crate::outages;
use std::time::Duration;
use store::{Change, Verdict};
use testing::servers::{TestServer, free_port};
use tokio::time::timeout;

#[tokio::test(flavor = "current_thread")]
async fn an_abandoned_call_closes_its_connection() {
    let server = Server::start();
    let store = open(settings(&server));
    outages::an_abandoned_call_closes_its_connection(&*store, &server, &server.address()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_error_names_each_server() {
    let server = Server::start();
    outages::the_error_names_each_server(settings(&server)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_restart_ends_connections_and_is_another_incarnation() {
    let mut server = Server::start();
    let store = open(settings(&server));
    let before = outages::a_connection_ends_with_its_server(&*store, &mut server).await;
    let after = read(&*store).await;
    assert_eq!(after.items, before.items);
    assert_ne!(after.incarnation, before.incarnation);
    let bound = Change {
        incarnation: before.incarnation,
        ..write("a")
    };
    assert_eq!(connect(&*store).await.change(&bound).await, Ok(Verdict::Refused));

    server.kill();
    server.lose_data();
    server.start_again();
    assert_eq!(read(&*store).await.items, [None]);
}

#[tokio::test(flavor = "current_thread")]
async fn flushed_records_are_missing() {
    let server = Server::start();
    let store = open(settings(&server));
    let mut connection = connect(&*store).await;
    let before = written_and_read(&mut connection).await;
    server.cli(&["FLUSHALL"]);
    let after = connection.read(&keys()).await.expect("read");
    assert_eq!((after.items, after.incarnation), (vec![None], before.incarnation));
    let version = before.items[0].as_ref().map(|item| item.version);
    let old = Change {
        conditions: vec![("a".to_owned(), version)],
        ..write("a")
    };
    assert_eq!(connection.change(&old).await, Ok(Verdict::Refused));
    let anew = written_and_read(&mut connection).await;
    assert_ne!(anew.items, before.items);
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_ends_with_its_server() {
    let mut server = Server::start();
    let store = open(settings(&server));
    outages::a_watch_ends_with_its_server(&*store, &mut server).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_on_a_silent_server_fails() {
    let server = Server::start();
    let store = open(settings(&server));
    let error = outages::a_watch_on_a_silent_server_fails(&*store, &server).await;
    assert!(error.what().ends_with("the server no longer answers"), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_outlives_many_keepalives() {
    let server = Server::start();
    let store = open(settings(&server));
    let keys: Vec<_> = (0..100).map(|number| format!("k/{number}")).collect();
    let mut watch = store.watch(keys).await.expect("watching");
    // Two keepalives are sent meanwhile.
    assert!(timeout(Duration::from_secs(11), watch.changed()).await.is_err());
    assert_eq!(connect(&*store).await.change(&write("k/99")).await, Ok(Verdict::Done));
    timeout(AT_LAST, watch.changed()).await.expect("told").expect("a hint");
}

/// Waits until a replica has its master's data.
fn wait_for_sync(replica: &Server) {
    testing::until("the replica to follow", || {
        replica
            .cli(&["INFO", "replication"])
            .contains("master_link_status:up")
            .then_some(())
    });
}

#[tokio::test(flavor = "current_thread")]
async fn a_replica_is_skipped_and_has_another_incarnation_as_master() {
    let mut master = Server::start();
    let replica = Server::start();
    let port = master.address().rsplit_once(':').expect("a port").1.to_owned();
    replica.cli(&["REPLICAOF", "127.0.0.1", &port]);
    wait_for_sync(&replica);
    let dead = format!("127.0.0.1:{}", free_port());
    let store = open(Settings {
        servers: vec![dead, replica.address(), master.address()],
        ..settings(&master)
    });
    let mut connection = connect(&*store).await;
    let before = written_and_read(&mut connection).await;
    let told = connection.warnings().await.expect("asked");
    assert!(told.len() == 1 && told[0].contains("min-replicas-to-write"), "{told:?}");
    testing::until("the replica to have it", || {
        (replica.cli(&["EXISTS", "rcron/a"]) == "1").then_some(())
    });

    master.kill();
    let told = store.connect().await.err().expect("none will do").to_string();
    assert!(told.contains("is a replica"), "{told}");
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    let after = read(&*store).await;
    assert_eq!(after.items, before.items);
    assert_ne!(after.incarnation, before.incarnation);
}

#[tokio::test(flavor = "current_thread")]
async fn a_master_that_becomes_a_replica_stops_answering() {
    let server = Server::start();
    let other = Server::start();
    let store = open(settings(&server));
    let mut connection = connect(&*store).await;
    let before = written_and_read(&mut connection).await;
    let port = other.address().rsplit_once(':').expect("a port").1.to_owned();
    let mut writer = connect(&*store).await;
    server.cli(&["REPLICAOF", "127.0.0.1", &port]);
    for told in [
        connection.read(&keys()).await.err(),
        writer.change(&write("a")).await.err(),
    ] {
        let told = told.expect("refused").to_string();
        assert!(told.contains("rcrond uses only the master"), "{told}");
    }
    wait_for_sync(&server);
    // It is the same process, with the data of another server.
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    let after = read(&*store).await;
    assert_eq!(after.items, [None]);
    assert_ne!(after.incarnation, before.incarnation);
}
