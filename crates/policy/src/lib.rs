//! What rcron decides, and nothing that it does.
//!
//! Everything here is a function of its arguments: no file, no clock, no environment, no system call (`no_std` holds us
//! to it). Time is an argument, the state file is a slice of bytes, the outcome is a value. So every grammar and every
//! decision can be tested with a table, and the programs that act on them (`rcron` now; `rcronctl` and `rcrond` build on
//! the same pieces) cannot disagree.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod command;
pub mod config;
pub mod datagram;
pub mod decide;
pub mod demotion;
pub mod display;
pub mod duration;
pub mod event;
pub mod exit;
pub mod moment;
pub mod priority;
pub mod relay;
pub mod run_id;
pub mod shell;
pub mod state;
pub mod suggest;
