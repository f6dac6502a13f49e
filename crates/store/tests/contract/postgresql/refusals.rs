//! What a server refuses, and what a person is told.

use super::{Server, Settings, ready, settings, store};
use crate::client::{connect, keys, login, refused, tls, write, written_and_read};
use store::Store;
use testing::certificates::Authority;

#[tokio::test(flavor = "current_thread")]
async fn without_its_table_it_says_how_to_make_one() {
    let server = Server::start();
    let store = store(settings(&server));
    let mut connection = connect(&store).await;
    let told = connection.read(&keys()).await.expect_err("no table").to_string();
    assert!(told.contains("rcrond --init-store"), "{told}");
    let told = connect(&store)
        .await
        .change(&write("a"))
        .await
        .expect_err("no table")
        .to_string();
    assert!(told.contains("rcrond --init-store"), "{told}");
    store.init().await.expect("made");
    written_and_read(&mut connect(&store).await).await;
    store.init().await.expect("made again");
    assert!(connect(&store).await.read(&keys()).await.expect("read").items[0].is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn who_may_not_create_the_table_is_told_what_else_to_do_and_may_use_one() {
    let server = Server::start();
    server.sql("REVOKE CREATE ON SCHEMA public FROM rcrond");
    let store = store(settings(&server));
    let told = store.init().await.expect_err("no right").to_string();
    assert!(told.contains("rcrond.sql"), "{told}");
    // As that file says.
    server.sql(include_str!("../../../../../packaging/postgresql/rcrond.sql"));
    let told = connect(&store)
        .await
        .read(&keys())
        .await
        .expect_err("no right")
        .to_string();
    assert!(told.contains("rcrond.sql"), "{told}");
    server.sql("GRANT SELECT, INSERT, UPDATE ON rcron TO rcrond");
    store.init().await.expect("it is there");
    written_and_read(&mut connect(&store).await).await;
    assert_eq!(connect(&store).await.concerns().await, Ok(Vec::new()));
}

#[tokio::test(flavor = "current_thread")]
async fn many_make_the_table_at_once() {
    let server = Server::start();
    let store = store(settings(&server));
    let all = tokio::join!(store.init(), store.init(), store.init(), store.init());
    assert_eq!(all, (Ok(()), Ok(()), Ok(()), Ok(())));
}

#[tokio::test(flavor = "current_thread")]
async fn wrong_credentials_say_where_to_look() {
    let server = Server::start();
    let with = |user: &str, password: Option<&str>| {
        store(Settings {
            login: Some(login(user, password)),
            ..settings(&server)
        })
    };
    let told = refused(&with("rcrond", Some("wrong"))).await;
    assert!(
        told.starts_with(&server.address()) && told.contains("check the user and the password"),
        "{told}"
    );
    assert!(!told.contains("wrong"), "{told}");
    let told = refused(&with("rcrond", None)).await;
    assert!(told.contains("asks for a password"), "{told}");
    let told = refused(&with("certified", None)).await;
    assert!(told.contains("asks for a password"), "{told}");
    let nowhere = Settings {
        database: "nowhere".to_owned(),
        ..settings(&server)
    };
    let told = refused(&store(nowhere)).await;
    assert!(told.contains("`database`"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn tls_is_never_left_out_and_says_what_is_wrong() {
    let authority = Authority::new();
    let plain = Server::start();
    let over_tls = |server: &Server, authority: &Authority| {
        store(Settings {
            tls: Some(tls(authority, None)),
            ..settings(server)
        })
    };
    let told = refused(&over_tls(&plain, &authority)).await;
    assert!(told.contains("`ssl`"), "{told}");
    let server = Server::start_with_tls(&authority);
    let told = refused(&over_tls(&server, &Authority::new())).await;
    assert!(told.contains("none of the trusted authorities"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_takes_no_writes_is_passed_over() {
    let closed = Server::start();
    closed.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    closed.sql("SELECT pg_reload_conf()");
    testing::until("the server to be closed", || {
        (closed.sql("SHOW default_transaction_read_only") == "on").then_some(())
    });
    let open = Server::start();
    let told = refused(&store(settings(&closed))).await;
    assert!(told.contains("takes no writes"), "{told}");
    let both = Settings {
        servers: vec![closed.address(), open.address()],
        ..settings(&open)
    };
    let store = ready(both).await;
    written_and_read(&mut connect(&store).await).await;
    assert_eq!(open.sql("SELECT key FROM rcron"), "rcron/a");
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_was_closed_to_writes_fails_a_change() {
    let server = Server::start();
    let store = ready(settings(&server)).await;
    let mut connection = connect(&store).await;
    written_and_read(&mut connection).await;
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    server.sql("SELECT pg_reload_conf()");
    // Each process sees the reload in its own time.
    let told = loop {
        match connection.change(&write("a")).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(told) => break told.to_string(),
        }
    };
    assert!(told.contains("takes no writes"), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_table_of_another_make_is_not_taken_for_ours() {
    let server = Server::start();
    server.sql("CREATE TABLE rcron (key text, version text); GRANT ALL ON rcron TO rcrond");
    let store = store(settings(&server));
    let told = connect(&store)
        .await
        .read(&keys())
        .await
        .expect_err("another")
        .to_string();
    assert!(told.contains("not as rcrond.sql makes it"), "{told}");
}
