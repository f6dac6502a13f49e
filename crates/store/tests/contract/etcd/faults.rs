//! What happens to etcd, and what a client sees of it.

use super::{Server, Settings, settings, store};
use crate::client::{A_WHILE, AT_LAST, connect, keys, write, written_and_read};
use store::{Change, Store, Verdict};
use testing::servers;
use tokio::time::timeout;

#[tokio::test(flavor = "current_thread")]
async fn a_stopped_server_says_nothing_and_giving_up_leaves_nothing_behind() {
    let server = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    server.pause();
    assert!(timeout(A_WHILE, connection.read(&keys())).await.is_err());
    assert_eq!(connections_to(server.port()), 1);
    let again = timeout(AT_LAST, connection.read(&keys())).await.expect("at once");
    let told = again.expect_err("spoilt").to_string();
    assert!(told.contains("given up"), "{told}");
    drop(connection);
    for _ in 0..3 {
        assert!(timeout(A_WHILE, store.connect()).await.is_err());
        assert!(timeout(A_WHILE, store.watch(keys())).await.is_err());
    }
    // What closes a connection are tasks of this runtime.
    timeout(AT_LAST, async {
        while connections_to(server.port()) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all closed");

    server.resume();
    let mut connection = timeout(AT_LAST, connect(&store)).await.expect("connected");
    written_and_read(&mut connection).await;
}

/// How many this process has open.
fn connections_to(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("readable");
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

#[tokio::test(flavor = "current_thread")]
async fn a_dead_server_is_passed_over_and_not_begun_with_again() {
    let server = Server::start();
    let dead = format!("127.0.0.1:{}", servers::free_port());
    let store = store(Settings {
        servers: vec![dead.clone(), server.address()],
        ..settings(&server)
    });
    let mut connection = connect(&store).await;
    written_and_read(&mut connection).await;
    server.pause();
    // It begins with the one that did well, which hangs now.
    assert!(timeout(A_WHILE, store.connect()).await.is_err());
    server.resume();
    connect(&store).await;
}

#[tokio::test(flavor = "current_thread")]
async fn where_no_server_can_be_used_each_says_why() {
    let dead = [servers::free_port(), servers::free_port()].map(|port| format!("127.0.0.1:{port}"));
    let store = store(Settings {
        servers: dead.to_vec(),
        prefix: String::new(),
        login: None,
        tls: None,
    });
    let told = store.connect().await.err().expect("refused").to_string();
    assert!(dead.iter().all(|server| told.contains(server)), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_does_not_outlive_the_servers_process() {
    let mut server = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    let before = written_and_read(&mut connection).await;
    server.kill();
    server.start_again();
    let told = connection.read(&keys()).await.expect_err("lost");
    assert!(told.what.starts_with("the connection is lost: "), "{told}");
    assert_eq!(connection.change(&write("a")).await, Err(told));

    let after = connect(&store).await.read(&keys()).await.expect("read");
    assert_eq!((after.incarnation, after.items), (before.incarnation, before.items));
}

#[tokio::test(flavor = "current_thread")]
async fn lost_data_show_in_the_revision_or_in_the_incarnation() {
    let mut server = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    let before = written_and_read(&mut connection).await;

    server.kill();
    server.lose_data();
    server.start_again();
    let wiped = connect(&store).await.read(&keys()).await.expect("read");
    assert_eq!(wiped.incarnation, before.incarnation);
    assert!(wiped.revision < before.revision, "{wiped:?} {before:?}");

    server.kill();
    server.become_another();
    server.start_again();
    let mut connection = connect(&store).await;
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
    let store = store(settings(&server));
    let mut watch = store.watch(keys()).await.expect("watching");
    assert!(timeout(A_WHILE, watch.changed()).await.is_err());
    server.kill();
    let told = timeout(AT_LAST, watch.changed())
        .await
        .expect("at last")
        .expect_err("lost");
    assert!(told.what.starts_with("the connection is lost: "), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_notices_that_its_server_has_fallen_silent() {
    let server = Server::start();
    let store = store(settings(&server));
    let mut watch = store.watch(keys()).await.expect("watching");
    server.pause();
    timeout(AT_LAST, watch.changed())
        .await
        .expect("at last")
        .expect_err("lost");
}

#[tokio::test(flavor = "current_thread")]
async fn a_member_without_a_majority_ends_watches_and_lets_nobody_in() {
    let [one, mut two] = Server::start_two();
    let store = store(settings(&one));
    let mut watch = store.watch(keys()).await.expect("watching");
    two.kill();
    let told = timeout(AT_LAST, watch.changed())
        .await
        .expect("at last")
        .expect_err("lost")
        .to_string();
    assert!(told.contains("no leader") && told.contains("no majority"), "{told}");
    let told = timeout(AT_LAST, store.connect())
        .await
        .expect("at last")
        .err()
        .expect("not let in")
        .to_string();
    assert!(told.contains("no leader"), "{told}");
    two.start_again();
    written_and_read(&mut connect(&store).await).await;
}
