//! What a decision rests on, and how it is read: command line, configuration, state file and clocks, with the messages about them.
//! All programs read these here, so that they cannot disagree.

pub mod clock;
pub mod clusters;
pub mod command_line;
pub mod diagnostic;
pub mod fold;
pub mod observe;
pub mod settings;
pub mod state_file;
pub mod version;
pub mod words;
