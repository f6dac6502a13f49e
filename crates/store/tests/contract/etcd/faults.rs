//! What a client sees when something happens to etcd.

use super::{Server, Settings, settings};
use crate::client::{A_WHILE, AT_LAST, connect, keys, open, read, write, written_and_read};
use crate::outages;
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
async fn a_dead_server_is_skipped_and_not_tried_first_again() {
    let server = Server::start();
    let dead = format!("127.0.0.1:{}", free_port());
    let store = open(Settings {
        servers: vec![dead.clone(), server.address()],
        ..settings(&server)
    });
    let mut connection = connect(&*store).await;
    written_and_read(&mut connection).await;
    server.pause();
    // It starts with the server that did well, which hangs now.
    assert!(timeout(A_WHILE, store.connect()).await.is_err());
    server.resume();
    connect(&*store).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_error_names_each_server() {
    let server = Server::start();
    outages::the_error_names_each_server(settings(&server)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_ends_with_its_server() {
    let mut server = Server::start();
    let store = open(settings(&server));
    let before = outages::a_connection_ends_with_its_server(&*store, &mut server).await;
    let after = read(&*store).await;
    assert_eq!((after.incarnation, after.items), (before.incarnation, before.items));
}

#[tokio::test(flavor = "current_thread")]
async fn a_loss_of_data_shows_in_the_revision_or_in_the_incarnation() {
    let mut server = Server::start();
    let store = open(settings(&server));
    let mut connection = connect(&*store).await;
    let before = written_and_read(&mut connection).await;

    server.kill();
    server.lose_data();
    server.start_again();
    let wiped = connect(&*store).await.read(&keys()).await.expect("read");
    assert_eq!(wiped.incarnation, before.incarnation);
    assert!(wiped.revision < before.revision, "{wiped:?} {before:?}");

    server.kill();
    server.become_another();
    server.start_again();
    let mut connection = connect(&*store).await;
    let another = connection.read(&keys()).await.expect("read");
    assert_ne!(another.incarnation, before.incarnation);
    let bound = Change {
        incarnation: before.incarnation,
        ..write("a")
    };
    assert_eq!(connection.change(&bound).await, Ok(Verdict::Refused));
    assert_eq!(connection.read(&keys()).await.expect("read").items, [None]);
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
    outages::a_watch_on_a_silent_server_fails(&*store, &server).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_member_without_a_majority_ends_watches_and_refuses_connections() {
    let [one, mut two] = Server::start_two();
    let store = open(settings(&one));
    let mut watch = store.watch(keys()).await.expect("watching");
    two.kill();
    let told = timeout(AT_LAST, watch.changed())
        .await
        .expect("at last")
        .expect_err("lost")
        .to_string();
    assert!(
        told.contains("no leader") && told.contains("does not see a majority"),
        "{told}"
    );
    let told = timeout(AT_LAST, store.connect())
        .await
        .expect("at last")
        .err()
        .expect("refused")
        .to_string();
    assert!(told.contains("no leader"), "{told}");
    two.start_again();
    written_and_read(&mut connect(&*store).await).await;
}
