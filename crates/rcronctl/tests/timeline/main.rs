//! The page that `rcronctl timeline --html` writes, in a real Chromium: what is drawn, and what pointer and keys do.
//!
//! No test sleeps: each waits for a condition, with one generous deadline.

mod appearance;
mod browser;
mod http;
mod interaction;
mod journal;
mod page;
mod program;
mod story;
