//! The facts that a decision rests on: the configuration and the state file as they are read, with the messages that go with
//! them. The wrapper and the administrator's tool read them here, so that they cannot disagree.

pub mod clock;
pub mod clusters;
pub mod command_line;
pub mod diagnostic;
pub mod observe;
pub mod settings;
pub mod state_file;
pub mod words;
