//! What a server refuses, and what a person is told.

use super::{RIGHTS, Server, Settings, settings, store};
use crate::client::{connect, keys, login, refused, tls, write, written_and_read};
use store::{Change, Store, Verdict};
use testing::certificates::Authority;
use testing::servers;

#[tokio::test(flavor = "current_thread")]
async fn wrong_credentials_say_where_to_look() {
    let server = Server::start_with(&["--requirepass", "secret"]);
    let with = |login| {
        store(Settings {
            login,
            ..settings(&server)
        })
    };
    for wrong in [login("", "wrong"), login("nobody", "secret")] {
        let told = refused(&with(Some(wrong))).await;
        assert!(
            told.starts_with(&server.address()) && told.contains("check the user and the password"),
            "{told}"
        );
    }
    let told = refused(&with(None)).await;
    assert!(told.contains("asks for a password"), "{told}");
    let open = Server::start();
    let told = refused(&store(Settings {
        login: Some(login("", "secret")),
        ..settings(&open)
    }))
    .await;
    assert!(told.contains("has a password at all"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_missing_right_is_named() {
    let server = Server::start();
    for missing in ["+info", "+evalsha", "+mset", "+mget", "~rcron/*"] {
        let few: Vec<_> = RIGHTS.into_iter().filter(|right| *right != missing).collect();
        server.cli(&[&["ACL", "SETUSER", "few", "reset"][..], &few].concat());
        let store = store(Settings {
            login: Some(login("few", "secret")),
            ..settings(&server)
        });
        let asked = async {
            let mut connection = store.connect().await?;
            connection.change(&write("a")).await?;
            connection.read(&keys()).await
        };
        let told = asked.await.expect_err(missing).to_string();
        assert!(told.contains("give the user the rights"), "{missing}: {told}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_refused_for_one_record_is_done_for_none() {
    let server = Server::start();
    let half: Vec<_> = RIGHTS
        .into_iter()
        .map(|right| if right == "~rcron/*" { "~rcron/a" } else { right })
        .collect();
    server.cli(&[&["ACL", "SETUSER", "half"][..], &half].concat());
    let store = store(Settings {
        login: Some(login("half", "secret")),
        ..settings(&server)
    });
    let both = Change {
        writes: vec![("a".to_owned(), b"x".to_vec()), ("b".to_owned(), b"x".to_vec())],
        ..Change::default()
    };
    connect(&store).await.change(&both).await.expect_err("no right");
    assert_eq!(server.cli(&["DBSIZE"]), "0");
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_takes_no_writes_fails_a_change() {
    let server = Server::start();
    let store = store(settings(&server));
    for (name, value, word) in [
        ("min-replicas-to-write", "1", "min-replicas-to-write"),
        ("maxmemory", "1", "memory is full"),
    ] {
        let was = server.cli(&["CONFIG", "GET", name]);
        server.cli(&["CONFIG", "SET", name, value]);
        let told = connect(&store)
            .await
            .change(&write("a"))
            .await
            .expect_err(name)
            .to_string();
        assert!(told.contains(word), "{told}");
        server.cli(&["CONFIG", "SET", name, was.lines().nth(1).expect("a value")]);
    }
    written_and_read(&mut connect(&store).await).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_cluster_is_refused() {
    let server = Server::start_with(&["--cluster-enabled", "yes"]);
    let told = refused(&store(settings(&server))).await;
    assert!(told.contains("Redis Cluster"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn tls_says_what_is_wrong() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let with = |authority: &Authority| {
        store(Settings {
            servers: vec![server.tls_address()],
            tls: Some(tls(authority, None)),
            ..settings(&server)
        })
    };
    let told = refused(&with(&Authority::new())).await;
    assert!(told.contains("none of the trusted authorities"), "{told}");
    let told = refused(&with(&authority)).await;
    assert!(told.contains("client certificate"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_of_somebody_else_is_not_taken_for_a_record_and_spoils_no_other() {
    let server = Server::start();
    let store = store(settings(&server));
    server.cli(&["SET", "rcron/a", "theirs"]);
    assert_eq!(connect(&store).await.change(&write("b")).await, Ok(Verdict::Done));
    let keys = ["a".to_owned(), "b".to_owned()];
    let items = connect(&store).await.read(&keys).await.expect("read").items;
    let theirs = items[0].as_ref().expect("there is something");
    assert_eq!(theirs.value, b"theirs");
    assert!(items[1].is_some());
    let found = Change {
        conditions: vec![("a".to_owned(), Some(theirs.version))],
        ..write("a")
    };
    assert_eq!(connect(&store).await.change(&found).await, Ok(Verdict::Refused));
    let missing = Change {
        conditions: vec![("a".to_owned(), None)],
        ..write("a")
    };
    let verdict = connect(&store).await.change(&missing).await;
    assert_eq!(verdict, Ok(Verdict::Refused));
}

#[tokio::test(flavor = "current_thread")]
async fn where_no_server_can_be_used_each_says_why() {
    let server = Server::start();
    let dead = [servers::free_port(), servers::free_port()].map(|port| format!("127.0.0.1:{port}"));
    let told = refused(&store(Settings {
        servers: dead.to_vec(),
        ..settings(&server)
    }))
    .await;
    assert!(dead.iter().all(|server| told.contains(server)), "{told}");
}
