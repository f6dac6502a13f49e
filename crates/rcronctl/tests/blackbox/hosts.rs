//! `rcronctl export`, and reading what it writes; with a script in the place of ssh. tests/hosts has a real one.

use crate::daemon::{Daemon, answer_status};
use crate::fixture::{Fixture, rows};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use testing::process::is_gone;
use testing::program::program;
use testing::{Done, run, until};

impl Fixture {
    /// A script of sh that is run as ssh. `$host` is the host, and `$@` the command.
    fn ssh(&self, script: &str) {
        fs::create_dir_all(self.path("bin")).expect("made");
        let skip = "while [ \"$1\" != -- ]; do shift; done; host=$2; shift 2";
        self.write("bin/ssh", &format!("#!/bin/sh\n{skip}\n{script}\n"));
        fs::set_permissions(self.path("bin/ssh"), fs::Permissions::from_mode(0o755)).expect("its own");
    }

    /// The command is executed here.
    fn ssh_to_here(&self) {
        let (rcronctl, conf) = (program("rcronctl"), self.path("conf"));
        self.ssh(&format!(
            "shift; exec {} --conf {} \"$@\"",
            rcronctl.display(),
            conf.display()
        ));
    }

    fn with_ssh(&self, arguments: &[&str]) -> Done {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        run(self.command().args(arguments).env("PATH", path))
    }

    /// `rcronctl export --restricted`, for this command of the client.
    fn restricted(&self, asked: Option<&str>) -> Done {
        let mut command = self.command();
        command
            .args(["export", "--restricted"])
            .env_remove("SSH_ORIGINAL_COMMAND");
        run(command.envs(asked.map(|asked| ("SSH_ORIGINAL_COMMAND", asked))))
    }
}

/// The header, and the records as JSON.
fn parse(export: &str) -> (serde_json::Value, Vec<serde_json::Value>) {
    let mut lines = export.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    (lines.next().expect("a header"), lines.collect())
}

#[test]
fn export_is_a_header_and_a_record_of_each_run() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "good", "true"]);
    fixture.run(&["--job", "bad", "false"]);
    let _running = fixture.start(&["--job", "long", "sleep", "1000"]);
    let export = fixture.output(0, ["export"]);
    let (header, records) = parse(&export);
    assert_eq!(
        (&header["rcron_export"], &header["version"]),
        (&1.into(), &env!("CARGO_PKG_VERSION").into())
    );
    let node = nix::unistd::gethostname().expect("a name");
    assert_eq!(header["node"], node.to_str().expect("text"));
    assert!(header["boot"].is_string() && header["time"].is_string(), "{header}");
    assert_eq!(header["unseen"], serde_json::json!([]));
    let jobs: Vec<_> = records
        .iter()
        .map(|record| {
            (
                record["job"].as_str(),
                record["event"].as_str(),
                record["fate"].as_str(),
            )
        })
        .collect();
    let expected = [
        (Some("long"), Some("start"), Some("running")),
        (Some("bad"), Some("end"), None),
        (Some("good"), Some("end"), None),
    ];
    assert_eq!(jobs, expected);
    // A file of it is a journal.
    fixture.write("copy", &export);
    let copy = fixture.path("copy");
    let json = fixture.json(0, ["history".as_ref(), "--journal".as_ref(), copy.as_os_str()]);
    assert_eq!(json["runs"].as_array().map(Vec::len), Some(3));
    assert!(
        json.get("hosts").is_none() && json["runs"][0].get("host").is_none(),
        "{json}"
    );
}

#[test]
fn export_selects_runs() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "good", "true"]);
    fixture.run(&["false", "a b"]);
    let count = |options: &[&str]| parse(&fixture.output(0, [&["export"][..], options].concat())).1.len();
    for (options, expected) in [
        (&["--job", "false a b"][..], 1),
        (&["--percent", "--job", "false%20a%20b"], 1),
        (&["--percent", "--cluster", "w%65b"], 2),
        (&["--failed"], 1),
        (&["--unfinished"], 0),
        (&["-n", "1"], 1),
        (&["-n", "0"], 2),
        (&["--since", "1h"], 2),
        (&["--since", "2999-01-01"], 0),
    ] {
        assert_eq!(count(options), expected, "{options:?}");
    }
    let done = fixture.rcronctl(["export", "--percent", "--job", "%"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("the value of --job is not percent-encoded"),
        "{done:?}"
    );
}

#[test]
fn restricted_export_takes_its_options_from_ssh() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "good", "true"]);
    let done = fixture.restricted(Some("rcronctl export --percent --job=g%6Fod --limit=5"));
    assert_eq!((done.code(), parse(&done.stdout()).1.len()), (Some(0), 1), "{done:?}");
    for asked in [
        None,
        Some("id"),
        Some("rcronctl export --journal=/etc"),
        Some("rcronctl set passive"),
    ] {
        let done = fixture.restricted(asked);
        assert!(done.code() == Some(2) && done.out.is_empty(), "{asked:?}: {done:?}");
    }
    let done = fixture.rcronctl(["export", "--restricted", "--failed"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("cannot be used with"),
        "{done:?}"
    );
}

