//! The page that `rcronctl timeline --html` writes, in a real Chromium: what is drawn, and what pointer and keys do.
//!
//! Nothing here sleeps and hopes: a test waits for a fact, with one deadline that is far away.

mod browser;
mod http;
mod journal;
mod looks;
mod page;
mod program;
mod use_of_it;
