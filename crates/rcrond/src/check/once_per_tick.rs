//! Checks whether the settings of `once_per_tick` in a cluster's rcron.conf(5) fit to those of rcrond.

use super::report::Report;
use crate::config::{ClusterSettings, resolve_links};
use inputs::diagnostic::shown;
use inputs::settings::Settings;
use inputs::words::seconds;
use policy::config::{Config, OnDemotion};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Compares the cluster with each rcron.conf that has its state file and `once_per_tick`.
pub(super) fn check(cluster: &ClusterSettings, all: &[Settings], socket: &Path, report: &mut Report) {
    let state_file = resolve_links(&cluster.state_file);
    let is_meant = |settings: &&Settings| {
        let theirs = Path::new(OsStr::from_bytes(&settings.config.state_file));
        settings.config.once_per_tick && resolve_links(theirs) == state_file
    };
    for settings in all.iter().filter(is_meant) {
        let file = shown(&settings.file);
        let found = problems(cluster, &settings.config, socket);
        for (what, remedy) in &found {
            report.wrong(&format!("{file}: {what}"), remedy);
        }
        if found.is_empty() {
            report.fine(&format!("{file}: the settings of once_per_tick fit to the lease"));
        }
    }
}

/// How long a failover takes at most: for so long after its scheduled time a tick must be startable.
fn longest_failover(cluster: &ClusterSettings) -> Duration {
    let timing = &cluster.timing;
    timing.lease().get() * 11 / 10 + Duration::from_secs(1) + timing.settle() + timing.grace()
}

/// What is wrong, and what to do.
fn problems(cluster: &ClusterSettings, config: &Config, socket: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let needed = longest_failover(cluster);
    if let Some(within) = config.start_within.filter(|within| *within < needed) {
        found.push((
            format!("start_within is {}, which is shorter than a failover", seconds(within)),
            format!(
                "set it to at least {}: otherwise a tick is missed if the active server dies just before it",
                seconds(needed)
            ),
        ));
    }
    let grace = cluster.timing.grace();
    if config.rerun > 0 && config.on_demotion == OnDemotion::Terminate && config.kill_after > grace {
        found.push((
            format!(
                "with rerun, grace must be at least kill_after: grace is {}, kill_after is {}",
                seconds(grace),
                seconds(config.kill_after)
            ),
            "set grace in rcrond.toml to kill_after plus one second: until then, rcrond refuses the claims, and the jobs are not run".to_owned(),
        ));
    }
    let theirs = Path::new(OsStr::from_bytes(&config.claim_socket));
    if resolve_links(theirs) != resolve_links(socket) {
        found.push((
            format!(
                "claim_socket is {}, and rcrond's socket for claims is {}",
                shown(theirs.as_os_str()),
                shown(socket.as_os_str())
            ),
            "set both to the same path: until then, no job with once_per_tick is run".to_owned(),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use lease::{ClusterName, RunOn, Timing};

    fn texts(lines: &str) -> Vec<String> {
        let second = Duration::from_secs(1);
        let cluster = ClusterSettings {
            name: ClusterName::new("web"),
            state_file: "/run/rcron/web".into(),
            journal: None,
            priority: 1,
            run_on: RunOn::Active,
            timing: Timing::new(10 * second, second, Duration::ZERO, 30 * second).expect("good"),
        };
        let mut config = Config::default();
        config.read(lines.as_bytes()).expect("good");
        let found = problems(&cluster, &config, Path::new("/run/rcrond/claims"));
        found.into_iter().map(|(what, _)| what).collect()
    }

    #[test]
    fn settings_that_do_not_fit_are_found() {
        assert_eq!(texts("start_within = 13s\nrerun = 1\n"), [""; 0]);
        assert_eq!(
            texts("start_within = 12s\n"),
            ["start_within is 12.0 s, which is shorter than a failover"]
        );
        assert_eq!(
            texts("on_demotion = terminate\nrerun = 1\n"),
            ["with rerun, grace must be at least kill_after: grace is 0.0 s, kill_after is 10.0 s"]
        );
        assert_eq!(
            texts("claim_socket = /run/other\n"),
            ["claim_socket is /run/other, and rcrond's socket for claims is /run/rcrond/claims"]
        );
    }
}
