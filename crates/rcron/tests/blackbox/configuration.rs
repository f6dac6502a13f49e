//! The configuration file: a mistake is reported with its place, and nothing runs.

use crate::support::fixture::binary;
use crate::support::{Done, Fixture, run};
use std::fs;
use std::process::{Command, Stdio};
use testing::program::without_machine;

/// `rcron --conf FILE` that must not run its job, even on the active server.
fn refused(fixture: &Fixture, file: &str) -> String {
    let socket = format!("syslog_socket={}", fixture.path("log").display());
    let mut command = Command::new(binary());
    command
        .args(["-o", &socket, "--conf"])
        .arg(fixture.path(file))
        .args(["echo", "ran"])
        .stdin(Stdio::null());
    let Done { status, out, err } = run(&mut command);
    assert_eq!((status.code(), out), (Some(125), vec![]));
    let err = String::from_utf8(err).expect("text");
    assert!(err.ends_with("\nrcron: the job was not run\n"), "{err}");
    err.replace(&fixture.path("").display().to_string(), "")
}

#[test]
fn an_invalid_line_is_printed_with_a_caret_and_logged() {
    let fixture = Fixture::active();
    fixture.write("conf", "# my cluster\nnice_lvel = 5\nsyslog_level = LOG_FOO\n");
    assert_eq!(
        refused(&fixture, "conf"),
        "rcron: conf:2:1: unknown key `nice_lvel`\n  2 | nice_lvel = 5\n    | ^~~~~~~~~ did you mean `nice_level`?\n\
         conf:3:16: unknown level `LOG_FOO`\n  3 | syslog_level = LOG_FOO\n    |                ^~~~~~~ syslog(3) lists them\n\
         rcron: the job was not run\n"
    );
    let messages = fixture.log.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].priority, 75, "cron.err");
    let expected = format!(
        "error: {}:2:1: unknown key `nice_lvel` (did you mean `nice_level`?) cmd=echo ran",
        fixture.path("conf").display()
    );
    assert_eq!(messages[0].text, expected);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_the_reason() {
    let fixture = Fixture::active();
    fs::create_dir(fixture.path("directory")).expect("made");
    std::os::unix::fs::symlink("nowhere", fixture.path("dangling")).expect("linked");
    fixture.make_fifo("fifo");
    fixture.write(
        "binary",
        fs::read(binary()).map(|bytes| bytes[..4096].to_vec()).expect("read"),
    );
    fixture.write("large", vec![b'\n'; (1 << 20) + 1]);
    let huge = fs::File::create(fixture.path("huge")).expect("made");
    huge.set_len(1 << 30).expect("grown");
    for (file, reason) in [
        ("missing", "cannot read the configuration from missing: no such file"),
        (
            "directory",
            "cannot read the configuration from directory: it is a directory, not a regular file",
        ),
        (
            "fifo",
            "cannot read the configuration from fifo: it is a FIFO, not a regular file",
        ),
        (
            "large",
            "cannot read the configuration from large: it is larger than 1 MiB",
        ),
        (
            "huge",
            "cannot read the configuration from huge: it is larger than 1 MiB",
        ),
        (
            "conf/below",
            "cannot read the configuration from conf/below: Not a directory",
        ),
    ] {
        assert_eq!(
            refused(&fixture, file),
            format!("rcron: {reason}\nrcron: the job was not run\n")
        );
    }
    assert!(refused(&fixture, "binary").contains("a NUL byte: this is not a text file"));
}

#[test]
fn an_empty_file_is_the_defaults() {
    let fixture = Fixture::passive();
    fixture.write("conf", "");
    let state = format!("state_file={}", fixture.path("state").display());
    let socket = format!("syslog_socket={}", fixture.path("log").display());
    let done = fixture.run(["-o", &state, "-o", &socket, "echo", "ran"]);
    assert_eq!((done.stdout(), done.stderr()), (String::new(), String::new()));
    assert_eq!(
        fixture.log.texts(),
        ["cluster=default_cluster state=passive status=ignore cmd=echo ran"]
    );
}

#[test]
fn forgiving_grammar_to_the_end() {
    let fixture = Fixture::active();
    let text = fs::read_to_string(fixture.path("conf")).expect("read");
    let tortured = format!(
        "{}\r\n  # indented\r\n; x\r\ncluster_name='my web'",
        text.replace(" = ", "=").trim_end().replace('\n', "\r\n")
    );
    fixture.write("conf", tortured);
    assert_eq!(fixture.run(["printenv", "RCRON_CLUSTER"]).stdout(), "my web\n");
}

#[test]
fn options_go_over_the_file_and_may_be_repeated() {
    let fixture = Fixture::active();
    let done = fixture.run([
        "-o",
        "cluster_name=a",
        "--option=cluster_name=b c",
        "printenv",
        "RCRON_CLUSTER",
    ]);
    assert_eq!(done.stdout(), "b c\n");
    let done = fixture.run(["-o", "kil_after=3s", "echo", "ran"]);
    assert_eq!(done.code(), Some(125));
    let expected = "rcron: --option:1:1: unknown key `kil_after`\n  1 | kil_after=3s\n    | ^~~~~~~~~ did you mean `kill_after`?\n";
    assert!(done.stderr().starts_with(expected), "{done:?}");
}

#[test]
fn niceness_out_of_range_is_warned_of_and_the_job_runs() {
    let fixture = Fixture::active();
    fixture.configure("nice_level = 20\n");
    let done = fixture.run(["echo", "ran"]);
    assert_eq!((done.code(), done.stdout()), (Some(0), "ran\n".to_owned()));
    assert!(
        done.stderr()
            .contains("conf:6:14: nice_level 20 is out of range: 0 is used\n"),
        "{done:?}"
    );
    fixture.log.wait_for("nice_level 20 is out of range");
}

#[test]
fn without_the_default_file_the_defaults_apply_and_the_log_says_so() {
    let fixture = Fixture::passive();
    let state = format!("state_file={}", fixture.path("state").display());
    let socket = format!("syslog_socket={}", fixture.path("log").display());
    let done = run(without_machine("rcron").args(["-o", &state, "-o", &socket, "echo", "ran"]));
    assert_eq!(
        (done.code(), done.stdout(), done.stderr()),
        (Some(0), String::new(), String::new())
    );
    assert_eq!(
        fixture.log.texts(),
        [
            "no /etc/rcron/rcron.conf: the built-in defaults apply",
            "cluster=default_cluster state=passive status=ignore cmd=echo ran"
        ]
    );
}
