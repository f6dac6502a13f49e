//! `rcron-keepalived`: the service that turns keepalived's events into state files. See rcron-keepalived(8).
//!
//! Four files make no system call: `lines` and `event` parse what keepalived writes, `instances` has the state of each instance,
//! `pauses` and `desired` decide which of these states count. Around them are the FIFO and the process that writes to it (`source`,
//! `marked_fifo`, `fifo`, `fifo_writer`), the files (`saved_states`, `state_files`, all of them in `publisher`), and
//! the two that put everything together: `follower` and, with signals and waiting, `service`. Why it is built like this: docs/design/keepalived.md.

mod cli;
mod desired;
mod event;
mod failure;
mod fifo;
mod fifo_writer;
mod follower;
mod instances;
mod lines;
mod log;
mod marked_fifo;
mod notify;
mod pauses;
mod publisher;
mod saved_states;
mod service;
mod source;
mod state_files;
mod targets;

use clap::Parser;
use cli::Cli;
use failure::Failure;
use fifo::FifoError;
use follower::Follower;
use inputs::clock;
use log::Log;
use publisher::Publisher;
use saved_states::SavedStatesFile;
use service::Service;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use sys::lock;
use targets::{TargetSources, Targets};

fn main() -> ExitCode {
    match serve(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Follows keepalived until a signal ends the service.
fn serve(cli: Cli) -> Result<(), Failure> {
    let fifo = canonical_path(&cli.fifo)?;
    if matches!(fifo::identify(&fifo), Err(FifoError::NotAFifo)) {
        return Err(Failure::NotAFifo(fifo));
    }
    let boot = clock::boot_id().ok_or(Failure::NoBootId)?;
    let saved = SavedStatesFile::new(&fifo, boot.clone());
    let saved = saved.map_err(|error| Failure::system(format!("create {}", saved_states::DIRECTORY), error))?;
    let lock = lock::take(&saved.lock_path()).map_err(|error| Failure::system(format!("lock {saved}"), error))?;
    let Some(_lock) = lock else {
        return Err(Failure::AlreadyRead(fifo));
    };
    let sources = TargetSources {
        given: cli.instances,
        conf: cli.conf,
    };
    let Targets { usable, rejected } = sources.read().map_err(Failure::Targets)?;
    let publisher = Publisher::new(usable, cli.lease, boot);
    let mut follower = Follower::new(&fifo, saved, publisher, Log::new());
    let mut service = Service::new(&fifo, sources)?;
    follower.start(&rejected);
    service.run(&mut follower);
    follower.stop();
    Ok(())
}

/// One name for one FIFO, whatever the working directory and the links: the name of the lock depends on it, and two readers would
/// each take events from the other. The last component need not exist.
fn canonical_path(path: &Path) -> Result<PathBuf, Failure> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let absolute = std::path::absolute(path);
    let path = absolute.map_err(|error| Failure::system(format!("find {}", path.display()), error))?;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Failure::NotAFifo(path));
    };
    Ok(directory
        .canonicalize()
        .map_or_else(|_| path.clone(), |directory| directory.join(name)))
}