#[test]
fn hosts_are_asked_in_words_that_no_shell_changes() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["echo", "$(id) 'a'\\"]);
    fixture.ssh_to_here();
    let hosts = ["--host", "db1", "--host", "root@db2"];
    let job = ["--job", "echo $(id) 'a'\\"];
    let done = fixture.with_ssh(&[&["history"][..], &hosts, &job].concat());
    let table = rows(&done.stdout());
    assert_eq!((done.code(), table.len()), (Some(0), 3), "{done:?}");
    assert_eq!(table[0], "HOST STARTED AGE LASTED RESULT JOB");
    assert!(table.iter().any(|row| row.starts_with("db1 ")) && table.iter().any(|row| row.starts_with("root@db2 ")));

    fixture.ssh("echo \"$host|$*\" >&2; exit 255");
    let done = fixture.with_ssh(
        &[
            &[
                "history",
                "--since",
                "2026-11-23",
                "--failed",
                "-n",
                "7",
                "--host",
                "db1",
            ][..],
            &job,
        ]
        .concat(),
    );
    let expected = "rcronctl: warning: db1: not read: db1|rcronctl export --percent --job=echo%20%24%28id%29%20%27a%27%5C \
                    --since=2026-11-23T00:00:00Z --limit=7 --failed\nrcronctl: no journal could be read\n";
    assert_eq!((done.code(), done.stderr().as_str()), (Some(2), expected));
    let done = fixture.with_ssh(&["interrupted", "--host", "db1"]);
    assert!(done.stderr().contains("export --percent --unfinished"), "{done:?}");
}

#[test]
fn names_that_ssh_would_take_for_something_else_are_refused() {
    let fixture = Fixture::new(Some("active"));
    fixture.ssh("echo called >&2; exit 255");
    for name in ["-oProxyCommand=id", "a b", "a;b", "$(id)", ""] {
        let done = fixture.with_ssh(&["history", &format!("--host={name}")]);
        assert!(
            done.code() == Some(2) && done.stderr().contains("not a name for ssh") && !done.stderr().contains("called"),
            "{name}: {done:?}"
        );
    }
    for (options, message) in [
        (
            &["history", "--host", "db1", "--journal", "x"][..],
            "cannot be used with",
        ),
        (&["interrupted", "--host", "db1", "--ack"], "run them on each server"),
        (&["interrupted", "--host", "db1", "--log"], "run them on each server"),
        (
            &["history", "--hosts", "--socket", "/no/such/socket"],
            "there is no /no/such/socket",
        ),
    ] {
        let done = fixture.with_ssh(options);
        assert!(
            done.code() == Some(2) && done.stderr().contains(message) && !done.stderr().contains("called"),
            "{options:?}: {done:?}"
        );
    }
    fs::remove_file(fixture.path("bin/ssh")).expect("there");
    let done = run(fixture
        .command()
        .args(["history", "--host", "db1"])
        .env("PATH", fixture.path("bin")));
    assert!(
        done.stderr()
            .contains("there is no ssh(1) on this server: install openssh-client"),
        "{done:?}"
    );
}

#[test]
fn other_servers_are_read_if_the_configuration_here_cannot_be() {
    let fixture = Fixture::new(Some("active"));
    fixture.ssh_to_here();
    let path = format!("{}:/usr/bin:/bin", fixture.path("bin").display());
    let mut command = Command::new(program("rcronctl"));
    command.arg("--conf").arg(fixture.path("missing")).env("PATH", path);
    let done = run(command.args(["interrupted", "--host", "db1"]));
    assert_eq!((done.code(), done.stderr().as_str()), (Some(0), ""), "{done:?}");
}

/// server3 is gone.
#[test]
fn servers_that_are_gone_are_not_asked_except_by_name() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["true"]);
    fixture.ssh("echo \"$host\" >&2; exit 255");
    let socket = fixture.path("socket");
    let _daemon = Daemon::start(&socket, answer_status);
    let socket = socket.to_str().expect("text");
    let options = ["history", "--hosts", "--socket", socket];
    let gone = "not asked, because rcrond there has not renewed its session: server3; --host NAME asks any";
    let done = fixture.with_ssh(&options);
    let expected = format!("rcronctl: warning: server2: not read: server2\nrcronctl: warning: {gone}\n");
    assert_eq!((done.code(), done.stderr()), (Some(0), expected), "{done:?}");
    let done = fixture.with_ssh(&[&["--json"][..], &options].concat());
    let json: serde_json::Value = serde_json::from_slice(&done.out).expect("JSON");
    let reason = gone
        .strip_prefix("not asked, because ")
        .and_then(|text| text.split_once(':'));
    assert_eq!(json["hosts"][2]["read"], "none", "{json}");
    assert_eq!(json["hosts"][2]["reason"].as_str(), reason.map(|(reason, _)| reason));
    let done = fixture.with_ssh(&[&options[..], &["--job", "none"]].concat());
    assert_eq!(done.code(), Some(2), "not everything was read: {done:?}");
    let done = fixture.with_ssh(&[&options[..], &["--host", "server3"]].concat());
    assert!(
        done.stderr().contains("server3: not read: server3\n") && !done.stderr().contains("not asked"),
        "{done:?}"
    );
}

