//! Elects the active server of each cluster by a lease in a store: rcrond(8).

mod config;
mod outside;

fn main() {}
