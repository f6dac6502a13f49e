//! The contract that every store must keep, on real servers.

mod client;
mod etcd;
mod hostile;
mod mariadb;
mod outages;
mod postgresql;
mod redis;
mod rivals;
mod spoilt;
mod suite;
mod tables;

use store::memory::Memory;

#[tokio::test(flavor = "current_thread")]
async fn memory_keeps_the_contract() {
    suite::all(&Memory::default()).await;
}
