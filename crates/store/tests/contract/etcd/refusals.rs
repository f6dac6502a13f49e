//! Who is not let in is told why, and what to do.

use super::{Server, Settings, ask_for_passwords, settings, store};
use crate::client::{connect, keys, login, tls, write};
use store::{Change, Failure, Store};
use testing::certificates::Authority;

async fn not_let_in(settings: Settings) -> Failure {
    let server = settings.servers[0].clone();
    let failure = store(settings).connect().await.err().expect("not let in");
    assert_eq!(failure.server, server);
    failure
}

fn tells(failure: &Failure, what: &str, help: &str) {
    let helps = failure.help.as_ref().is_some_and(|text| text.contains(help));
    assert!(failure.what.contains(what) && helps, "{failure:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn passwords() {
    let server = Server::start();
    ask_for_passwords(&server);
    let wrong = Settings {
        login: Some(login("rcron", "wrong")),
        ..settings(&server)
    };
    tells(
        &not_let_in(wrong).await,
        "authentication failed",
        "check the user and the password",
    );

    let nobody = store(settings(&server));
    let help = "configure a user and a password";
    let failure = connect(&nobody).await.read(&keys()).await.expect_err("refused");
    tells(&failure, "user name is empty", help);
    let failure = nobody.watch(keys()).await.err().expect("refused");
    tells(&failure, "cancelled the watch: etcdserver: user name is empty", help);

    let guest = store(Settings {
        login: Some(login("guest", "secret")),
        ..settings(&server)
    });
    let help = "grant-permission";
    let failure = connect(&guest).await.change(&write("a")).await.expect_err("refused");
    tells(&failure, "permission denied", help);
    let failure = guest.watch(keys()).await.err().expect("refused");
    tells(&failure, "permission denied", help);
}

#[tokio::test(flavor = "current_thread")]
async fn a_token_that_is_void_costs_the_connection_and_no_more() {
    let server = Server::start();
    ask_for_passwords(&server);
    let store = store(Settings {
        login: Some(login("rcron", "secret")),
        ..settings(&server)
    });
    let mut connection = connect(&store).await;
    connection.read(&keys()).await.expect("read");
    for command in [
        &["delete", "rcron"][..],
        &["add", "rcron:secret"],
        &["grant-role", "rcron", "rcron"],
    ] {
        server.etcdctl(&[&["--user", "root:secret", "user"], command].concat());
    }
    let failure = connection.read(&keys()).await.expect_err("void");
    assert!(failure.what.contains("invalid auth token"), "{failure}");
    connect(&store).await.read(&keys()).await.expect("read");
}

#[tokio::test(flavor = "current_thread")]
async fn tls_to_a_server_without() {
    let (server, authority) = (Server::start(), Authority::new());
    let settings = Settings {
        tls: Some(tls(&authority, None)),
        ..settings(&server)
    };
    tells(&not_let_in(settings).await, "TLS: ", "does this port speak TLS?");
}

#[tokio::test(flavor = "current_thread")]
async fn no_tls_to_a_server_with() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let failure = not_let_in(settings(&server)).await;
    tells(&failure, "the connection is lost: ", "does it want TLS?");
}

#[tokio::test(flavor = "current_thread")]
async fn certificates() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = Server::start_with_tls(&authority);
    let client = authority.client("client");
    let with = |tls| Settings {
        tls: Some(tls),
        ..settings(&server)
    };

    let failure = not_let_in(with(tls(&stranger, Some(&client)))).await;
    tells(
        &failure,
        "TLS: invalid peer certificate",
        "none of the trusted authorities",
    );
    // The alert comes after the handshake, and may be overtaken by the end of the connection.
    let failure = not_let_in(with(tls(&authority, None))).await;
    tells(&failure, "the connection is lost: ", "accept our client certificate");
    let failure = not_let_in(with(tls(&authority, Some(&stranger.client("client"))))).await;
    tells(&failure, "the connection is lost: ", "accept our client certificate");

    let named = |name: &str| {
        let mut tls = tls(&authority, Some(&client));
        tls.server_name = Some(name.to_owned());
        with(tls)
    };
    let failure = not_let_in(named("etcd.example")).await;
    tells(&failure, "not valid for name \"etcd.example\"", "bears another name");
    connect(&store(named("localhost"))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn what_etcd_does_not_take_is_no_answer_and_not_refused() {
    let server = Server::start_with(&["--max-txn-ops", "1"]);
    let change = Change {
        writes: [write("a").writes, write("b").writes].concat(),
        ..Change::default()
    };
    let failure = connect(&store(settings(&server)))
        .await
        .change(&change)
        .await
        .expect_err("refused");
    tells(&failure, "too many operations", "--max-txn-ops");
}

#[tokio::test(flavor = "current_thread")]
async fn a_full_server_says_so() {
    let server = Server::start_with(&["--quota-backend-bytes", "1"]);
    let store = store(settings(&server));
    let failure = connect(&store).await.change(&write("a")).await.expect_err("refused");
    tells(&failure, "database space exceeded", "alarm disarm");
    let told = connect(&store).await.concerns().await.expect("asked");
    assert!(told.iter().any(|concern| concern.contains("NOSPACE")), "{told:?}");
}
