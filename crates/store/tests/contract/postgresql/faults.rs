//! What happens to PostgreSQL, and what a client sees of it.

use super::{Server, Settings, ready, settings, store};
use crate::client::{A_WHILE, AT_LAST, connect, keys, read, write, written_and_read};
use crate::silence;
use store::{Change, Store, Verdict};
use testing::servers;
use tokio::time::timeout;

#[tokio::test(flavor = "current_thread")]
async fn a_stopped_server_says_nothing_and_what_was_given_up_is_not_used_again() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    silence::what_was_given_up_is_not_used_again(&store, || server.pause(), || server.resume()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_does_not_outlive_the_servers_process_and_what_was_done_stays() {
    let mut server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&store).await;
    let before = written_and_read(&mut connection).await;
    server.kill();
    server.start_again();
    let told = connection.read(&keys()).await.expect_err("lost");
    assert_eq!(connection.change(&write("a")).await, Err(told));

    let after = read(&store).await;
    assert_eq!((after.incarnation, after.items), (before.incarnation, before.items));
    assert!(after.revision >= before.revision);
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_fails_when_its_server_does() {
    let mut server = Server::start();
    let store = ready(settings(&server)).await;
    silence::a_watch_fails_with_its_server(&store, || server.kill()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_on_a_server_that_says_nothing_any_more_fails() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    silence::a_watch_on_silence_fails(&store, || server.pause(), || server.resume()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_table_that_was_emptied_or_replaced_is_another() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&store).await;
    let mut before = written_and_read(&mut connection).await;
    let again = "DROP TABLE rcron; CREATE TABLE rcron (key text PRIMARY KEY, version bigint, value bytea); GRANT ALL ON rcron TO rcrond";
    for loss in ["TRUNCATE rcron", again] {
        server.sql(loss);
        // On the same connection: nothing that was prepared speaks of the old one.
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
async fn a_dead_server_and_a_standby_are_passed_over_and_a_promoted_one_is_another() {
    let mut primary = Server::start();
    let standby = primary.standby();
    let dead = format!("127.0.0.1:{}", servers::free_port());
    let store = ready(Settings {
        servers: vec![dead, standby.address(), primary.address()],
        ..settings(&primary)
    })
    .await;
    let mut connection = connect(&store).await;
    let before = written_and_read(&mut connection).await;
    let told = connection.concerns().await.expect("asked");
    assert!(told.len() == 1 && told[0].contains("none is synchronous"), "{told:?}");
    testing::until("the standby to have it", || {
        let there = standby.sql("SELECT to_regclass('rcron') IS NOT NULL") == "t";
        (there && standby.sql("SELECT count(*) FROM rcron") == "1").then_some(())
    });

    primary.kill();
    let told = store.connect().await.err().expect("none will do").to_string();
    assert!(told.contains("a standby"), "{told}");
    standby.promote();
    let after = read(&store).await;
    assert_eq!(after.items, before.items);
    assert_ne!(after.incarnation, before.incarnation);
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_that_waits_for_a_synchronous_standby_is_not_done() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&store).await;
    written_and_read(&mut connection).await;
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.sql("SELECT pg_reload_conf()");
    // The reload is seen by each process in its own time; from then on no change is confirmed.
    let confirmed = timeout(AT_LAST, async {
        loop {
            let confirmed = read(&store).await.items;
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
    // Reads go on, and see nothing that is not confirmed.
    assert_eq!(timeout(AT_LAST, read(&store)).await.expect("answered").items, confirmed);
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_stops_halfway_through_a_change_holds_up_nobody() {
    use std::io::{Read, Write};
    let server = Server::start();
    let mine = ready(settings(&server)).await;
    // A man in the middle who passes on what the client says, but for the last byte of a change.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let middle = listener.local_addr().expect("an address").to_string();
    let to = server.address();
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("accepted");
        let mut server = std::net::TcpStream::connect(to).expect("connected");
        let (mut back, mut from) = (client.try_clone().expect("a copy"), server.try_clone().expect("a copy"));
        std::thread::spawn(move || std::io::copy(&mut from, &mut back));
        let mut bytes = vec![0; 65536];
        loop {
            let count = client.read(&mut bytes).expect("read");
            let change = bytes[..count].windows(6).any(|word| word == b"INSERT");
            server
                .write_all(&bytes[..count - usize::from(change)])
                .expect("written");
            if change {
                said.send((client, server)).expect("told");
                return;
            }
        }
    });
    let slow = store(Settings {
        servers: vec![middle],
        ..settings(&server)
    });
    let mut stopped = connect(&slow).await;
    assert!(timeout(A_WHILE, stopped.change(&write("a"))).await.is_err());
    let held = heard.recv().expect("the change came");
    let done = timeout(AT_LAST, async { connect(&mine).await.change(&write("a")).await });
    assert_eq!(done.await.expect("not held up"), Ok(Verdict::Done));
    drop(held);
}
