//! Debian's cron, whose minutes pass in a second, on crontabs of the test's own.

use crate::process::Running;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Mount and pid namespaces of its own hide the machine's `/run`, its /etc/crontab and its processes, and nothing is left behind.
const BEGIN: &str = "set -eu\nmount -t tmpfs none /run\nmount --bind /dev/null /etc/crontab\n";
/// The jobs see real time.
const END: &str = "\nLD_PRELOAD=$FAKETIME_LIBRARY FAKETIME='+0 x60' exec cron -f\n";

/// Starts cron as root. `prepare` is a shell script that runs before it; it must mount /etc/cron.d and the spool. `environment` is its
/// and cron's.
pub fn start(prepare: &str, environment: &[(&str, &OsStr)]) -> Running {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"])
        .arg(format!("{BEGIN}{prepare}{END}"))
        .envs(environment.iter().copied())
        .env("FAKETIME_LIBRARY", faketime())
        .stdin(Stdio::null());
    Running::start(&mut command)
}

/// The library of Debian's package libfaketime.
#[must_use]
pub fn faketime() -> PathBuf {
    let directories = fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let mut candidates = directories.map(|directory| directory.path().join("faketime/libfaketime.so.1"));
    candidates.find(|path| path.exists()).expect("package libfaketime")
}
