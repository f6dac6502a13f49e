//! A real Redis.

mod faults;
mod refusals;

use crate::client::{connect, login, tls, written_and_read};
use crate::{rivals, suite};
use store::redis::{Redis, Settings};

use testing::certificates::Authority;
use testing::servers::redis::Redis as Server;

/// What docs/design/store.md says that the user needs.
const RIGHTS: [&str; 18] = [
    "resetchannels",
    "~rcron/*",
    "&rcron/*",
    "-@all",
    "+@connection",
    "+info",
    "+eval",
    "+evalsha",
    "+get",
    "+mget",
    "+mset",
    "+publish",
    "+scan",
    "+subscribe",
    "+config|get",
    "+ping",
    "on",
    ">secret",
];

fn settings(server: &Server) -> Settings {
    Settings {
        servers: vec![server.address()],
        prefix: "rcron/".to_owned(),
        login: None,
        tls: None,
        database: 0,
    }
}

fn store(settings: Settings) -> Redis {
    Redis::new(settings).expect("good settings")
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract() {
    let server = Server::start();
    suite::all(&store(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_with_a_user_of_few_rights_in_another_database() {
    let server = Server::start();
    server.cli(&[&["ACL", "SETUSER", "rcrond"][..], &RIGHTS].concat());
    let settings = Settings {
        login: Some(login("rcrond", "secret")),
        database: 3,
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
    assert_eq!(server.cli(&["EXISTS", "rcron/a/1"]), "0");
    assert_eq!(server.cli(&["-n", "3", "EXISTS", "rcron/a/1"]), "1");
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_with_a_password_alone() {
    let server = Server::start_with(&["--requirepass", "secret"]);
    let settings = Settings {
        login: Some(login("", "secret")),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_over_tls_with_a_client_certificate() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let settings = Settings {
        servers: vec![server.tls_address()],
        tls: Some(tls(&authority, Some(&authority.client("rcrond")))),
        ..settings(&server)
    };
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_through_a_socket_in_the_file_system_and_a_prefix_like_a_pattern() {
    let server = Server::start();
    let settings = Settings {
        servers: vec![server.socket()],
        prefix: r"*[a-z]?\^".to_owned(),
        ..settings(&server)
    };
    server.cli(&["SET", "xa?^h_/no", "1\nx"]);
    suite::all(&store(settings)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn of_many_that_change_a_record_at_once_one_wins_each_time() {
    let server = Server::start();
    rivals::one_wins_each_time(&store(settings(&server))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_can_be_read_by_people() {
    let server = Server::start();
    let snapshot = written_and_read(&mut connect(&store(settings(&server))).await).await;
    let version = snapshot.items[0].as_ref().expect("there").version;
    assert_eq!(server.cli(&["--raw", "GET", "rcron/a"]), format!("{version}\nx"));
}

#[tokio::test(flavor = "current_thread")]
async fn scripts_that_the_server_has_forgotten_are_sent_again() {
    let server = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    for _ in 0..2 {
        server.cli(&["SCRIPT", "FLUSH"]);
        written_and_read(&mut connection).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_sound_server_is_no_concern_and_one_that_forgets_is() {
    let server = Server::start();
    let sound = store(settings(&server));
    assert_eq!(connect(&sound).await.concerns().await, Ok(Vec::new()));

    server.cli(&["CONFIG", "SET", "appendonly", "no"]);
    let told = connect(&sound).await.concerns().await.expect("asked");
    assert!(told.len() == 1 && told[0].contains("appendonly no"), "{told:?}");

    let few: Vec<_> = RIGHTS.into_iter().filter(|right| *right != "+config|get").collect();
    server.cli(&[&["ACL", "SETUSER", "few"][..], &few].concat());
    let store = store(Settings {
        login: Some(login("few", "secret")),
        ..settings(&server)
    });
    let told = connect(&store).await.concerns().await.expect("asked");
    assert!(
        told.len() == 1 && told[0].contains("could not be looked at"),
        "{told:?}"
    );
}
