//! What rcron decides: grammars, decisions and the texts of log lines.
//!
//! Everything here is a function of its arguments: no file, no clock, no environment and no system call, which `no_std` ensures.
//! Time is an argument, a state file is a slice of bytes, the result is a value. So every grammar and every decision can be tested
//! with a table, and the programs that use them cannot disagree.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod claim;
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
pub mod tick;
pub mod time_zone;
