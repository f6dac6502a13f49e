//! `rcron-keepalived`: the service that turns keepalived's events into state files. See rcron-keepalived(8).
//!
//! Some files make no system call: `lines` and `event` parse what keepalived writes, `instances` has the state of each instance,
//! `pauses`, `unreported` and `desired` decide which of these states count, and why. Around them are the FIFO and the process that writes to it (`source`,
//! `marked_fifo`, `fifo`, `fifo_writer`), the files (`saved_states`, `state_files`, all of them in `publisher`), and
//! the two that put everything together: `follower` and, with signals and waiting, `service`. `reporter` has the messages. Why it is built like this: docs/design/keepalived.md.

#[cfg(test)]
mod alone;
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
mod pauses;
mod publisher;
mod reporter;
mod saved_states;
mod service;
mod source;
mod state_files;
mod targets;
mod unreported;

use clap::Parser;
use cli::Cli;
use failure::Failure;
use fifo::FifoError;
use follower::Follower;
use inputs::clock;
use inputs::diagnostic::shown;
use log::Log;
use publisher::Publisher;
use reporter::Reporter;
use saved_states::SavedStatesFile;
use service::Service;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use sys::lock;
use targets::TargetSources;

fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => serve(cli),
        Err(error) => cli::print_instead(&error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Follows keepalived until a signal ends the service.
fn serve(cli: Cli) -> Result<(), Failure> {
    let fifo = canonical_path(&cli.fifo)?;
    let name = shown(fifo.as_os_str());
    if fifo::identify(&fifo) == Err(FifoError::NotAFifo) {
        return Err(Failure::new(format!(
            "{name} is not a FIFO: name the one that vrrp_notify_fifo or notify_fifo in keepalived.conf names"
        )));
    }
    let boot = clock::boot_id().ok_or(Failure::new("cannot read the id of this boot: mount /proc"))?;
    let directory = Path::new(saved_states::DIRECTORY);
    let saved = SavedStatesFile::new(directory, &fifo, boot.clone())
        .map_err(|error| Failure::system(format!("create {}", directory.display()), &error))?;
    let lock = lock::take(&saved.lock_path()).map_err(|error| Failure::system(format!("lock {saved}"), &error))?;
    let Some(_lock) = lock else {
        return Err(Failure::new(format!(
            "another rcron-keepalived reads {name}: stop it first"
        )));
    };
    let sources = TargetSources {
        given: cli.instances,
        conf: cli.conf,
    };
    let targets = sources.read().map_err(|error| Failure::new(error.to_string()))?;
    let mut reporter = Reporter::new(Log::new());
    reporter.rejected(&targets);
    let mut service = Service::new(&fifo, sources).map_err(|error| Failure::system("receive signals", &error))?;
    let publisher = Publisher::new(targets.usable, cli.lease, boot);
    let mut follower = Follower::new(&fifo, saved, publisher, reporter);
    follower.start();
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
    let name = shown(path.as_os_str());
    let path = std::path::absolute(path).map_err(|error| Failure::system(format!("find {name}"), &error))?;
    let (Some(directory), Some(last)) = (path.parent(), path.file_name()) else {
        return Err(Failure::new(format!("{name} is not a FIFO")));
    };
    Ok(directory
        .canonicalize()
        .map_or_else(|_| path.clone(), |directory| directory.join(last)))
}
