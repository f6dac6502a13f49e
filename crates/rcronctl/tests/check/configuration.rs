//! Configurations.

use crate::tree::{CONF, STATE, Tree};

#[test]
fn rejected_file_is_wrong() {
    let tree = Tree::clean();
    tree.configure("nonsense = 1\n");
    tree.finds_only("wrong", "config-refused", CONF);
}

#[test]
fn warning_is_a_hint() {
    let tree = Tree::clean();
    tree.configure("nice_level = 99\n");
    tree.finds_only("hint", "config-warning", CONF);
}

#[test]
fn missing_file_is_a_hint_if_a_job_uses_it() {
    let tree = Tree::clean();
    tree.remove(CONF);
    tree.finds("hint", "config-missing", CONF);
    tree.finds("wrong", "state-missing", "/var/run/rcron/state");
    tree.write(
        "/etc/rcron/web.conf",
        "default_state = passive\nstate_file = /run/rcron/state\n",
    );
    tree.job("rcron --conf /etc/rcron/web.conf backup");
    tree.finds_nothing();
    tree.job("rcron backup");
    tree.finds("hint", "config-missing", CONF);
}

#[test]
fn writable_file_is_reported() {
    let tree = Tree::clean();
    tree.mode(CONF, 0o666);
    tree.finds_only("wrong", "config-writable", CONF);
    tree.mode(CONF, 0o644);
    tree.mode("/etc/rcron", 0o1777);
    tree.finds_only("wrong", "config-writable", "/etc/rcron");
    tree.mode("/etc/rcron", 0o755);
    if tree.give_away(CONF) {
        tree.finds_only("hint", "config-owner", CONF);
    }
}

#[test]
fn mixed_up_clusters_are_hints() {
    let tree = Tree::clean();
    let other = "/etc/rcron/web.conf";
    tree.write(
        other,
        "cluster_name = mail\nstate_file = /run/rcron/state\ndefault_state = passive\n",
    );
    tree.finds_only("hint", "config-same-state-file", other);
    tree.write("/run/rcron/web", "passive\n");
    tree.write(
        other,
        "cluster_name = web\nstate_file = /run/rcron/web\ndefault_state = passive\n",
    );
    tree.finds_only("hint", "config-same-cluster", other);
}

#[test]
fn only_named_files_are_read() {
    let tree = Tree::clean();
    tree.write("/etc/rcron/bad.conf", "nonsense\n");
    tree.finds("wrong", "config-refused", "/etc/rcron/bad.conf");
    assert!(!tree.text(&["--conf", CONF]).contains("bad.conf"));
}

#[test]
fn default_state_active_is_wrong_if_there_are_other_servers() {
    let tree = Tree::clean();
    tree.configure("default_state = active\n");
    tree.finds_only("wrong", "default-active", CONF);
    tree.write(STATE, "active\n");
    tree.finds_only("hint", "default-active", CONF);
    tree.write("/etc/keepalived/keepalived.conf", "");
    tree.finds_only("wrong", "default-active", CONF);
    tree.configure("state_max_age = 60s\n");
    tree.finds_nothing();
}

/// The state is as `rcron-keepalived` writes it.
#[test]
fn unrequired_lease_is_a_hint_with_keepalived() {
    let tree = Tree::clean();
    tree.write(STATE, "passive until=5.0 boot=b by=keepalived@server1\n");
    tree.finds_only("hint", "lease-not-required", CONF);
    tree.configure("default_state = active\n");
    tree.finds("wrong", "lease-not-required", CONF);
}

/// keepalived was only reloaded after the FIFO was added, or its events were lost. To stop keepalived is how a server is drained.
#[test]
fn keepalived_that_reports_nothing_is_wrong() {
    let tree = Tree::clean();
    tree.configure("require_lease = yes\n");
    for (reason, kind) in [
        ("not-reported", "wrong"),
        ("events-lost", "wrong"),
        ("no-keepalived", ""),
    ] {
        tree.write(
            STATE,
            &format!("passive until=5.0 boot=b by=keepalived@server1 reason={reason}\n"),
        );
        if kind.is_empty() {
            tree.finds_nothing();
        } else {
            tree.finds_only(kind, "keepalived-silent", STATE);
        }
    }
}

#[test]
fn unrequired_lease_is_wrong_with_rcrond() {
    let tree = Tree::clean();
    tree.write(STATE, "passive epoch=4\n");
    tree.finds_only("wrong", "lease-not-required", CONF);
    tree.write(STATE, "passive\n");
    tree.process(4712, "rcrond");
    for table in [
        "name = \"web\"",
        "conf = \"/etc/rcron/rcron.conf\"",
        "conf='/etc/rcron/rcron.conf'",
    ] {
        tree.write("/etc/rcron/rcrond.toml", &format!("[[cluster]]\n{table}\n"));
        tree.finds_only("wrong", "lease-not-required", CONF);
    }
    tree.write(
        "/etc/rcron/rcrond.toml",
        "[[cluster]]\nconf = \"/etc/rcron/other.conf\"\n",
    );
    tree.finds_nothing();
    tree.write("/etc/rcron/rcrond.toml", "[[cluster]]\nname = \"web\"\n");
    tree.configure("require_lease = yes\n");
    tree.finds_nothing();
}

/// rcron runs as the job's user, and so it reads its configuration.
#[test]
fn configuration_that_a_jobs_user_cannot_read_is_wrong() {
    let tree = Tree::clean();
    tree.mode(CONF, 0o600);
    tree.finds_nothing(); // only root has jobs
    tree.write(
        "/etc/cron.d/jobs",
        "0 3 * * * www rcron backup\n0 4 * * * root rcron backup\n",
    );
    tree.finds_only("wrong", "conf-unreadable", "/etc/cron.d/jobs:1:15");
    tree.mode(CONF, 0o644);
    tree.finds_nothing();
}
