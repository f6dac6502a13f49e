//! Servers that somebody has taken over: what they send is bounded, and cannot reach the terminal.

use crate::lab::Site;
use std::process::Command;
use testing::program::program;

/// In bytes: more address space than rcronctl needs with its threads, and less than what the servers would like to fill.
const MEMORY: &str = "--as=500000000";

const HEADER: &str = r#"{"rcron_export":1,"version":"\u001b[2J","node":"\u001b]0;x\u0007","time":"2026-12-01T00:00:00Z","unseen":["\u001b[2J"]}"#;

/// `rcronctl history --json ARGUMENTS`, with little memory.
fn history(site: &Site, arguments: &[&str]) -> testing::Done {
    let mut command = Command::new("prlimit");
    command.arg(MEMORY).arg(program("rcronctl"));
    command.args(["history", "--ssh-timeout", "5m"]).args(arguments);
    site.here.run(&mut command)
}

#[test]
#[ignore = "needs root, openssh-server and openssh-client: `make test` installs them and runs it"]
fn junk_ends_at_its_first_line() {
    let site = Site::new();
    let (db1, db2) = (site.server("db1"), site.server("db2"));
    site.run_on(&db1, "--job good true");
    for (script, reason) in [
        (
            "printf '\\033[2JWelcome\\n'; exec rcronctl-of-db2",
            "it begins with '\\x1b[2JWelcome'",
        ),
        ("exec yes", "it begins with 'y'"),
        ("exec cat /dev/zero", "it begins with '\\x00\\x00"),
        ("echo '{\"rcron_export\":7}'", "format 7, of a later version"),
        ("exit 0", "it has sent no export: its sshd may run another command"),
    ] {
        db2.replace_rcronctl(script);
        let done = site.rcronctl(&["history", "--host", "db1", "--host", "db2"]);
        assert!(
            done.code() == Some(0) && done.stdout().contains("good"),
            "{script}: {done:?}"
        );
        let messages = done.stderr();
        assert!(
            messages.starts_with("rcronctl: warning: db2: not read: ") && messages.contains(reason),
            "{script}: {messages}"
        );
        assert!(messages.len() < 1000 && !messages.contains('\u{1b}'), "{messages}");
    }
    db2.replace_rcronctl("exec yes >&2");
    let done = site.rcronctl(&["history", "--ssh-timeout", "1s", "--host", "db2"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("no answer within 1 s"),
        "{:?}",
        done.status
    );
}

#[test]
#[ignore = "needs root, openssh-server and openssh-client: `make test` installs them and runs it"]
fn endless_records_end_at_the_limit_and_the_others_are_shown() {
    let site = Site::new();
    let (db1, db2) = (site.server("db1"), site.server("db2"));
    site.run_on(&db1, "--job good false");
    let end = r#"{"time":"2020-12-01T00:00:01Z","event":"end","run":"x\u001b[2J","node":"db1","cluster":"web","job":"\u001b[2Jbad","command":"y","uid":0,"pid":1,"clock":1,"started":"2020-12-01T00:00:00Z","duration":1,"exit":0}"#;
    let start = r#"{"time":"2020-12-01T00:00:01Z","event":"start","run":"","node":"","cluster":"web","command":"y","uid":0,"pid":1,"clock":1}"#;
    for (records, options, limit) in [
        (end, &["-n", "10"][..], "more than 10 runs"),
        (
            start,
            &["-n", "100000", "--failed", "--job", "good"],
            "more than 100000 runs",
        ),
        ("{}", &["-n", "10"], "not read completely"),
    ] {
        db2.replace_rcronctl(&format!("echo '{HEADER}'; exec yes '{records}'"));
        let done = history(&site, &[options, &["--host", "db1", "--host", "db2"]].concat());
        assert!(done.code() == Some(0) && done.stdout().contains("good"), "{done:?}");
        let messages = done.stderr();
        assert!(
            messages.contains("db2: not read completely: ") && messages.contains(limit),
            "{messages}"
        );
        assert!(
            !messages.contains('\u{1b}') && !done.stdout().contains('\u{1b}'),
            "{done:?}"
        );
    }
}
