//! The tests on a real MariaDB.

mod faults;
mod galera;
mod proxy;
mod refusals;

use crate::client::{connect, login, open, ready, write};
use crate::{rivals, spoilt, suite, tables};
use nix::unistd::{Uid, User};
use std::sync::Arc;
use store::{Change, Kind, Settings, Verdict, mariadb::MariaDb};
use testing::certificates::Authority;
use testing::servers::mariadb::MariaDb as Server;

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
    Arc::new(MariaDb {
        database: "ops".to_owned(),
        table: name.to_owned(),
    })
}

/// Through the Unix socket, as this process's user.
fn local(server: &Server) -> Settings {
    let user = User::from_uid(Uid::effective()).ok().flatten().expect("a user");
    Settings {
        servers: vec![server.socket()],
        login: Some(login(&user.name, None)),
        ..settings(server)
    }
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
        kind: table("cron-leases_$2"),
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
async fn keeps_the_contract_over_a_unix_socket() {
    let server = Server::start();
    suite::all(&*open(local(&server))).await;
}

/// Whatever is set for other programs.
#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_with_unusual_settings() {
    let server = Server::start_with(&[
        "--autocommit=OFF",
        "--transaction-isolation=READ-UNCOMMITTED",
        "--sql-mode=ANSI",
        "--default-storage-engine=MyISAM",
        "--query-cache-type=ON",
        "--query-cache-size=1M",
        "--log-bin=binlog",
        "--character-set-server=latin1",
        "--innodb-default-row-format=compact",
    ]);
    suite::all(&*open(settings(&server))).await;
    rivals::one_wins_each_time(&*open(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn one_of_many_rivals_wins_each_time() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    rivals::one_wins_each_time(&*store).await;
}

/// More than one call of the lease writes, for callers who need it.
#[tokio::test(flavor = "current_thread")]
async fn a_change_of_hundreds_of_long_records_is_done_or_refused_as_a_whole() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&*store).await;
    let keys: Vec<_> = (0..300).map(|number| format!("many/{number}")).collect();
    let change = |letter: u8| Change {
        incarnation: None,
        conditions: keys.iter().map(|key| (key.clone(), None)).collect(),
        writes: keys.iter().map(|key| (key.clone(), vec![letter; 4 << 10])).collect(),
    };
    assert_eq!(connection.change(&change(b'x')).await, Ok(Verdict::Done));
    let found = connection.read(&keys).await.expect("read");
    let mut next = change(b'y');
    let version = |index: usize| found.items[index].as_ref().map(|item| item.version);
    next.conditions = keys
        .iter()
        .enumerate()
        .map(|(index, key)| (key.clone(), version(index)))
        .collect();
    let mut wrong = next.clone();
    wrong.conditions[299].1 = Some(1);
    assert_eq!(connection.change(&wrong).await, Ok(Verdict::Refused));
    assert_eq!(connection.read(&keys).await.expect("read"), found);
    assert_eq!(connection.change(&next).await, Ok(Verdict::Done));
    let after = connection.read(&keys).await.expect("read");
    assert!(after.items.iter().flatten().all(|item| item.value == [b'y'; 4 << 10]));
    assert_eq!(after.items.iter().flatten().count(), 300);
    // Each change counts once, whatever it writes.
    assert_eq!(after.revision, found.revision.map(|revision| revision + 1));
}

#[tokio::test(flavor = "current_thread")]
async fn warns_about_a_server_that_may_forget() {
    let server = Server::start();
    let sound = ready(settings(&server)).await;
    assert_eq!(connect(&*sound).await.warnings().await, Ok(Vec::new()));

    let hasty = Server::start_with(&[
        "--innodb-flush-log-at-trx-commit=2",
        "--log-bin=binlog",
        "--sync-binlog=0",
        "--innodb-doublewrite=OFF",
    ]);
    let store = ready(settings(&hasty)).await;
    let warnings = connect(&*store).await.warnings().await.expect("asked");
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    let words = [
        "innodb_flush_log_at_trx_commit is not 1",
        "sync_binlog is not 1",
        "innodb_doublewrite is off",
    ];
    for (sentence, word) in warnings.iter().zip(words) {
        assert!(sentence.contains(word), "{warnings:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_spoilt_row_affects_only_its_own_key() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let spoil = |set: &str| drop(server.sql(&format!("UPDATE rcron SET {set} WHERE `key` = 'rcron/spoilt'")));
    let item = spoilt::affects_only_its_own_key(&*store, || spoil("value = 'junk', version = -1")).await;
    assert_eq!((item.version, item.value.as_slice()), (u64::MAX, &b"junk"[..]));
    // The same version as before.
    let item = spoilt::affects_only_its_own_key(&*store, || spoil("value = 'junk'")).await;
    assert_eq!(item.value, b"junk");
    let long = "value = REPEAT('x', 10 << 20)";
    assert_eq!(
        spoilt::affects_only_its_own_key(&*store, || spoil(long)).await.value,
        b""
    );
    // The table has no such rows unless its owner has changed it.
    server.sql("ALTER TABLE rcron MODIFY version BIGINT, MODIFY value MEDIUMBLOB");
    let item = spoilt::affects_only_its_own_key(&*store, || spoil("value = NULL")).await;
    assert_eq!(item.value, b"");
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
