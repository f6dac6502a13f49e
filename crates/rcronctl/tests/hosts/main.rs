//! `rcronctl --host` and `--hosts`, with a real sshd on each of several hosts in namespaces of their own.

#[expect(dead_code, reason = "the tests on one server need more of it")]
#[path = "../fake/daemon.rs"]
mod daemon;
mod failures;
mod hostile;
mod lab;
mod restricted;
mod views;
