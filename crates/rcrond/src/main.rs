//! Elects the active server of each cluster by a lease in a store: rcrond(8).

mod config;
#[cfg_attr(not(test), expect(dead_code, reason = "the loop comes with the next change"))]
mod outside;

fn main() {}
