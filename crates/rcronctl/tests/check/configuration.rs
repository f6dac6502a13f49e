//! Configurations.

use crate::tree::{CONF, STATE, Tree};

#[test]
fn a_refused_configuration_is_wrong() {
    let tree = Tree::clean();
    tree.configure("nonsense = 1\n");
    tree.finds_only("wrong", "config-refused", CONF);
}

#[test]
fn a_warning_is_a_hint() {
    let tree = Tree::clean();
    tree.configure("nice_level = 99\n");
    tree.finds_only("hint", "config-warning", CONF);
}

#[test]
fn a_missing_configuration_is_told_where_a_job_uses_it() {
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
fn who_may_write_the_configuration_is_told() {
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
fn configurations_that_mix_up_clusters_are_told() {
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
fn only_named_configurations_are_read() {
    let tree = Tree::clean();
    tree.write("/etc/rcron/bad.conf", "nonsense\n");
    tree.finds("wrong", "config-refused", "/etc/rcron/bad.conf");
    assert!(!tree.text(&["--conf", CONF]).contains("bad.conf"));
}

#[test]
fn default_state_active_is_wrong_where_there_are_others() {
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

/// As `rcronctl keepalived` writes it.
#[test]
fn a_cluster_with_leases_had_better_require_them() {
    let tree = Tree::clean();
    tree.write(STATE, "passive until=5.0 boot=b by=keepalived@server1\n");
    tree.finds_only("hint", "lease-not-required", CONF);
    tree.configure("default_state = active\n");
    tree.finds("wrong", "lease-not-required", CONF);
}

#[test]
fn a_cluster_of_rcrond_must_require_its_lease() {
    let tree = Tree::clean();
    tree.write(STATE, "passive epoch=4\n");
    tree.finds_only("wrong", "lease-not-required", CONF);
    tree.write(STATE, "passive\n");
    tree.write("/etc/rcron/rcrond.toml", "[cluster]\nname = \"web\"\n");
    tree.finds_only("wrong", "lease-not-required", CONF);
    tree.configure("require_lease = yes\n");
    tree.finds_nothing();
}
