//! The tests on a real etcd.

mod faults;
mod refusals;

use crate::client::{connect, keys, login, open, tls, written_and_read};
use crate::{spoilt, suite};
use std::sync::Arc;
use store::{Settings, etcd::Etcd};
use testing::certificates::Authority;
use testing::servers::etcd::Etcd as Server;

fn settings(server: &Server) -> Settings {
    settings_of(server.address())
}

fn settings_of(address: String) -> Settings {
    Settings {
        kind: Arc::new(Etcd),
        servers: vec![address],
        prefix: "/rcron/".to_owned(),
        login: None,
        tls: None,
    }
}

/// Enables authentication, with two users besides root: `rcron` may do everything with the keys under the prefix, `guest`
/// nothing.
fn enable_authentication(server: &Server) {
    for command in [
        &["user", "add", "root:secret"][..],
        &["user", "grant-role", "root", "root"],
        &["user", "add", "rcron:secret"],
        &["role", "add", "rcron"],
        &[
            "role",
            "grant-permission",
            "rcron",
            "--prefix=true",
            "readwrite",
            "/rcron/",
        ],
        &["user", "grant-role", "rcron", "rcron"],
        &["user", "add", "guest:secret"],
        &["auth", "enable"],
    ] {
        server.etcdctl(command);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract() {
    let server = Server::start();
    suite::all(&*open(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_over_tls() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let client = authority.client("client");
    let settings = Settings {
        tls: Some(tls(&authority, Some(&client))),
        ..settings(&server)
    };
    suite::all(&*open(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_with_a_password() {
    let server = Server::start();
    enable_authentication(&server);
    let settings = Settings {
        login: Some(login("rcron", "secret")),
        ..settings(&server)
    };
    suite::all(&*open(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_with_a_certificate_for_the_user() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    enable_authentication(&server);
    let (user, guest) = (authority.client("rcron"), authority.client("guest"));
    let settings = |client| Settings {
        tls: Some(tls(&authority, Some(client))),
        ..settings(&server)
    };
    suite::all(&*open(settings(&user))).await;
    let refused = connect(&*open(settings(&guest)))
        .await
        .read(&keys())
        .await
        .expect_err("refused");
    assert!(refused.what().contains("permission denied"), "{refused}");
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract_without_a_prefix() {
    let server = Server::start();
    let settings = Settings {
        prefix: String::new(),
        ..settings(&server)
    };
    suite::all(&*open(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_all_keys_under_the_prefix() {
    let server = Server::start();
    server.etcdctl(&["put", "elsewhere", "x"]);
    let store = open(settings(&server));
    let mut connection = connect(&*store).await;
    written_and_read(&mut connection).await;
    let all = server.etcdctl(&["get", "", "--from-key", "--keys-only"]).stdout();
    assert_eq!(all.split_whitespace().collect::<Vec<_>>(), ["/rcron/a", "elsewhere"]);
    assert_eq!(
        server.etcdctl(&["get", "/rcron/a", "--print-value-only"]).stdout(),
        "x\n"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn warns_if_a_password_is_not_needed() {
    let server = Server::start();
    let with_password = Settings {
        login: Some(login("rcron", "secret")),
        ..settings(&server)
    };
    let store = open(with_password);
    let mut connection = connect(&*store).await;
    let warnings = connection.warnings().await.expect("asked");
    assert_eq!(
        warnings,
        ["authentication is not enabled in etcd: anyone who can connect to it can change the records"]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn does_not_warn_about_a_sound_server() {
    let server = Server::start();
    let store = open(settings(&server));
    let mut connection = connect(&*store).await;
    assert_eq!(connection.warnings().await, Ok(Vec::new()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_spoilt_value_affects_only_its_own_key() {
    let server = Server::start();
    let store = open(settings(&server));
    let junk = || drop(server.etcdctl(&["put", "/rcron/spoilt", "junk"]));
    assert_eq!(spoilt::affects_only_its_own_key(&*store, junk).await.value, b"junk");
    // As long as etcd accepts it, and longer than an answer may be.
    let long = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(long.path(), vec![b'x'; 1_500_000]).expect("written");
    let file = std::fs::File::open(long.path()).expect("there");
    let put = || drop(server.etcdctl_with(&["put", "/rcron/spoilt"], file.into()));
    assert_eq!(spoilt::affects_only_its_own_key(&*store, put).await.value, b"");
}
