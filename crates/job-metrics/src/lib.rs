//! The metrics of each job: when it last started, ended and succeeded, how long it took, whether it runs now, how often it should run.
//! rcrond serves them, and `rcronctl metrics` prints them: docs/design/job-metrics.md.
//!
//! Journals and users' crontabs are written by users who may be hostile. What is remembered of each user is bounded, and so is the
//! table; a user who exceeds a bound loses only metrics of his own jobs.
#![forbid(unsafe_code)]

mod collector;
mod crontabs;
mod history;
mod limits;
mod marks;
mod name;
mod table;
mod text;
mod users;

pub use collector::{Collector, Scope};
pub use crontabs::CrontabJobs;
pub use limits::MOST_SHOWN;
pub use table::{LastEnd, Row, Table};
