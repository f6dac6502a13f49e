//! rcrond for real: three nodes in namespaces, a real store, real rcron under a ticker, and every fault that docs/design/lease.md
//! speaks of and a machine can be made to suffer. Prints what each fault cost (`--nocapture`).
//!
//! Asserted: never two active, never two runs for one tick, epochs that only grow, and somebody active again. Times are printed
//! beside their bounds; that they are asserted threefold only is because machines are slow at times.

mod check;
mod faketime;
mod node;
mod proof;
mod sampler;
mod single;
mod site;
mod stores;
mod story;
mod table;
mod ticker;
mod vdso;
mod with_etcd;
