//! Drift: how the servers of a cluster differ that should be alike. docs/design/drift.md has the reasons.
//!
//! Everything here is pure: `record` is what a server publishes about itself, `compare` finds the differences between records,
//! `history` says which nodes are alive and how far their clocks are off, and `steady` which differences last.

mod clocks;
mod compare;
mod groups;
mod history;
mod jobs;
mod keys;
mod record;
mod steady;
#[cfg(test)]
mod tests;

pub(crate) use compare::{Node, Published, compare};
pub(crate) use history::{Clock, History};
pub(crate) use keys::{ClusterKeys, conf_keys, text_of_duration};
pub(crate) use record::{FORMAT, NodeJobs, ServerFacts, ServerLine};
#[cfg(test)]
pub(crate) use steady::Owner;
pub(crate) use steady::{Change, Counts, SteadyDrift};