/// The records of a server are in a file without a name.
#[test]
fn nothing_is_left_in_the_temporary_directory() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["true"]);
    fixture.ssh_to_here();
    fs::create_dir(fixture.path("tmp")).expect("made");
    let path = format!("{}:/usr/bin:/bin", fixture.path("bin").display());
    let mut command = fixture.command();
    command.args(["history", "--host", "db1"]).env("PATH", path);
    let done = run(command.env("TMPDIR", fixture.path("tmp")));
    assert_eq!((done.code(), done.stdout().lines().count()), (Some(0), 2), "{done:?}");
    assert_eq!(fs::read_dir(fixture.path("tmp")).expect("a directory").count(), 0);
    let done = run(command.env("TMPDIR", fixture.path("none")));
    assert!(
        done.code() == Some(2) && done.stderr().contains("db1: not read: cannot write a temporary file"),
        "{done:?}"
    );
}

/// The records of each server are in a file that stays open.
#[test]
fn limit_of_open_files_is_raised_as_far_as_it_may_be() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["true"]);
    fixture.ssh_to_here();
    let hosts: Vec<String> = (1..=40).map(|number| format!("--host=db{number}")).collect();
    let history = |limit: &str| {
        let path = format!("{}:/usr/bin:/bin", fixture.path("bin").display());
        let mut command = Command::new("prlimit");
        command
            .arg(format!("--nofile={limit}"))
            .arg("--")
            .arg(program("rcronctl"));
        run(command.arg("history").args(&hosts).env("PATH", path))
    };
    let done = history("24:1024");
    assert_eq!((done.code(), done.stderr().as_str()), (Some(0), ""), "{done:?}");
    assert_eq!(done.stdout().lines().count(), 1 + hosts.len());
    let messages = history("24:24").stderr();
    let expected = "not read: too many files are open at the same time: raise the limit (ulimit -n)";
    assert!(
        messages.contains(expected) && !messages.contains("TMPDIR") && !messages.contains("os error"),
        "{messages}"
    );
}

/// A server that does not answer any more would keep ssh for ever.
#[test]
fn ssh_ends_with_rcronctl() {
    let fixture = Fixture::new(Some("active"));
    let file = fixture.path("pid");
    fixture.ssh(&format!(
        "echo $$ > {0}.new; mv {0}.new {0}; exec sleep 1000",
        file.display()
    ));
    let path = format!("{}:/usr/bin:/bin", fixture.path("bin").display());
    let mut command = fixture.command();
    command.args(["history", "--host", "db1"]).env("PATH", path);
    let mut rcronctl = command.spawn().expect("started");
    let ssh = until("ssh has started", || fs::read_to_string(&file).ok());
    rcronctl.kill().expect("it runs");
    rcronctl.wait().expect("a child");
    let ssh = ssh.trim().parse().expect("a number");
    until("ssh has ended", || is_gone(ssh).then_some(()));
}

/// A shell that prints something at log-in, a connection that is cut, and a server that has nothing.
#[test]
fn answers_that_are_not_whole_are_reported() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["true"]);
    let (rcronctl, conf) = (program("rcronctl"), fixture.path("conf"));
    let export = format!("{} --conf {} export", rcronctl.display(), conf.display());
    for (script, status, lines, message) in [
        (
            "echo hello; EXPORT".to_owned(),
            2,
            0,
            "not read: its answer is not an export",
        ),
        (
            "printf hello".to_owned(),
            2,
            0,
            "db1: not read: it has sent no export: its sshd may run another command\nrcronctl: no journal could be read\n",
        ),
        (
            "EXPORT; exit 255".to_owned(),
            0,
            2,
            "not read completely: ssh failed without a message",
        ),
        (
            "EXPORT; echo x; printf '{\"time\":'".to_owned(),
            0,
            2,
            "2 lines that are not records were skipped",
        ),
        (
            "EXPORT | head -1; sleep 1000".to_owned(),
            2,
            0,
            "not everything came within 1 s",
        ),
    ] {
        fixture.ssh(&script.replace("EXPORT", &export));
        let done = fixture.with_ssh(&["history", "--ssh-timeout", "1s", "--host", "db1"]);
        assert!(
            done.code() == Some(status) && done.stdout().lines().count() == lines && done.stderr().contains(message),
            "{script}: {done:?}"
        );
    }
}
