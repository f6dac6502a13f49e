//! Servers that stop or go away. `pause`, `resume` and `kill` do it to the real one behind the store.

use crate::client::{A_WHILE, AT_LAST, connect, keys, written_and_read};
use store::Store;
use tokio::time::timeout;

/// A call that was given up spoils its connection; new ones are good when the server goes on.
pub(crate) async fn what_was_given_up_is_not_used_again(
    store: &dyn Store,
    pause: impl FnOnce(),
    resume: impl FnOnce(),
) {
    let mut connection = connect(store).await;
    pause();
    assert!(timeout(A_WHILE, connection.read(&keys())).await.is_err());
    let told = connection.read(&keys()).await.expect_err("spoilt").to_string();
    assert!(told.contains("was given up"), "{told}");
    for _ in 0..3 {
        assert!(timeout(A_WHILE, store.connect()).await.is_err());
        assert!(timeout(A_WHILE, store.watch(keys())).await.is_err());
    }
    resume();
    let mut connection = timeout(AT_LAST, connect(store)).await.expect("connected");
    written_and_read(&mut connection).await;
}

/// A watch fails when its server does, for good.
pub(crate) async fn a_watch_fails_with_its_server(store: &dyn Store, kill: impl FnOnce()) {
    let mut watch = store.watch(keys()).await.expect("watching");
    kill();
    let told = timeout(AT_LAST, watch.changed())
        .await
        .expect("told")
        .expect_err("failed");
    assert_eq!(watch.changed().await, Err(told));
}

/// A watch notices that its server says nothing any more.
pub(crate) async fn a_watch_on_silence_fails(store: &dyn Store, pause: impl FnOnce(), resume: impl FnOnce()) {
    let mut watch = store.watch(keys()).await.expect("watching");
    pause();
    let told = timeout(AT_LAST, watch.changed())
        .await
        .expect("told")
        .expect_err("failed");
    assert_eq!(told.what, "does not answer any more");
    resume();
}
