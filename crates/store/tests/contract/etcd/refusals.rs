//! What etcd refuses, and the help for it.

use super::{Server, Settings, enable_authentication, settings, settings_of};
use crate::client::{connect, keys, login, open, tls, write};
use std::net::TcpListener;
use store::{Change, Error};
use testing::certificates::Authority;

async fn refused(settings: Settings) -> Error {
    let configured = settings.servers[0].clone();
    let error = open(settings).connect().await.err().expect("refused");
    assert!(
        matches!(&error, Error::At { server, .. } if *server == configured),
        "{error:?}"
    );
    error
}

fn assert_says(error: &Error, what: &str, help: &str) {
    let helps = error.help().is_some_and(|text| text.contains(help));
    assert!(error.what().contains(what) && helps, "{error:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn passwords() {
    let server = Server::start();
    enable_authentication(&server);
    let wrong = Settings {
        login: Some(login("rcron", "wrong")),
        ..settings(&server)
    };
    assert_says(
        &refused(wrong).await,
        "authentication failed",
        "check the user and the password",
    );

    let nobody = open(settings(&server));
    let help = "configure a user and a password";
    let error = connect(&*nobody).await.read(&keys()).await.expect_err("refused");
    assert_says(&error, "user name is empty", help);
    let error = nobody.watch(keys()).await.err().expect("refused");
    assert_says(&error, "cancelled the watch: etcdserver: user name is empty", help);

    let guest = open(Settings {
        login: Some(login("guest", "secret")),
        ..settings(&server)
    });
    let help = "grant-permission";
    let error = connect(&*guest).await.change(&write("a")).await.expect_err("refused");
    assert_says(&error, "permission denied", help);
    let error = guest.watch(keys()).await.err().expect("refused");
    assert_says(&error, "permission denied", help);
}

#[tokio::test(flavor = "current_thread")]
async fn an_invalid_token_ends_only_its_connection() {
    let server = Server::start();
    enable_authentication(&server);
    let store = open(Settings {
        login: Some(login("rcron", "secret")),
        ..settings(&server)
    });
    let mut connection = connect(&*store).await;
    connection.read(&keys()).await.expect("read");
    for command in [
        &["delete", "rcron"][..],
        &["add", "rcron:secret"],
        &["grant-role", "rcron", "rcron"],
    ] {
        server.etcdctl(&[&["--user", "root:secret", "user"], command].concat());
    }
    let error = connection.read(&keys()).await.expect_err("void");
    assert!(error.what().contains("invalid auth token"), "{error}");
    connect(&*store).await.read(&keys()).await.expect("read");
}

#[tokio::test(flavor = "current_thread")]
async fn tls_to_a_server_without() {
    let (server, authority) = (Server::start(), Authority::new());
    let settings = Settings {
        tls: Some(tls(&authority, None)),
        ..settings(&server)
    };
    assert_says(
        &refused(settings).await,
        "TLS handshake failed: ",
        "this port expects TLS",
    );
}

/// A server that does not read the handshake before it closes the connection resets it.
#[tokio::test(flavor = "current_thread")]
async fn tls_to_a_port_that_resets() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let settings = Settings {
        tls: Some(tls(&Authority::new(), None)),
        ..settings_of(listener.local_addr().expect("its address").to_string())
    };
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        stream.peek(&mut [0]).expect("the handshake's first byte");
    });
    let error = refused(settings).await;
    assert_says(&error, "TLS handshake failed: ", "this port expects TLS");
    server.join().expect("closed");
}

#[tokio::test(flavor = "current_thread")]
async fn no_tls_to_a_server_with() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let error = refused(settings(&server)).await;
    assert_says(&error, "the connection broke: ", "whether it expects TLS");
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

    let error = refused(with(tls(&stranger, Some(&client)))).await;
    assert_says(
        &error,
        "TLS handshake failed: invalid peer certificate",
        "none of the trusted authorities",
    );
    // The alert comes after the handshake, and the end of the connection may come before it.
    let error = refused(with(tls(&authority, None))).await;
    assert_says(&error, "the connection broke: ", "client certificate");
    let error = refused(with(tls(&authority, Some(&stranger.client("client"))))).await;
    assert_says(&error, "the connection broke: ", "client certificate");

    let named = |name: &str| {
        let mut tls = tls(&authority, Some(&client));
        tls.server_name = Some(name.to_owned());
        with(tls)
    };
    let error = refused(named("etcd.example")).await;
    assert_says(&error, "not valid for name \"etcd.example\"", "has another name");
    connect(&*open(named("localhost"))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn an_error_is_not_a_refusal() {
    let server = Server::start_with(&["--max-txn-ops", "1"]);
    let change = Change {
        writes: [write("a").writes, write("b").writes].concat(),
        ..Change::default()
    };
    let error = connect(&*open(settings(&server)))
        .await
        .change(&change)
        .await
        .expect_err("refused");
    assert_says(&error, "too many operations", "--max-txn-ops");
}

#[tokio::test(flavor = "current_thread")]
async fn a_full_server() {
    let server = Server::start_with(&["--quota-backend-bytes", "1"]);
    let store = open(settings(&server));
    let error = connect(&*store).await.change(&write("a")).await.expect_err("refused");
    assert_says(&error, "database space exceeded", "alarm disarm");
    let warnings = connect(&*store).await.warnings().await.expect("asked");
    assert!(
        warnings.iter().any(|warning| warning.contains("NOSPACE")),
        "{warnings:?}"
    );
}
