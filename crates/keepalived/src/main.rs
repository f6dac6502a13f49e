//! `rcron-keepalived`: the service that turns keepalived's notify_fifo into state files. See rcron-keepalived(8).
//!
//! The core makes no system call: `line` parses what keepalived writes, `instances` has the state of each instance, `memory` the
//! format of what the next reader resumes from. Around it are the FIFO and the process behind it (`source`, `fifo`,
//! `fifo_writer`), the state files (`files`) and the loop (`service`). Why it is built like this: docs/design/keepalived.md.

mod cli;
mod failure;
mod fifo;
mod fifo_writer;
mod files;
mod instances;
mod line;
mod log;
mod memory;
mod notify;
mod service;
mod source;
mod targets;

use clap::Parser;
use cli::Cli;
use failure::Failure;
use fifo::Unopened;
use inputs::diagnostic::shown;
use memory::Store;
use service::{Options, Service};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use sys::lock;
use targets::Plan;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Follows keepalived until the service is stopped.
fn run(cli: &Cli) -> Result<(), Failure> {
    let lease = cli.lease()?;
    let plan = Plan::new(&cli.instance, &cli.conf)?;
    let path = canonical_path(&cli.fifo)?;
    if matches!(fifo::identity(&path), Err(Unopened::NotAFifo)) {
        return Err(Failure::new(format!(
            "{} is not a FIFO: name the one that keepalived.conf has after notify_fifo or vrrp_notify_fifo",
            shown(path.as_os_str())
        )));
    }
    let store = Store::new(&path)?;
    let lock = lock::take(&store.lock()).map_err(|error| Failure::of(format!("lock {store}"), &error))?;
    let Some(_lock) = lock else {
        return Err(Failure::new(format!(
            "another rcron-keepalived reads {}: stop that one first",
            shown(path.as_os_str())
        )));
    };
    let options = Options {
        fifo: path,
        lease,
        plan,
    };
    Service::new(options, store)?.run();
    Ok(())
}

/// One name for one FIFO, from wherever the service is started and through whatever link: two readers would each take from the
/// other what it has not seen. The last part need not exist.
fn canonical_path(path: &Path) -> Result<PathBuf, Failure> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let act = || format!("find {}", shown(path.as_os_str()));
    let path = std::path::absolute(path).map_err(|error| Failure::of(act(), &error))?;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Failure::new(format!("{} is not a FIFO", shown(path.as_os_str()))));
    };
    Ok(directory
        .canonicalize()
        .map_or_else(|_| path.clone(), |directory| directory.join(name)))
}
