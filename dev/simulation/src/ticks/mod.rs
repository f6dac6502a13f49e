//! Both machines together: the lease of `lease`, and the claims of `claims`, in rcrond; crons that fire badly; and rcrons that ask
//! for their ticks, start jobs and end them (docs/design/ticks.md).
//!
//! The lease's [world](crate::world) runs as it is, and this one runs around it: it shares its servers, its store and its true time,
//! and observes after each event what has changed there.

pub mod checker;
mod cron;
mod daemon;
mod facts;
pub mod faults;
pub mod fixture;
pub mod history;
pub mod job;
mod liveness;
pub mod mutations;
mod network;
mod observe;
pub mod rcron;
pub mod server;
pub mod world;
