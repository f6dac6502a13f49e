//! Tests of the program `rcron` itself.
//!
//! Fidelity is tested by running each case twice, bare and under `rcron`, and comparing the results. No test sleeps for a fixed time:
//! it waits for a fact, with one distant deadline. No test needs the machine's own log socket.

mod support;

mod claim;
mod claim_faults;
mod command_line;
mod configuration;
mod containers;
mod cron;
mod decision;
mod demotion;
mod environment;
mod failures;
mod fidelity;
mod journal;
mod lease_end;
mod logging;
mod signals;
mod terminal;
