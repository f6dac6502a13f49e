//! `rcronctl keepalived`: the service that turns keepalived's notify_fifo into state files.
//!
//! The core knows no system call: lines (`line`), what each instance is (`instances`), what is written down for the next
//! reader (`memory`). Around it: the FIFO and the process behind it (`source`), the state files (`files`), the loop
//! (`service`). Why it is as it is: docs/design/keepalived.md.

mod files;
mod instances;
mod line;
mod log;
mod memory;
mod notify;
mod service;
mod source;
mod targets;

use crate::cli;
use crate::failure::Failure;
use inputs::diagnostic::shown;
use memory::Store;
use service::{Options, Service};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use sys::fifo::{self, Unopened};
use sys::lock;
use targets::Plan;

/// Shorter ones end between two refreshes of a busy server, longer ones leave a dead one active for too long.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);
const LONGEST_LEASE: Duration = Duration::from_secs(300);

/// Follows keepalived until the service is stopped.
pub(crate) fn run(options: &cli::Keepalived, conf: &[PathBuf]) -> Result<ExitCode, Failure> {
    let lease = lease(&options.lease)?;
    let plan = Plan::new(&options.instance, conf)?;
    let path = whole(&options.fifo)?;
    if matches!(fifo::identity(&path), Err(Unopened::NotAFifo)) {
        return Err(Failure::new(format!(
            "{} is no FIFO: name the one that keepalived.conf has after notify_fifo or vrrp_notify_fifo",
            shown(path.as_os_str())
        )));
    }
    let store = Store::new(&path)?;
    let lock = lock::take(&store.lock()).map_err(|error| Failure::of(format!("lock {store}"), &error))?;
    let Some(_lock) = lock else {
        return Err(Failure::new(format!(
            "another rcronctl keepalived reads {}: stop that one first",
            shown(path.as_os_str())
        )));
    };
    let options = Options {
        fifo: path,
        lease,
        plan,
    };
    Service::new(options, store)?.run();
    Ok(ExitCode::SUCCESS)
}

fn lease(text: &str) -> Result<Duration, Failure> {
    policy::duration::parse(text.as_bytes())
        .ok()
        .filter(|lease| (SHORTEST_LEASE..=LONGEST_LEASE).contains(lease))
        .ok_or_else(|| Failure::new(format!("--lease {text}: give it as 3s to 5m")))
}

/// One name for one FIFO, from wherever the service is started and by whatever link: two readers would each take from the other
/// what it has not seen. The last part need not exist.
fn whole(path: &Path) -> Result<PathBuf, Failure> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let act = || format!("find {}", shown(path.as_os_str()));
    let path = std::path::absolute(path).map_err(|error| Failure::of(act(), &error))?;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Failure::new(format!("{} is no FIFO", shown(path.as_os_str()))));
    };
    Ok(directory
        .canonicalize()
        .map_or_else(|_| path.clone(), |directory| directory.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_three_seconds_to_five_minutes() {
        for good in ["3s", "10s", "3000ms", "5m", "300s"] {
            assert!(lease(good).is_ok(), "{good}");
        }
        for bad in ["2s", "2999ms", "301s", "6m", "10", "", "ten", "-5s"] {
            assert!(lease(bad).is_err(), "{bad}");
        }
    }
}
