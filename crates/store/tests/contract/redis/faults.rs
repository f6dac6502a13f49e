//! What happens to Redis, and what a client sees of it.

use super::{Server, Settings, settings, store};
use crate::client::{AT_LAST, connect, keys, read, write, written_and_read};
use crate::silence;
use std::time::Duration;
use store::{Change, Store, Verdict};
use testing::servers;
use tokio::time::timeout;

#[tokio::test(flavor = "current_thread")]
async fn a_stopped_server_says_nothing_and_what_was_given_up_is_not_used_again() {
    let server = Server::start();
    let store = store(settings(&server));
    silence::what_was_given_up_is_not_used_again(&store, || server.pause(), || server.resume()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_does_not_outlive_the_servers_process_and_the_next_is_another_incarnation() {
    let mut server = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    let before = written_and_read(&mut connection).await;
    server.kill();
    server.start_again();
    let told = connection.read(&keys()).await.expect_err("lost");
    assert_eq!(connection.change(&write("a")).await, Err(told));

    let after = read(&store).await;
    assert_eq!(after.items, before.items);
    assert_ne!(after.incarnation, before.incarnation);
    let bound = Change {
        incarnation: before.incarnation,
        ..write("a")
    };
    assert_eq!(connect(&store).await.change(&bound).await, Ok(Verdict::Refused));

    server.kill();
    server.lose_data();
    server.start_again();
    assert_eq!(read(&store).await.items, [None]);
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_flushed_is_missing() {
    let server = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
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
async fn a_watch_fails_when_its_server_does() {
    let mut server = Server::start();
    let store = store(settings(&server));
    silence::a_watch_fails_with_its_server(&store, || server.kill()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_on_a_server_that_says_nothing_any_more_fails() {
    let server = Server::start();
    let store = store(settings(&server));
    silence::a_watch_on_silence_fails(&store, || server.pause(), || server.resume()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_outlives_many_questions_whether_its_server_is_there() {
    let server = Server::start();
    let store = store(settings(&server));
    let keys: Vec<_> = (0..100).map(|number| format!("k/{number}")).collect();
    let mut watch = store.watch(keys).await.expect("watching");
    // Two questions are asked meanwhile.
    assert!(timeout(Duration::from_secs(11), watch.changed()).await.is_err());
    assert_eq!(connect(&store).await.change(&write("k/99")).await, Ok(Verdict::Done));
    timeout(AT_LAST, watch.changed()).await.expect("told").expect("a hint");
}

/// Waits until a replica has what its master has.
fn wait_for_sync(replica: &Server) {
    testing::until("the replica to follow", || {
        replica
            .cli(&["INFO", "replication"])
            .contains("master_link_status:up")
            .then_some(())
    });
}

#[tokio::test(flavor = "current_thread")]
async fn a_dead_server_and_a_replica_are_passed_over_and_a_replica_that_rises_is_another() {
    let mut master = Server::start();
    let replica = Server::start();
    let port = master.address().rsplit_once(':').expect("a port").1.to_owned();
    replica.cli(&["REPLICAOF", "127.0.0.1", &port]);
    wait_for_sync(&replica);
    let dead = format!("127.0.0.1:{}", servers::free_port());
    let store = store(Settings {
        servers: vec![dead, replica.address(), master.address()],
        ..settings(&master)
    });
    let mut connection = connect(&store).await;
    let before = written_and_read(&mut connection).await;
    let told = connection.concerns().await.expect("asked");
    assert!(told.len() == 1 && told[0].contains("min-replicas-to-write"), "{told:?}");
    testing::until("the replica to have it", || {
        (replica.cli(&["EXISTS", "rcron/a"]) == "1").then_some(())
    });

    master.kill();
    let told = store.connect().await.err().expect("none will do").to_string();
    assert!(told.contains("a replica"), "{told}");
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    let after = read(&store).await;
    assert_eq!(after.items, before.items);
    assert_ne!(after.incarnation, before.incarnation);
}

#[tokio::test(flavor = "current_thread")]
async fn a_master_that_became_a_replica_answers_no_more_and_then_is_another() {
    let server = Server::start();
    let other = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    let before = written_and_read(&mut connection).await;
    let port = other.address().rsplit_once(':').expect("a port").1.to_owned();
    let mut writer = connect(&store).await;
    server.cli(&["REPLICAOF", "127.0.0.1", &port]);
    for told in [
        connection.read(&keys()).await.err(),
        writer.change(&write("a")).await.err(),
    ] {
        let told = told.expect("refused").to_string();
        assert!(told.contains("only the master will do"), "{told}");
    }
    wait_for_sync(&server);
    // The same process, with another's data.
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    let after = read(&store).await;
    assert_eq!(after.items, [None]);
    assert_ne!(after.incarnation, before.incarnation);
}
