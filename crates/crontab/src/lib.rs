//! Crontabs: their entries, the command line of each entry, and the call of rcron in it.
//!
//! Everything here is a function of its arguments: no file, no clock, no system call (`no_std` enforces it). Any user may have
//! written the text, so its size is the only thing that a caller has to limit: parsing takes memory in proportion to the text.
//! Lines that are too long to be parsed are not dropped but returned, so that a caller can say what it has not seen.
//!
//! The arguments of rcron itself are parsed elsewhere (`inputs::command_line`), by the code that rcron uses.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod call;
mod line;
pub mod outside;
pub mod shell;
mod table;
mod variables;

pub use line::{Line, UserField};
pub use table::{Crontab, Entry, Kind, LONGEST_LINE};
