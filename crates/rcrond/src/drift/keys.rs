//! The keys of rcron.conf and rcrond.toml that servers of a cluster must agree on.
//!
//! Not among them are those that only this server uses, so that they may differ: `state_file`, `journal`, `claim_socket`, the `syslog_`
//! keys, `nice_level`; `priority` and `preempt_delay`, which are meant to differ, and the addresses of the store, which may be those of
//! different members.

use policy::config::{Config, OnDemotion, Overlap};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A cluster's keys, as they are published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterKeys {
    /// Of rcrond.toml: each key.
    #[serde(default)]
    pub(crate) toml: BTreeMap<String, String>,
    /// Of rcron.conf: the keys that do not have their default. `None` if no rcron.conf of the cluster is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) conf: Option<BTreeMap<String, String>>,
}

/// The keys of an rcron.conf that do not have their default.
pub(crate) fn conf_keys(config: &Config) -> BTreeMap<String, String> {
    let defaults = all_conf_keys(&Config::default());
    let all = all_conf_keys(config).into_iter().zip(defaults);
    let changed = all.filter(|((_, value), (_, default))| value != default);
    changed.map(|((key, value), _)| (key.to_owned(), value)).collect()
}

/// The default of a key of rcron.conf; `None` if a later version has it.
pub(super) fn conf_default(key: &str) -> Option<String> {
    let all = all_conf_keys(&Config::default()).into_iter();
    let mut found = all.filter(|(known, _)| *known == key);
    found.next().map(|(_, value)| value)
}

pub(super) fn all_conf_keys(config: &Config) -> [(&'static str, String); 9] {
    let duration = |value: Option<Duration>, none: &str| value.map_or_else(|| none.to_owned(), text_of_duration);
    [
        ("default_state", config.default_state.as_str().to_owned()),
        ("state_max_age", duration(config.state_max_age, "none")),
        ("require_lease", yes_or_no(config.require_lease)),
        (
            "on_demotion",
            match config.on_demotion {
                OnDemotion::Continue => "continue",
                OnDemotion::Terminate => "terminate",
            }
            .to_owned(),
        ),
        ("kill_after", text_of_duration(config.kill_after)),
        ("once_per_tick", yes_or_no(config.once_per_tick)),
        ("start_within", duration(config.start_within, "auto")),
        ("rerun", config.rerun.to_string()),
        (
            "overlap",
            match config.overlap {
                Overlap::Allow => "allow",
                Overlap::Skip => "skip",
            }
            .to_owned(),
        ),
    ]
}

pub(super) fn yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// As it can be written in both files: the same duration always has the same text.
pub(crate) fn text_of_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let fits = units
        .into_iter()
        .find(|(_, unit)| milliseconds > 0 && milliseconds % unit == 0);
    match fits {
        Some((name, unit)) => format!("{}{name}", milliseconds / unit),
        None if milliseconds == 0 => "0s".to_owned(),
        None => format!("{milliseconds}ms"),
    }
}
