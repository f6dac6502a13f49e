//! What Redis refuses, and the help for it.

use super::{RIGHTS, Server, Settings, settings};
use crate::client::{connect, keys, login, open, refused, tls, write, written_and_read};
use store::{Change, Verdict};
use testing::certificates::Authority;

#[tokio::test(flavor = "current_thread")]
async fn wrong_credentials() {
    let server = Server::start_with(&["--requirepass", "secret"]);
    let with = |login| {
        open(Settings {
            login,
            ..settings(&server)
        })
    };
    for wrong in [login("", "wrong"), login("nobody", "secret")] {
        let told = refused(&*with(Some(wrong))).await;
        assert!(
            told.starts_with(&server.address()) && told.contains("check the user and the password"),
            "{told}"
        );
    }
    let told = refused(&*with(None)).await;
    assert!(told.contains("requires one"), "{told}");
    let no_password = Server::start();
    let told = refused(&*open(Settings {
        login: Some(login("", "secret")),
        ..settings(&no_password)
    }))
    .await;
    assert!(told.contains("has a password at all"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_missing_right() {
    let server = Server::start();
    for missing in ["+info", "+evalsha", "+mset", "+getrange", "~rcron/*"] {
        let few: Vec<_> = RIGHTS.into_iter().filter(|right| *right != missing).collect();
        server.cli(&[&["ACL", "SETUSER", "few", "reset"][..], &few].concat());
        let store = open(Settings {
            login: Some(login("few", "secret")),
            ..settings(&server)
        });
        let asked = async {
            let mut connection = store.connect().await?;
            connection.change(&write("a")).await?;
            connection.read(&keys()).await
        };
        let told = asked.await.expect_err(missing).to_string();
        assert!(told.contains("grant the user the rights"), "{missing}: {told}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_missing_right_for_one_record_fails_the_whole_change() {
    let server = Server::start();
    let half: Vec<_> = RIGHTS
        .into_iter()
        .map(|right| if right == "~rcron/*" { "~rcron/a" } else { right })
        .collect();
    server.cli(&[&["ACL", "SETUSER", "half"][..], &half].concat());
    let store = open(Settings {
        login: Some(login("half", "secret")),
        ..settings(&server)
    });
    let both = Change {
        writes: vec![("a".to_owned(), b"x".to_vec()), ("b".to_owned(), b"x".to_vec())],
        ..Change::default()
    };
    connect(&*store).await.change(&both).await.expect_err("no right");
    assert_eq!(server.cli(&["DBSIZE"]), "0");
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_accepts_no_writes() {
    let server = Server::start();
    let store = open(settings(&server));
    for (name, value, word) in [
        ("min-replicas-to-write", "1", "min-replicas-to-write"),
        ("maxmemory", "1", "memory is full"),
    ] {
        let was = server.cli(&["CONFIG", "GET", name]);
        server.cli(&["CONFIG", "SET", name, value]);
        let told = connect(&*store)
            .await
            .change(&write("a"))
            .await
            .expect_err(name)
            .to_string();
        assert!(told.contains(word), "{told}");
        server.cli(&["CONFIG", "SET", name, was.lines().nth(1).expect("a value")]);
    }
    written_and_read(&mut connect(&*store).await).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_cluster() {
    let server = Server::start_with(&["--cluster-enabled", "yes"]);
    let told = refused(&*open(settings(&server))).await;
    assert!(told.contains("Redis Cluster"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn tls_certificates() {
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let with = |authority: &Authority| {
        open(Settings {
            servers: vec![server.tls_address()],
            tls: Some(tls(authority, None)),
            ..settings(&server)
        })
    };
    let told = refused(&*with(&Authority::new())).await;
    assert!(told.contains("none of the trusted authorities"), "{told}");
    let told = refused(&*with(&authority)).await;
    assert!(told.contains("client certificate"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_foreign_key_does_not_affect_the_records() {
    let server = Server::start();
    let store = open(settings(&server));
    server.cli(&["SET", "rcron/a", "theirs"]);
    assert_eq!(connect(&*store).await.change(&write("b")).await, Ok(Verdict::Done));
    let keys = ["a".to_owned(), "b".to_owned()];
    let items = connect(&*store).await.read(&keys).await.expect("read").items;
    let theirs = items[0].as_ref().expect("there is something");
    assert_eq!(theirs.value, b"theirs");
    assert!(items[1].is_some());
    let found = Change {
        conditions: vec![("a".to_owned(), Some(theirs.version))],
        ..write("a")
    };
    let missing = Change {
        conditions: vec![("a".to_owned(), None)],
        ..write("a")
    };
    let verdict = connect(&*store).await.change(&missing).await;
    assert_eq!(verdict, Ok(Verdict::Refused));
    assert_eq!(connect(&*store).await.change(&found).await, Ok(Verdict::Done));
}
