//! The command line: rcron-keepalived(8).

use crate::failure::Failure;
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Shorter leases end between two refreshes on a busy server; longer ones leave a dead server active for too long.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);
const LONGEST_LEASE: Duration = Duration::from_secs(300);

/// Writes the state files of this server's clusters from keepalived's notify_fifo.
#[derive(Debug, Parser)]
#[command(name = "rcron-keepalived", version, about, max_term_width = 80)]
pub(crate) struct Cli {
    /// The FIFO that keepalived.conf names as notify_fifo
    pub(crate) fifo: PathBuf,
    /// Configuration file of a cluster; may be repeated. The default is all of
    /// /etc/rcron/*.conf
    #[arg(short, long = "conf", value_name = "FILE")]
    pub(crate) conf: Vec<PathBuf>,
    /// The state file of an instance; may be repeated. The default is that of the
    /// configuration whose cluster_name is the instance's name
    #[arg(long, value_name = "NAME=STATE_FILE")]
    pub(crate) instance: Vec<String>,
    /// How long a state is valid if it is not refreshed: 3s to 5m
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(crate) lease: String,
}

impl Cli {
    /// The lease of each state that is written.
    pub(crate) fn lease(&self) -> Result<Duration, Failure> {
        policy::duration::parse(self.lease.as_bytes())
            .ok()
            .filter(|lease| (SHORTEST_LEASE..=LONGEST_LEASE).contains(lease))
            .ok_or_else(|| Failure::new(format!("--lease {}: give a duration from 3s to 5m", self.lease)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_three_seconds_to_five_minutes() {
        let lease = |text: &str| Cli::parse_from(["rcron-keepalived", "/fifo", &format!("--lease={text}")]).lease();
        for good in ["3s", "10s", "3000ms", "5m", "300s"] {
            assert!(lease(good).is_ok(), "{good}");
        }
        for bad in ["2s", "2999ms", "301s", "6m", "10", "", "ten", "-5s"] {
            assert!(lease(bad).is_err(), "{bad}");
        }
    }
}
