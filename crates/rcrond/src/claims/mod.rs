//! Once per tick: what rcrond does for the rcrons of its server that ask for the right to start a tick. docs/design/ticks.md
//! describes the protocol; `crates/claims` decides; here are its surroundings.
//!
//! - `socket`, `connection`, `limits`, `users`, `clusters`: rcron's connections, and who asks for which cluster.
//! - `crontab_thread`, `crontabs`, `line_ticks`, `naming`, `due`: which tick a claim is for, and which ticks should have been started by now.
//! - `peers`: the jobs and clocks of the other servers.
//! - `server_record`, `server_facts`: what this server publishes of itself.
//! - `service`: the machine, with what the loop must know about each client.

mod clusters;
mod connection;
mod crontab_thread;
mod crontabs;
mod due;
mod limits;
mod line_ticks;
mod messages;
mod naming;
mod peers;
mod server_facts;
mod server_record;
mod service;
mod socket;
mod users;

pub(crate) use clusters::StateFiles;
pub(crate) use crontab_thread::{CrontabThread, Settings};
pub(crate) use messages::{ClaimsEvent, ClientEvent};
pub(crate) use peers::PeerHistory;
pub(crate) use service::{ClaimService, Context, Senders};
pub(crate) use socket::{ClientNumbers, raise_descriptor_limit, serve};
pub(crate) use users::{Found, Users};
