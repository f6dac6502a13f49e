//! The keys that each table may have, and suggestions for unknown ones.

use super::diagnostics::ValueError;
use policy::config::Key;
use policy::display::clipped;
use policy::suggest;

/// A kind of table.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its header, as in the file; empty for the top of the file.
    pub(super) name: &'static str,
    /// Its keys, in groups that several tables may share.
    keys: &'static [&'static [&'static str]],
}

impl Kind {
    /// All keys that the table may have.
    fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.iter().flat_map(|group| group.iter().copied())
    }

    /// Whether the table may have this key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.keys().any(|key| key == name)
    }
}

/// The keys that the tables of all stores have.
const STORE_KEYS: &[&str] = &[
    "servers",
    "prefix",
    "user",
    "password",
    "password_file",
    "password_credential",
    "tls",
];

/// The tables of the stores, each with its key at the top of the file. `stores` has a reader for each.
pub(super) const STORES: &[(&str, Kind)] = &[
    (
        "etcd",
        Kind {
            name: "[etcd]",
            keys: &[STORE_KEYS],
        },
    ),
    (
        "postgresql",
        Kind {
            name: "[postgresql]",
            keys: &[STORE_KEYS, &["database", "table"]],
        },
    ),
    (
        "mariadb",
        Kind {
            name: "[mariadb]",
            keys: &[STORE_KEYS, &["database", "table"]],
        },
    ),
    (
        "redis",
        Kind {
            name: "[redis]",
            keys: &[STORE_KEYS, &["database"]],
        },
    ),
];

/// As the file names them.
pub(crate) const STORE_NAMES: [&str; STORES.len()] = {
    let mut names = [""; STORES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = STORES[at].0;
        at += 1;
    }
    names
};

/// The file itself.
pub(super) const TOP: Kind = Kind {
    name: "",
    keys: &[
        &[
            "node",
            "run_dir",
            "state_dir",
            "max_skew",
            "cluster",
            "metrics",
            "control",
            "claims",
        ],
        &STORE_NAMES,
    ],
};
pub(super) const TLS: Kind = Kind {
    name: "tls",
    keys: &[&["ca_file", "cert_file", "key_file", "key_credential", "server_name"]],
};
pub(super) const CLUSTER: Kind = Kind {
    name: "[[cluster]]",
    keys: &[&[
        "name",
        "conf",
        "state_file",
        "journal",
        "priority",
        "run_on",
        "lease",
        "settle",
        "grace",
        "preempt_delay",
    ]],
};
pub(super) const METRICS: Kind = Kind {
    name: "[metrics]",
    keys: &[&["listen", "jobs"]],
};
pub(super) const CONTROL: Kind = Kind {
    name: "[control]",
    keys: &[&["socket"]],
};

pub(super) const CLAIMS: Kind = Kind {
    name: "[claims]",
    keys: &[&["socket"]],
};

/// Keys whose values are durations: strings, because they need a unit.
pub(super) const DURATIONS: [&str; 5] = ["lease", "settle", "grace", "preempt_delay", "max_skew"];

/// All tables.
fn kinds() -> impl Iterator<Item = &'static Kind> {
    let stores = STORES.iter().map(|(_, kind)| kind);
    [&TOP]
        .into_iter()
        .chain(stores)
        .chain([&TLS, &CLUSTER, &METRICS, &CONTROL, &CLAIMS])
}

/// The error for a key that the table may not have.
pub(super) fn unknown(kind: &Kind, name: &str) -> ValueError {
    let shown = clipped(name.as_bytes());
    let place = if kind.name.is_empty() {
        String::new()
    } else {
        format!(" in {}", kind.name)
    };
    let message = format!("unknown key `{shown}`{place}");
    ValueError::new(message, suggest(kind, name))
}

/// The table in which the key belongs; otherwise the key that was probably meant.
fn suggest(kind: &Kind, name: &str) -> String {
    if name == "mysql" {
        return "the table [mariadb] is for MySQL, too".into();
    }
    if TOP.has(name) {
        return "it belongs before the first table".into();
    }
    let homes: Vec<&str> = kinds().filter(|home| home.has(name)).map(|home| home.name).collect();
    if !homes.is_empty() {
        return format!("it belongs in {}", homes.join(" or "));
    }
    if Key::ALL.iter().any(|(key, _)| *key == name) {
        return "it is a key of the cluster's rcron.conf(5)".into();
    }
    let completed = || kind.keys().find(|key| name.len() > 1 && key.starts_with(name));
    suggest::nearest(name.as_bytes(), kind.keys())
        .or_else(completed)
        .map_or_else(
            || "rcrond.toml(5) lists the keys".into(),
            |key| format!("did you mean `{key}`?"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_in_the_manual() {
        let manual = include_str!("../../../../docs/man/rcrond.toml.5");
        for kind in kinds() {
            for key in kind.keys() {
                let mentions = [
                    format!(".It Cm {key}\n"),
                    format!("] {key}\n"),
                    format!(".Ss Bq {key}\n"),
                    format!("[[{key}]]\n"),
                    format!("[{key}] "),
                ];
                assert!(
                    mentions.iter().any(|words| manual.contains(words)),
                    "{} {key}",
                    kind.name
                );
            }
        }
    }
}
