//! The real rcrond on three nodes in namespaces, with a real store, the real rcron, and each fault of docs/design/lease.md that
//! can be injected on one machine. Prints how long each fault took (`--nocapture`).
//!
//! The tests assert that two nodes are never active, that no tick runs twice, that epochs only grow, and that a node becomes
//! active again. Times are printed beside their bounds. Only three times the bound is an error, because test machines are slow
//! at times.

mod chaos;
mod check;
mod faketime;
mod guides;
mod node;
mod proof;
mod sampler;
mod scenario;
mod single;
mod site;
mod stores;
mod table;
mod ticker;
mod ticks;
mod vdso;
mod with_etcd;
