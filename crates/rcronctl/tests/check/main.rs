//! `rcronctl check` on trees of files: a clean one, and each fault in it.

mod configuration;
mod crontabs;
mod journal;
mod report;
mod state;
mod surroundings;
mod tree;
