//! What every store must do.

mod client;
mod etcd;
mod postgresql;
mod redis;
mod rivals;
mod silence;
mod suite;

use store::memory::Memory;

#[tokio::test(flavor = "current_thread")]
async fn the_store_in_memory() {
    suite::all(&Memory::default()).await;
}
