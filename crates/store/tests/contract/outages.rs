//! Servers that stop or end. `server` is always the real server behind the store.

use crate::client::{A_WHILE, AT_LAST, connect, keys, open, write, written_and_read};
use store::{Error, Settings, Snapshot, Store, Verdict};
use testing::servers::{TestServer, free_port};
use tokio::time::timeout;

/// An abandoned call closes its connection. New connections can be used as soon as the server continues.
pub(crate) async fn an_abandoned_call_closes_its_connection(
    store: &dyn Store,
    server: &impl TestServer,
    address: &str,
) {
    let mut connection = connect(store).await;
    assert_eq!(connections_to(address), 1);
    server.pause();
    assert!(timeout(A_WHILE, connection.read(&keys())).await.is_err());
    let again = timeout(AT_LAST, connection.read(&keys())).await.expect("at once");
    let error = again.expect_err("closed").to_string();
    assert!(error.contains("was abandoned"), "{error}");
    drop(connection);
    for _ in 0..3 {
        assert!(timeout(A_WHILE, store.connect()).await.is_err());
        if store.reports_changes() {
            assert!(timeout(A_WHILE, store.watch(keys())).await.is_err());
        }
    }
    // The connections are closed by tasks of this runtime.
    let closed = timeout(AT_LAST, async {
        while connections_to(address) > 0 {
            tokio::task::yield_now().await;
        }
    });
    closed.await.expect("all closed");

    server.resume();
    let mut connection = timeout(AT_LAST, connect(store)).await.expect("connected");
    written_and_read(&mut connection).await;
}

/// The number of connections that this process has to the address.
fn connections_to(address: &str) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("readable");
    let port: u16 = address.rsplit_once(':').expect("a port").1.parse().expect("a port");
    let to = format!(":{port:04X}");
    let files = std::fs::read_dir("/proc/self/fd").expect("readable");
    let links = files.filter_map(|file| std::fs::read_link(file.expect("a file").path()).ok());
    let ours: Vec<_> = links.map(|link| link.to_string_lossy().into_owned()).collect();
    let open = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| {
            let (remote, inode) = (fields[2], fields[9]);
            remote.ends_with(&to) && ours.contains(&format!("socket:[{inode}]"))
        });
    open.count()
}

/// A connection does not continue with a server that was started again. Returns what the store held before.
pub(crate) async fn a_connection_ends_with_its_server(store: &dyn Store, server: &mut impl TestServer) -> Snapshot {
    let mut connection = connect(store).await;
    let before = written_and_read(&mut connection).await;
    server.kill();
    server.start_again();
    let error = connection.read(&keys()).await.expect_err("lost");
    assert!(is_lost(&error), "{error:?}");
    assert_eq!(connection.change(&write("a")).await, Err(error));
    before
}

/// A watch fails when its server ends, and stays failed.
pub(crate) async fn a_watch_ends_with_its_server(store: &dyn Store, server: &mut impl TestServer) {
    let mut watch = store.watch(keys()).await.expect("watching");
    assert!(timeout(A_WHILE, watch.changed()).await.is_err());
    server.kill();
    let changed = timeout(AT_LAST, watch.changed()).await.expect("ended");
    let error = changed.expect_err("failed");
    assert!(is_lost(&error), "{error:?}");
    assert_eq!(watch.changed().await, Err(error));
}

fn is_lost(error: &Error) -> bool {
    matches!(error, Error::At { error, .. } if matches!(**error, Error::Lost { .. }))
}

/// A watch fails when its server no longer answers. Returns the error.
pub(crate) async fn a_watch_on_a_silent_server_fails(store: &dyn Store, server: &impl TestServer) -> Error {
    let mut watch = store.watch(keys()).await.expect("watching");
    server.pause();
    let changed = timeout(AT_LAST, watch.changed()).await.expect("noticed");
    server.resume();
    changed.expect_err("failed")
}

/// If no server can be used, the error names each of them.
pub(crate) async fn the_error_names_each_server(settings: Settings) {
    let dead = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let servers = dead.to_vec();
    let error = open(Settings { servers, ..settings }).connect().await.err();
    let error = error.expect("refused").to_string();
    assert!(dead.iter().all(|server| error.contains(server)), "{error}");
}

/// A change of `mine` is done although another client has sent all but the last byte of the same one. `statement` is what a change
/// begins with.
pub(crate) async fn a_client_that_stops_during_a_change_blocks_no_other(
    mine: &dyn Store,
    settings: Settings,
    statement: &'static [u8],
) {
    use std::io::{Read, Write};
    // A proxy that forwards what the client sends, except the last byte of a change.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let middle = listener.local_addr().expect("an address").to_string();
    let to = settings.servers[0].clone();
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("accepted");
        let mut server = std::net::TcpStream::connect(to).expect("connected");
        let (mut back, mut from) = (client.try_clone().expect("a copy"), server.try_clone().expect("a copy"));
        std::thread::spawn(move || std::io::copy(&mut from, &mut back));
        let mut bytes = vec![0; 65536];
        loop {
            let count = client.read(&mut bytes).expect("read");
            let change = bytes[..count].windows(statement.len()).any(|word| word == statement);
            server
                .write_all(&bytes[..count - usize::from(change)])
                .expect("written");
            if change {
                said.send((client, server)).expect("told");
                return;
            }
        }
    });
    let slow = open(Settings {
        servers: vec![middle],
        ..settings
    });
    let mut stopped = connect(&*slow).await;
    assert!(timeout(A_WHILE, stopped.change(&write("a"))).await.is_err());
    let held = heard.recv().expect("the change came");
    let done = timeout(AT_LAST, async { connect(mine).await.change(&write("a")).await });
    assert_eq!(done.await.expect("not blocked"), Ok(Verdict::Done));
    drop(held);
}
