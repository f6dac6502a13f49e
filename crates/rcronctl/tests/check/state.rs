//! State files.

use crate::tree::{CONF, STATE, Tree};
use std::fs::File;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

fn modify(tree: &Tree, time: SystemTime) {
    let file = File::options().write(true).open(tree.path(STATE)).expect("opened");
    file.set_modified(time).expect("set");
}

#[test]
fn unreadable_state_is_wrong() {
    let tree = Tree::clean();
    tree.write(STATE, "inactive\n");
    tree.finds_only("wrong", "state-junk", STATE);
    tree.remove(STATE);
    tree.finds_only("wrong", "state-missing", STATE);
    assert!(tree.text(&[]).contains("run `rcronctl set active` on the one server"));
    tree.directory(STATE);
    tree.finds_only("wrong", "state-unreadable", STATE);
    tree.remove("/run/rcron");
    tree.finds("wrong", "state-directory-missing", "/run/rcron");
}

#[test]
fn relative_path_is_a_hint() {
    let tree = Tree::clean();
    tree.configure("state_file = state\n");
    tree.finds_only("hint", "state-relative", CONF);
}

#[test]
fn hidden_state_is_wrong_if_users_have_jobs() {
    let tree = Tree::clean();
    tree.mode(STATE, 0o600);
    tree.finds_only("hint", "state-hidden", STATE);
    tree.write("/etc/cron.d/jobs", "0 3 * * * www rcron backup\n");
    tree.finds_only("wrong", "state-hidden", STATE);
    tree.mode(STATE, 0o644);
    tree.mode("/run/rcron", 0o700);
    tree.finds_only("wrong", "state-hidden", "/run/rcron");
}

#[test]
fn writable_state_is_reported() {
    let tree = Tree::clean();
    tree.mode(STATE, 0o666);
    tree.finds_only("wrong", "state-writable", STATE);
    tree.mode(STATE, 0o644);
    tree.mode("/run/rcron", 0o1777);
    tree.finds_only("wrong", "state-directory-writable", "/run/rcron");
    tree.mode("/run/rcron", 0o755);
    if tree.give_away(STATE) {
        tree.finds_only("hint", "state-owner", STATE);
    }
}

#[test]
fn link_in_a_writable_directory_is_wrong() {
    let tree = Tree::clean();
    tree.directory("/tmp");
    tree.mode("/tmp", 0o1777);
    symlink("/run/rcron/state", tree.path("/tmp/state")).expect("linked");
    tree.configure("state_file = /tmp/state\n");
    tree.finds_only("wrong", "state-foreign-link", "/tmp/state");
}

#[test]
fn directory_that_a_reboot_removes_is_a_hint() {
    let tree = Tree::clean();
    tree.remove("/etc/tmpfiles.d");
    tree.finds_only("hint", "state-directory-at-boot", "/run/rcron");
}

#[test]
fn persistent_state_is_wrong_if_a_program_writes_it() {
    let tree = Tree::clean();
    tree.write("/var/lib/rcron/state", "active\n");
    tree.configure("state_file = /var/lib/rcron/state\n");
    tree.finds_only("hint", "state-persistent", "/var/lib/rcron/state");
    tree.write("/etc/keepalived/keepalived.conf", "");
    tree.finds_only("wrong", "state-persistent", "/var/lib/rcron/state");
    tree.configure("state_max_age = 60s\n");
    tree.finds_nothing();
}

#[test]
fn mounted_state_file_is_wrong() {
    let tree = Tree::clean();
    let mounts = "24 22 0:21 / /run rw - tmpfs tmpfs rw\n30 24 254:0 /x /run/rcron/state rw - tmpfs tmpfs rw\n";
    tree.write("/proc/1/mountinfo", mounts);
    tree.finds_only("wrong", "state-mount", STATE);
}

#[test]
fn stale_state_is_wrong() {
    let tree = Tree::clean();
    tree.configure("require_lease = yes\n");
    tree.write(STATE, "active until=1 boot=another\n");
    tree.finds_only("wrong", "state-stale", STATE);
    assert!(tree.text(&[]).contains("the lease of the state is from another boot"));
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    tree.write(STATE, &format!("active until=0.001 boot={boot}"));
    assert!(
        tree.text(&[])
            .contains("the lease of the state has ended: its writer has died")
    );
}

#[test]
fn untouched_state_is_a_hint_and_then_wrong() {
    let tree = Tree::clean();
    tree.configure("state_max_age = 1h\n");
    modify(&tree, SystemTime::now() - Duration::from_secs(3000));
    tree.finds_only("hint", "state-nearly-stale", STATE);
    modify(&tree, SystemTime::now() - Duration::from_secs(4000));
    tree.finds_only("wrong", "state-stale", STATE);
}

#[test]
fn state_from_the_future_is_a_hint() {
    let tree = Tree::clean();
    modify(&tree, SystemTime::now() + Duration::from_secs(600));
    tree.finds_only("hint", "state-future", STATE);
}

#[test]
fn active_state_without_the_required_lease_is_wrong() {
    let tree = Tree::clean();
    tree.configure("require_lease = yes\n");
    tree.write(STATE, "active\n");
    tree.finds_only("wrong", "state-no-lease", STATE);
}

/// The samples of 0.1.0 were written for keepalived 1, which had a shell read them.
#[test]
fn notify_script_of_keepalived_that_needs_a_shell_is_wrong() {
    let tree = Tree::clean();
    tree.write(STATE, "passive by=x\n");
    let file = "/etc/keepalived/keepalived.conf";
    for command in [
        "/bin/echo active > /run/rcron/state",
        "/bin/echo active > /var/run/rcron/other",
    ] {
        tree.write(
            file,
            &format!("vrrp_instance x {{\n    notify_master \"{command}\"\n}}\n"),
        );
        tree.finds_only("wrong", "keepalived-shell", &format!("{file}:2:19"));
    }
    tree.write(
        file,
        "vrrp_instance x {\n    notify_master \"/bin/echo up > /srv/other\"\n}\n",
    );
    tree.finds_nothing();
    tree.write(
        "/etc/keepalived/conf.d/a.conf",
        "notify \"echo $3 > /run/rcron/state\"\n",
    );
    tree.finds_only("wrong", "keepalived-shell", "/etc/keepalived/conf.d/a.conf:1:8");
}

/// It is of no use to be told to do what one has done.
#[test]
fn remedies_do_not_name_what_is_there() {
    let tree = Tree::clean();
    tree.write("/proc/1/mountinfo", "1 0 0:1 / / rw - overlay x rw\n");
    tree.finds_only("hint", "state-persistent", STATE);
    assert!(tree.text(&[]).contains("-> let /run be a tmpfs, or set state_max_age"));
    tree.write("/proc/1/mountinfo", "1 0 0:1 / / rw - tmpfs x rw\n");
    assert!(
        tree.text(&[])
            .contains("-> mount a disk there, or set journal to a directory on a disk\n")
    );
}

/// A hand-written state has no lease.
#[test]
fn missing_state_of_a_cluster_with_leases_is_not_to_be_written_by_hand() {
    let tree = Tree::clean();
    let conf = std::fs::read_to_string(tree.path(CONF)).expect("there");
    tree.write(CONF, &format!("{conf}\nrequire_lease = yes\n"));
    tree.remove(STATE);
    let text = tree.text(&[]);
    assert!(
        text.contains("-> start the program that writes it: rcrond(8) or rcron-keepalived(8)"),
        "{text}"
    );
}
