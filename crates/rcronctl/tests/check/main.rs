//! `rcronctl check` on trees of files: a clean tree, and each fault in it.

mod configuration;
mod cron;
mod crontabs;
#[path = "../fake/daemon.rs"]
mod daemon;
mod drift;
mod journal;
mod once_per_tick;
mod report;
mod rights;
mod state;
mod surroundings;
mod ticks;
mod tree;
