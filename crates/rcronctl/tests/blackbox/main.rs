//! What users see of `rcronctl`: the program itself, on journals that `rcron` has written.

mod completions;
mod containers;
#[path = "../fake/daemon.rs"]
mod daemon;
mod drain;
mod fixture;
mod history;
mod hostile;
mod hosts;
mod interrupted;
mod is_active;
mod json;
mod metrics;
mod nodes;
mod set;
mod status;
mod ticks;
mod timeline;
mod touch;
mod width;
