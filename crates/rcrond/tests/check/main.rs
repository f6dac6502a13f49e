//! `rcrond --check` on directories of the test. The store is a port on which no process listens.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use testing::process::Running;
use testing::program::{program, without_machine};
use testing::{Done, run};

/// A directory with an rcrond.toml for cluster `web`.
struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        for name in ["run", "lib", "states"] {
            fs::create_dir(fixture.path(name)).expect("made");
        }
        fixture.configure("");
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes the configuration, with these additional keys of its only cluster.
    fn configure(&self, more: &str) {
        let here = self.directory.path().display();
        self.write(
            "rcrond.toml",
            &format!(
                "node = \"n\"\nrun_dir = \"{here}/run\"\nstate_dir = \"{here}/lib\"\n[etcd]\nservers = [\"127.0.0.1:1\"]\n\
                 [[cluster]]\nname = \"web\"\nstate_file = \"{here}/states/web\"\n{more}"
            ),
        );
        fs::set_permissions(self.path("rcrond.toml"), Permissions::from_mode(0o600)).expect("chmod");
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn rcrond(&self, option: &str) -> Done {
        run(&mut self.command(option))
    }

    fn command(&self, option: &str) -> Command {
        let mut command = without_machine("rcrond");
        command.arg(option).arg("--conf").arg(self.path("rcrond.toml"));
        command.env_remove("CREDENTIALS_DIRECTORY").env_remove("COLUMNS");
        command
    }

    /// The report's rows, with `HERE` in place of the directory's path.
    fn report(&self) -> String {
        let done = self.rcrond("--check");
        assert_eq!(done.code(), Some(1), "{}", done.stderr());
        assert_eq!(done.stderr(), "");
        done.stdout()
            .replace(&self.directory.path().display().to_string(), "HERE")
    }
}

fn has(report: &str, rows: &str) {
    assert!(report.contains(rows), "{rows}\nis not in\n{report}");
}

#[test]
fn what_is_correct_is_reported_too() {
    let fixture = Fixture::new();
    let here = fixture.directory.path().display();
    fixture.write(
        "web.conf",
        &format!("cluster_name = web\nstate_file = {here}/states/web\nrequire_lease = yes\n"),
    );
    let report = fixture.report();
    let expected = "\
configuration
  fine      HERE/rcrond.toml: node n, etcd at 127.0.0.1:1
  fine      run_dir HERE/run can be written
  fine      state_dir HERE/lib can be written
cluster web
  fine      priority 100, lease 10.0 s, settle 1.0 s, grace 0.0 s, preempt_delay 30.0 s
  fine      state file HERE/states/web can be written
  fine      HERE/web.conf reads this state file and requires a lease
store
  wrong     ";
    assert!(report.starts_with(expected), "{report}");
    assert!(report.ends_with("\n1 wrong\n"), "{report}");
}

#[test]
fn sentences_are_folded_on_a_terminal_only() {
    let fixture = Fixture::new();
    let whole = fixture.rcrond("--check").stdout();
    let folded = run(fixture.command("--check").env("COLUMNS", "50")).stdout();
    for rows in [
        "
  fine      priority 100, lease 10.0 s, settle 1.0
            s, grace 0.0 s, preempt_delay 30.0 s
",
        "
  hint      no rcron.conf in /etc/rcron belongs to
            this cluster
            -> write one, with its cluster_name,
               its state_file, and require_lease =
               yes; see rcron.conf(5)
",
    ] {
        has(&folded, rows);
    }
    has(
        &whole,
        "  hint      no rcron.conf in /etc/rcron belongs to this cluster\n",
    );
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&folded), words(&whole));
}

#[test]
fn nothing_is_changed() {
    let fixture = Fixture::new();
    fs::remove_dir(fixture.path("states")).expect("removed");
    has(
        &fixture.report(),
        "  fine      state file HERE/states/web can be written; its directory does not exist yet\n",
    );
    assert!(!fixture.path("states").exists());
    for directory in ["run", "lib"] {
        assert_eq!(fs::read_dir(fixture.path(directory)).expect("there").count(), 0);
    }
}

