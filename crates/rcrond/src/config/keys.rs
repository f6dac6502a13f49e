//! Which keys each table has, and what an unknown one was meant to be.

use super::diagnostics::ValueError;
use policy::config::Key;
use policy::display::clipped;
use policy::suggest;

/// What may stand in a table of this name.
#[derive(Debug)]
pub(super) struct Kind {
    /// As it stands in the file.
    pub(super) name: &'static str,
    /// Its keys.
    pub(super) keys: &'static [&'static str],
}

/// The file itself.
pub(super) const TOP: Kind = Kind {
    name: "",
    keys: &[
        "node",
        "run_dir",
        "state_dir",
        "etcd",
        "postgresql",
        "redis",
        "cluster",
        "metrics",
        "control",
    ],
};
pub(super) const ETCD: Kind = Kind {
    name: "[etcd]",
    keys: &[
        "servers",
        "prefix",
        "user",
        "password",
        "password_file",
        "password_credential",
        "tls",
    ],
};
pub(super) const POSTGRESQL: Kind = Kind {
    name: "[postgresql]",
    keys: &[
        "servers",
        "database",
        "table",
        "prefix",
        "user",
        "password",
        "password_file",
        "password_credential",
        "tls",
    ],
};
pub(super) const REDIS: Kind = Kind {
    name: "[redis]",
    keys: &[
        "servers",
        "database",
        "prefix",
        "user",
        "password",
        "password_file",
        "password_credential",
        "tls",
    ],
};
pub(super) const TLS: Kind = Kind {
    name: "tls",
    keys: &["ca_file", "cert_file", "key_file", "key_credential", "server_name"],
};
pub(super) const CLUSTER: Kind = Kind {
    name: "[[cluster]]",
    keys: &[
        "name",
        "conf",
        "state_file",
        "journal",
        "priority",
        "lease",
        "settle",
        "grace",
        "preempt_delay",
    ],
};
pub(super) const METRICS: Kind = Kind {
    name: "[metrics]",
    keys: &["listen"],
};
pub(super) const CONTROL: Kind = Kind {
    name: "[control]",
    keys: &["socket"],
};

/// Keys whose values look like numbers, and are texts for their units.
pub(super) const SPANS: [&str; 4] = ["lease", "settle", "grace", "preempt_delay"];

const KINDS: [&Kind; 8] = [&TOP, &ETCD, &POSTGRESQL, &REDIS, &TLS, &CLUSTER, &METRICS, &CONTROL];

/// Why a key is refused that the table does not have.
pub(super) fn unknown(kind: &Kind, name: &str) -> ValueError {
    let shown = clipped(name.as_bytes());
    let place = if kind.name.is_empty() {
        String::new()
    } else {
        format!(" in {}", kind.name)
    };
    let message = format!("unknown key `{shown}`{place}");
    ValueError::new(message, meant(kind, name))
}

/// Where the key belongs, if it is one; else which it may have been meant to be.
fn meant(kind: &Kind, name: &str) -> String {
    if TOP.keys.contains(&name) {
        return "it belongs before the first table".into();
    }
    let homes = KINDS.iter().filter(|home| home.keys.contains(&name));
    let homes: Vec<&str> = homes.map(|home| home.name).collect();
    if !homes.is_empty() {
        return format!("it belongs in {}", homes.join(" or "));
    }
    if Key::ALL.iter().any(|(key, _)| *key == name) {
        return "it is a key of the cluster's rcron.conf(5)".into();
    }
    let begun = || {
        kind.keys
            .iter()
            .copied()
            .find(|key| name.len() > 1 && key.starts_with(name))
    };
    suggest::nearest(name.as_bytes(), kind.keys.iter().copied())
        .or_else(begun)
        .map_or_else(
            || "rcrond.toml(5) lists the keys".into(),
            |key| format!("did you mean `{key}`?"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_manual() {
        let manual = include_str!("../../../../docs/man/rcrond.toml.5");
        for kind in KINDS {
            for key in kind.keys {
                let told = [
                    format!(".It Cm {key}\n"),
                    format!("] {key}\n"),
                    format!(".Ss Bq {key}\n"),
                    format!("[[{key}]]\n"),
                    format!("[{key}] "),
                ];
                assert!(told.iter().any(|words| manual.contains(words)), "{} {key}", kind.name);
            }
        }
    }
}
