//! What the tests of all stores need from a client.

use std::time::Duration;
use store::{Change, Connection, Login, Secret, Settings, Snapshot, Store, Verdict, tls};
use testing::certificates::{Authority, Certificate};

/// Long enough for an answer, and short enough for a test that expects none.
pub(crate) const A_WHILE: Duration = Duration::from_millis(500);
/// The limit for what must end by itself.
pub(crate) const AT_LAST: Duration = testing::wait::DEADLINE;

pub(crate) fn login<'a>(user: &str, password: impl Into<Option<&'a str>>) -> Login {
    Login {
        user: user.to_owned(),
        password: password.into().map(|password| Secret::new(password.to_owned())),
    }
}

pub(crate) fn tls(authority: &Authority, client: Option<&Certificate>) -> tls::Settings {
    let file = |file| std::fs::read(file).expect("readable");
    tls::Settings {
        authorities: Some(file(&authority.certificate())),
        identity: client.map(|client| tls::Identity {
            certificates: file(&client.certificate),
            key: file(&client.key),
        }),
        server_name: None,
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "each caller makes its settings in the call"
)]
pub(crate) fn open(settings: Settings) -> Box<dyn Store> {
    store::open(&settings).expect("good settings")
}

/// A store that has its table.
pub(crate) async fn ready(settings: Settings) -> Box<dyn Store> {
    let store = open(settings);
    store.init().await.expect("made ready");
    store
}

pub(crate) async fn connect(store: &dyn Store) -> Box<dyn Connection> {
    store.connect().await.expect("connected")
}

pub(crate) async fn refused(store: &dyn Store) -> String {
    store.connect().await.err().expect("refused").to_string()
}

pub(crate) fn write(key: &str) -> Change {
    Change {
        writes: vec![(key.to_owned(), b"x".to_vec())],
        ..Change::default()
    }
}

pub(crate) fn keys() -> Vec<String> {
    vec!["a".to_owned()]
}

pub(crate) async fn read(store: &dyn Store) -> Snapshot {
    connect(store).await.read(&keys()).await.expect("read")
}

pub(crate) async fn written_and_read(connection: &mut Box<dyn Connection>) -> Snapshot {
    assert_eq!(connection.change(&write("a")).await, Ok(Verdict::Done));
    connection.read(&keys()).await.expect("read")
}
