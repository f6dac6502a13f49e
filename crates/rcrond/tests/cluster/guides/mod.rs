//! The guides in docs/stores and docs/moving.md, followed as they are written: the commands of these tests are those of the text.
//!
//! A test only waits, looks at the results, and puts in what a reader chooses, such as the own address.

mod etcd;
mod firewall;
mod journal;
mod moving;
mod postgresql;
mod server;
mod single;
mod text;

/// Added to the cluster in rcrond.toml, so that the tests take less time.
const SHORT_LEASE: &str = "lease = \"2s\"\n";
