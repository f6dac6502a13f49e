//! The log socket, and rcron itself.

use crate::tree::{CONF, Tree};
use std::os::unix::net::UnixDatagram;

#[test]
fn a_log_socket_that_nobody_serves_is_told() {
    let tree = Tree::clean();
    tree.remove("/dev/log");
    tree.finds_only("hint", "syslog-missing", "/dev/log");
    drop(UnixDatagram::bind(tree.path("/dev/log")).expect("bound"));
    tree.finds_only("wrong", "syslog-deaf", "/dev/log");
    tree.remove("/dev/log");
    tree.write("/dev/log", "");
    tree.finds_only("wrong", "syslog-unreachable", "/dev/log");
    tree.configure("syslog_socket = /run/log\n");
    tree.finds_only("wrong", "syslog-missing", "/run/log");
    assert!(tree.path(CONF).exists());
}

#[test]
fn rcron_itself_is_looked_at() {
    let tree = Tree::clean();
    let rcron = "/usr/bin/rcron";
    tree.mode(rcron, 0o4755);
    tree.finds_only("wrong", "rcron-setuid", rcron);
    tree.mode(rcron, 0o777);
    tree.finds_only("wrong", "rcron-writable", rcron);
    tree.mode(rcron, 0o755);
    tree.program("/usr/local/bin/rcron");
    tree.finds_only("hint", "rcron-several", rcron);
    tree.remove("/usr/local/bin/rcron");
    tree.remove(rcron);
    tree.finds("wrong", "rcron-missing", rcron);
}