#[test]
fn an_rcron_conf_that_does_not_match_is_wrong() {
    let fixture = Fixture::new();
    let here = fixture.directory.path().display();
    for (conf, row) in [
        (
            format!("cluster_name = web\nstate_file = {here}/states/web\ndefault_state = passive\n"),
            "  wrong     HERE/rcrond.toml:8:1: HERE/web.conf does not require a lease, so an `active` written by hand \
             makes a second server active\n",
        ),
        (
            format!("cluster_name = web\nstate_file = {here}/states/other\nrequire_lease = yes\n"),
            "  wrong     HERE/web.conf has a different state file: HERE/states/other\n",
        ),
        (
            format!("cluster_name = mail\nstate_file = {here}/states/web\nrequire_lease = yes\n"),
            "  wrong     HERE/web.conf uses this state file for another cluster, mail\n",
        ),
    ] {
        fixture.write("web.conf", &conf);
        has(&fixture.report(), row);
    }
    fixture.write("web.conf", "cluster_name = mail\nstate_file = /elsewhere\n");
    has(
        &fixture.report(),
        "  hint      no rcron.conf in /etc/rcron belongs to this cluster\n",
    );
}

#[test]
fn a_state_file_that_cannot_be_written_is_wrong() {
    let fixture = Fixture::new();
    let state = fixture.path("states/web");
    fs::create_dir(&state).expect("made");
    has(
        &fixture.report(),
        "  wrong     state file HERE/states/web is not a regular file\n",
    );
    fs::remove_dir(&state).expect("removed");
    fs::set_permissions(fixture.path("states"), Permissions::from_mode(0o777)).expect("chmod");
    symlink("/etc/passwd", &state).expect("linked");
    has(
        &fixture.report(),
        "  wrong     state file HERE/states/web: HERE/states/web is a symbolic link that another user could have created\n",
    );
    fs::remove_dir_all(fixture.path("states")).expect("removed");
    fixture.write("states", "");
    has(&fixture.report(), "  wrong     state file HERE/states/web cannot be ");
}

#[test]
fn a_cluster_without_a_journal_is_a_hint() {
    let fixture = Fixture::new();
    fixture.configure("journal = \"none\"\n");
    has(
        &fixture.report(),
        "  hint      it has no journal: `rcronctl drain --wait` cannot see running jobs\n",
    );
}

#[test]
fn a_password_in_plain_text_is_a_hint() {
    let fixture = Fixture::new();
    let text = fs::read_to_string(fixture.path("rcrond.toml")).expect("there");
    let hint = "store\n  hint      the password is sent over the network in plain text\n";
    // 0.0.0.0 is this machine, too, but rcrond does not recognize it as local.
    for (servers, is_reported) in [
        (
            "servers = [\"127.0.0.1:1\"]\nuser = \"u\"\npassword = \"geheim\"",
            false,
        ),
        (
            "servers = [\"127.0.0.1:1\", \"0.0.0.0:1\"]\nuser = \"u\"\npassword = \"geheim\"",
            true,
        ),
    ] {
        fixture.write("rcrond.toml", &text.replace("servers = [\"127.0.0.1:1\"]", servers));
        let report = fixture.report();
        assert_eq!(report.contains(hint), is_reported, "{report}");
        assert!(!report.contains("geheim"), "{report}");
    }
}

#[test]
fn a_rejected_configuration_is_reported_by_check_init_store_and_the_daemon() {
    let fixture = Fixture::new();
    fixture.configure("leese = \"10s\"\n");
    let message = "HERE/rcrond.toml:9:1: unknown key `leese` in [[cluster]]\n  9 | leese = \"10s\"\n    | ^~~~~ did you mean `lease`?";
    let report = fixture.report();
    has(
        &report,
        &format!(
            "configuration\n  wrong     {}\n",
            message.replace('\n', "\n            ")
        ),
    );
    has(&report, "\n1 wrong\n");
    let here = fixture.directory.path().display().to_string();
    let done = fixture.rcrond("--init-store");
    assert_eq!(done.code(), Some(1));
    assert_eq!(done.stderr().replace(&here, "HERE"), format!("rcrond: {message}\n"));
    let done = run(without_machine("rcrond").arg("-c").arg(fixture.path("rcrond.toml")));
    assert_eq!(done.code(), Some(78));
    // The daemon logs it, with the time.
    let stderr = done.stderr().replace(&here, "HERE");
    let (_, line) = stderr.split_once(' ').expect("a time");
    let indented = message.replace('\n', "\n    ");
    assert_eq!(line, format!("rcrond: error: {indented}\n"));
}

