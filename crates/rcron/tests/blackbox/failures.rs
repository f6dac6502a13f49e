//! Jobs that cannot be started.

use crate::support::{Fixture, run};
use std::process::{Command, Stdio};

fn ended(fixture: &Fixture, words: &[&str], status: i32, message: &str) {
    // With an unsearchable directory in PATH the error would be "permission denied" instead of "not found", as with env(1).
    let done = run(fixture.rcron().args(words).env("PATH", "/usr/bin:/bin"));
    assert_eq!((done.code(), done.stdout()), (Some(status), String::new()), "{done:?}");
    let message = message.replace('@', &fixture.path("").display().to_string());
    assert_eq!(done.stderr(), format!("rcron: {message}\n"));
    let texts = fixture.log.texts();
    let [.., start, error, end] = texts.as_slice() else {
        panic!("too few lines: {texts:?}");
    };
    assert!(start.contains(" status=start "), "{texts:?}");
    assert_eq!(error, &format!("error: {message}"));
    assert!(
        end.contains(" status=fail ") && end.contains(&format!(" exit={status} run=")),
        "{texts:?}"
    );
}

#[test]
fn a_program_that_is_not_there_is_127() {
    let fixture = Fixture::active();
    ended(
        &fixture,
        &["no-such-program", "x"],
        127,
        "no-such-program: command not found",
    );
    ended(
        &fixture,
        &["/no/such/program", "x"],
        127,
        "/no/such/program: no such file",
    );
    ended(&fixture, &["", "x"], 127, "'': command not found");
    fixture.write("script", "#!/no/such/interpreter\n");
    crate::support::fixture::set_mode(&fixture.path("script"), 0o755);
    let script = fixture.path("script").display().to_string();
    ended(
        &fixture,
        &[&script],
        127,
        "@script: its interpreter, named in its first line, was not found",
    );
}

#[test]
fn a_program_that_cannot_be_executed_is_126() {
    let fixture = Fixture::active();
    fixture.write("plain", "");
    let plain = fixture.path("plain").display().to_string();
    ended(
        &fixture,
        &[&plain, "x"],
        126,
        "cannot execute @plain: Permission denied",
    );
    ended(&fixture, &["/", "x"], 126, "cannot execute /: Permission denied");
    let path = format!("PATH=/nowhere:{}", fixture.path("").display());
    ended(
        &fixture,
        &[&path, "plain", "x"],
        126,
        "cannot execute plain: Permission denied",
    );
}

#[test]
fn shell_syntax_is_recognized_and_the_message_says_how_to_write_it() {
    let hint = "; this looks like a shell command line: quote the whole line, as in rcron 'cd /x && job'";
    let fixture = Fixture::active();
    ended(
        &fixture,
        &["no-such", "&&", "b"],
        127,
        &format!("no-such: command not found{hint}"),
    );
    ended(
        &fixture,
        &["cd", "/x", "&&", "job"],
        127,
        &format!("cd: command not found{hint}"),
    );
    // If the first word can be executed, it is, with exactly these arguments.
    assert_eq!(fixture.run(["echo", "a", "&&", "b"]).stdout(), "a && b\n");
}

#[test]
fn a_process_that_cannot_be_made_is_125() {
    let fixture = Fixture::active();
    // A limit of processes does not apply to root. It is set after the user is: otherwise execve(2) would fail, too, if this user
    // has another process.
    let done = run(&mut fixture.rcron_as_ordinary_user(&["prlimit", "--nproc=0"], &["echo", "ran"]));
    assert_eq!((done.code(), done.stdout()), (Some(125), String::new()), "{done:?}");
    assert_eq!(
        done.stderr(),
        "rcron: cannot start a process: Resource temporarily unavailable\n"
    );
    fixture.log.wait_for(" status=fail ");
}

#[test]
fn a_guard_that_cannot_watch_starts_nothing() {
    let fixture = Fixture::active();
    fixture.configure("on_demotion = terminate\n");
    let mut command = Command::new("prlimit");
    let rcron = fixture.rcron();
    // The standard streams and one more descriptor: enough to read files, but not to watch one.
    command
        .arg("--nofile=4")
        .arg(rcron.get_program())
        .args(rcron.get_args())
        .args(["echo", "ran"])
        .stdin(Stdio::null());
    let done = run(&mut command);
    assert_eq!((done.code(), done.stdout()), (Some(125), String::new()), "{done:?}");
    assert_eq!(done.stderr(), "rcron: cannot supervise the job: Too many open files\n");
    let text = fixture.log.wait_for("error: ");
    assert_eq!(
        text,
        "error: cannot supervise the job: Too many open files cmd=echo ran"
    );
}
