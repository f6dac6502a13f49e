//! What users see of `rcronctl`, on the program itself and on journals that `rcron` has written.

#[path = "../fake/daemon.rs"]
mod daemon;
mod drain;
mod history;
mod interrupted;
mod nodes;
mod scene;
mod status;
mod switching;
