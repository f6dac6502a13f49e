//! `rcron`: run a cron job only on the active server of a cluster. See rcron(8).
#![no_main]

mod active;
mod claim;
mod cli;
mod dry_run;
mod guard;
mod job_processes;
mod journal;
mod launch;
mod log;
mod once_per_tick;
mod run;
mod supervise;

sys::entry_point!(run::main);
