//! What users see of `rcron`, on the program itself.
//!
//! Fidelity is tested by running each case twice, bare and under `rcron`, and comparing. Nothing here sleeps and hopes:
//! a test waits for a fact, with one deadline that is far away. No test needs the machine's own log socket.

mod support;

mod command_line;
mod configuration;
mod cron;
mod decision;
mod demotion;
mod environment;
mod failures;
mod fidelity;
mod journal;
mod logging;
mod signals;
mod terminal;
