//! A real etcd.

mod faults;
mod refusals;

use crate::client::{connect, keys, login, tls, written_and_read};
use crate::suite;
use store::etcd::{Etcd, Settings};

use testing::certificates::Authority;
use testing::servers::etcd::Etcd as Server;

fn settings(server: &Server) -> Settings {
    Settings {
        servers: vec![server.address()],
        prefix: "/rcron/".to_owned(),
        login: None,
        tls: None,
    }
}

fn store(settings: Settings) -> Etcd {
    Etcd::new(settings).expect("good settings")
}

/// Two users beside root: one who may do anything with our keys, one who may do nothing.
fn ask_for_passwords(server: &Server) {
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
async fn the_contract() {
    let server = Server::start();
    suite::all(&store(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_over_tls() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let client = authority.client("client");
    let settings = Settings {
        tls: Some(tls(&authority, Some(&client))),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_with_a_password() {
    let server = Server::start();
    ask_for_passwords(&server);
    let settings = Settings {
        login: Some(login("rcron", "secret")),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_with_a_certificate_that_names_the_user() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    ask_for_passwords(&server);
    let (user, guest) = (authority.client("rcron"), authority.client("guest"));
    let settings = |client| Settings {
        tls: Some(tls(&authority, Some(client))),
        ..settings(&server)
    };
    suite::all(&store(settings(&user))).await;
    let refused = connect(&store(settings(&guest)))
        .await
        .read(&keys())
        .await
        .expect_err("refused");
    assert!(refused.what.contains("permission denied"), "{refused}");
}

#[tokio::test(flavor = "current_thread")]
async fn without_a_prefix_all_keys_are_ours() {
    let server = Server::start();
    let settings = Settings {
        prefix: String::new(),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn keys_stand_under_the_prefix() {
    let server = Server::start();
    server.etcdctl(&["put", "elsewhere", "x"]);
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    written_and_read(&mut connection).await;
    let listed = connection.list("").await.expect("listed");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(
        server.etcdctl(&["get", "/rcron/a", "--print-value-only"]).stdout(),
        "x\n"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_password_that_nobody_asks_for_is_a_concern_and_no_failure() {
    let server = Server::start();
    let with_password = Settings {
        login: Some(login("rcron", "secret")),
        ..settings(&server)
    };
    let store = store(with_password);
    let mut connection = connect(&store).await;
    let told = connection.concerns().await.expect("asked");
    assert_eq!(
        told,
        ["etcd asks nobody for a password: whoever reaches it may change the records"]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_sound_server_is_no_concern() {
    let server = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    assert_eq!(connection.concerns().await, Ok(Vec::new()));
}