#[test]
fn an_epoch_file_that_cannot_be_used_is_wrong() {
    let fixture = Fixture::new();
    let clusters = fixture.path("lib/clusters.json");
    fs::write(&clusters, "").expect("written");
    has(
        &fixture.report(),
        "  wrong     cannot read the epochs from HERE/lib/clusters.json: EOF",
    );
    fs::remove_file(&clusters).expect("removed");
    fs::create_dir(&clusters).expect("made");
    has(
        &fixture.report(),
        "  wrong     cannot read the epochs from HERE/lib/clusters.json: it is a directory",
    );
}

/// Needs a file system of its own, in a mount namespace.
#[test]
fn a_full_directory_is_wrong() {
    let fixture = Fixture::new();
    let script = r#"
        mount -t tmpfs -o size=64k none "$1/lib" && mount -t tmpfs -o size=64k none "$1/states" || exit 99
        head -c 1M /dev/zero >"$1/lib/full" 2>/dev/null
        head -c 1M /dev/zero >"$1/states/full" 2>/dev/null
        exec "$2" --check --config-only --conf "$1/rcrond.toml"
    "#;
    let namespaces: &[&str] = if nix::unistd::geteuid().is_root() {
        &["--mount"]
    } else {
        &["--mount", "--map-root-user"]
    };
    let done = run(Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", script, "sh"])
        .arg(fixture.directory.path())
        .arg(program("rcrond")));
    assert_eq!(done.code(), Some(1), "{done:?}");
    let here = fixture.directory.path().display();
    for row in [
        format!("  wrong     state_dir {here}/lib: its file system is full (0 bytes are free)\n"),
        format!(
            "  wrong     state file {here}/states/web cannot be written: its directory: its file system is full (0 bytes are free)\n"
        ),
    ] {
        has(&done.stdout(), &row);
    }
}

#[test]
fn config_only_leaves_the_store_out() {
    let fixture = Fixture::new();
    let done = run(without_machine("rcrond")
        .args(["--check", "--config-only", "--conf"])
        .arg(fixture.path("rcrond.toml")));
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(!done.stdout().contains("\nstore\n"), "{done:?}");
    assert_eq!(fixture.rcrond("--check").code(), Some(1), "the store does not answer");
}

#[test]
fn an_rcron_conf_beside_a_configuration_with_a_relative_path_is_reported_once() {
    let fixture = Fixture::new();
    let here = fixture.directory.path().display();
    fixture.write(
        "web.conf",
        &format!("cluster_name = web\nstate_file = {here}/states/web\nrequire_lease = yes\n"),
    );
    let text = fs::read_to_string(fixture.path("rcrond.toml")).expect("there");
    let (before, _) = text.split_once("name = \"web\"").expect("the cluster");
    fixture.write(
        "rcrond.toml",
        &format!("{before}name = \"web\"\nconf = \"{here}/web.conf\"\n"),
    );
    let done = run(without_machine("rcrond")
        .args(["--check", "--conf", "rcrond.toml"])
        .current_dir(fixture.directory.path())
        .env_remove("CREDENTIALS_DIRECTORY"));
    let count = done.stdout().matches("reads this state file").count();
    assert_eq!(count, 1, "{}", done.stdout());
}

#[test]
fn a_report_that_cannot_be_printed_is_a_failure() {
    let fixture = Fixture::new();
    let full = fs::File::options().write(true).open("/dev/full").expect("Linux");
    let mut command = fixture.command("--check");
    command.arg("--config-only").stdout(full).stderr(Stdio::piped());
    let done = Running::start(&mut command).finish();
    let message = "rcrond: cannot write to stdout: No space left on device\n";
    assert_eq!((done.code(), done.stderr().as_str()), (Some(1), message), "{done:?}");
}
