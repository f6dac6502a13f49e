//! The programs under test.

use crate::inheritance;
use crate::process::{Running, run};
use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program of this workspace. The variable `NAME_TEST_BINARY` can name another file; otherwise it is the one that cargo
/// has built beside the test.
///
/// # Panics
/// If it does not exist: for the tests of a package, cargo builds only the programs of that package.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    inheritance::normalize();
    let variable = format!("{}_TEST_BINARY", name.to_ascii_uppercase().replace('-', "_"));
    if let Some(named) = env::var_os(variable) {
        return named.into();
    }
    let test = env::current_exe().expect("a test's own path");
    let directory = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let built = directory.join(name);
    assert!(
        built.exists(),
        "no {}: run `cargo build -p {name}`, or `make test`",
        built.display()
    );
    built
}

/// Where the programs look by default.
const DEFAULTS: [&str; 3] = ["/etc/rcron", "/run/rcron", "/var/lib/rcron"];

/// A command that runs a program of this workspace without the configuration, state and journal of this machine, if it has any: each
/// of these directories is empty.
///
/// An ordinary user needs user namespaces for that.
#[must_use]
pub fn without_machine(name: &str) -> Command {
    let present: Vec<&str> = DEFAULTS.into_iter().filter(|path| Path::new(path).exists()).collect();
    let program = program(name);
    if present.is_empty() {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    let run = if nix::unistd::geteuid().is_root() {
        command.arg("--mount");
        ""
    } else {
        command.args(["--user", "--map-current-user", "--keep-caps", "--mount"]);
        "setpriv --inh-caps=-all --ambient-caps=-all"
    };
    let hide = format!(
        "for path in {}; do mount -t tmpfs none $path; done; exec {run} \"$0\" \"$@\"",
        present.join(" ")
    );
    command.args(["sh", "-ec", &hide]).arg(program);
    command
}

/// Checks the lines that all programs print for `--version`, and returns those that only this program has.
///
/// # Panics
/// If a line is wrong.
#[must_use]
pub fn own_version_lines(name: &str) -> Vec<String> {
    let printed = run(Command::new(program(name)).arg("--version")).stdout();
    assert_eq!(run(Command::new(program(name)).arg("-V")).stdout(), printed);
    assert!(
        printed.ends_with('\n') && printed.lines().all(|line| line.len() <= 80),
        "{printed}"
    );
    let lines: Vec<_> = printed.lines().map(ToOwned::to_owned).collect();
    assert_eq!(lines[0], format!("{name} {}", env!("CARGO_PKG_VERSION")));
    let commit = lines[1].strip_prefix("commit ").expect("the commit");
    let hash = commit.strip_suffix("-dirty").unwrap_or(commit);
    let is_hash = hash.len() >= 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hash || commit == "unknown", "{printed}");
    let target = format!("target {}-linux-", env::consts::ARCH);
    let is_target =
        lines[2].starts_with(&target) && [", static", ", dynamic"].iter().any(|end| lines[2].ends_with(end));
    assert!(is_target, "{printed}");
    lines[3..].to_vec()
}

/// Checks that `--version` and `--help` exit with `status`, and say why, if stdout is a full disk.
///
/// # Panics
/// If one does not.
pub fn output_to_a_full_disk_fails(name: &str, status: i32) {
    for option in ["--version", "--help"] {
        let full = File::options().write(true).open("/dev/full").expect("Linux");
        let mut command = Command::new(program(name));
        let done = Running::start(command.arg(option).stdout(full).stderr(Stdio::piped())).finish();
        let message = format!("{name}: cannot write to stdout: No space left on device\n");
        assert_eq!((done.code(), done.stderr()), (Some(status), message), "{option}");
    }
}
