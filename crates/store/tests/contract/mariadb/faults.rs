//! What a client sees when something happens to MariaDB.

use super::{Server, Settings, ready, settings};
use crate::client::{connect, keys, open, read, write, written_and_read};
use crate::outages;
use store::{Change, Verdict};

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
async fn a_connection_that_the_server_kills_is_lost() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&*store).await;
    written_and_read(&mut connection).await;
    server.sql("KILL USER rcrond");
    let error = connection.read(&keys()).await.expect_err("lost").to_string();
    assert!(error.contains("the connection broke"), "{error}");
}

/// What a restored dump brings back: the same rows, also the first, in another table.
const COPY: &str =
    "CREATE TABLE copy LIKE rcron; INSERT INTO copy SELECT * FROM rcron; DROP TABLE rcron; DO SLEEP(1.1);
                    CREATE TABLE rcron LIKE copy; INSERT INTO rcron SELECT * FROM copy; DROP TABLE copy";

#[tokio::test(flavor = "current_thread")]
async fn an_emptied_or_replaced_table_has_another_incarnation() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&*store).await;
    let mut before = written_and_read(&mut connection).await;
    for (loss, is_empty) in [("TRUNCATE rcron", true), ("DELETE FROM rcron", true), (COPY, false)] {
        written_and_read(&mut connection).await;
        server.sql(loss);
        let bound = Change {
            incarnation: before.incarnation,
            ..write("a")
        };
        assert_eq!(connection.change(&bound).await, Ok(Verdict::Refused), "{loss}");
        // The same connection sees it.
        let after = connection.read(&keys()).await.expect("read");
        assert_eq!(after.items[0].is_none(), is_empty, "{loss}");
        assert_ne!(after.incarnation, bound.incarnation, "{loss}");
        assert_eq!(connection.change(&bound).await, Ok(Verdict::Refused), "{loss}");
        let bound = Change {
            incarnation: after.incarnation.clone(),
            ..bound
        };
        assert_eq!(connection.change(&bound).await, Ok(Verdict::Done), "{loss}");
        before = after;
    }
}

/// Rows that are restored one by one bring back the number of changes, too.
#[tokio::test(flavor = "current_thread")]
async fn rows_that_go_back_have_a_smaller_revision() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&*store).await;
    written_and_read(&mut connection).await;
    server.sql("CREATE TABLE backup LIKE rcron; INSERT INTO backup SELECT * FROM rcron");
    written_and_read(&mut connection).await;
    let before = written_and_read(&mut connection).await;
    server.sql("REPLACE INTO rcron SELECT * FROM backup");
    let after = connection.read(&keys()).await.expect("read");
    assert_eq!(after.incarnation, before.incarnation);
    assert!(after.revision < before.revision, "{after:?} {before:?}");
}

/// Its data are the primary's, but its changes may not be all of them.
#[tokio::test(flavor = "current_thread")]
async fn a_promoted_replica_has_another_incarnation() {
    let primary = Server::start_with(&["--log-bin=binlog", "--sync-binlog=1", "--server-id=1"]);
    let replica = Server::start_with(&["--server-id=2", "--read-only=ON"]);
    let address = primary.address();
    let (_, port) = address.rsplit_once(':').expect("a port");
    primary.sql("CREATE USER copier IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE ON *.* TO copier");
    primary.sql("RESET MASTER");
    let follow = "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'copier', MASTER_PASSWORD = 'secret'";
    replica.sql(&format!("{follow}, MASTER_PORT = {port}; START SLAVE"));
    let store = ready(Settings {
        servers: vec![replica.address(), primary.address()],
        ..settings(&primary)
    })
    .await;
    let mut connection = connect(&*store).await;
    let before = written_and_read(&mut connection).await;
    testing::until("the replica to have it", || {
        let there = replica.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'rcron'") == "1";
        (there && replica.sql("SELECT COUNT(*) FROM rcron") == "2").then_some(())
    });
    let told = connection.warnings().await.expect("asked");
    assert!(
        told.len() == 1 && told[0].contains("none is semi-synchronous"),
        "{told:?}"
    );
    let promoted = open(settings(&replica));
    assert!(promoted.connect().await.err().expect("a replica").is_standby());

    // A replica that accepts writes is another store.
    replica.sql("SET GLOBAL read_only = OFF");
    let told = connect(&*promoted).await.warnings().await.expect("asked");
    assert!(
        told.len() == 1 && told[0].contains("replicates from another"),
        "{told:?}"
    );
    drop(primary);
    replica.sql("STOP SLAVE");
    let after = read(&*promoted).await;
    assert_eq!(after.items, before.items);
    assert_ne!(after.incarnation, before.incarnation);
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_stops_during_a_change_blocks_no_other() {
    let server = Server::start();
    let mine = ready(settings(&server)).await;
    outages::a_client_that_stops_during_a_change_blocks_no_other(&*mine, settings(&server), b"INSERT INTO").await;
}

/// Another program's transaction holds the first row: the change fails, and is not done later.
#[tokio::test(flavor = "current_thread")]
async fn a_change_that_waits_too_long_for_a_lock_fails_and_leaves_nothing() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let (mut one, mut other) = (connect(&*store).await, connect(&*store).await);
    let before = written_and_read(&mut one).await;
    let hold = "BEGIN; SELECT 1 FROM rcron WHERE `key` = '' FOR UPDATE; DO SLEEP(600)";
    let holder = server.start_client(hold);
    testing::until("the lock", || {
        let sleeping = server.sql("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'");
        (sleeping == "1").then_some(())
    });
    let told = one.change(&write("a")).await.expect_err("locked").to_string();
    assert!(told.contains("(1205)"), "{told}");
    drop(holder);
    assert_eq!(other.read(&keys()).await.expect("read").items, before.items);
}
