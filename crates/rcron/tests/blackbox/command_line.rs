//! Options, where they end, and `--dry-run`.

use crate::support::fixture::binary;
use crate::support::process::Running;
use crate::support::{Done, Fixture, run};
use std::process::{Command, Stdio};
use testing::niceness;
use testing::program::{output_to_a_full_disk_fails, own_version_lines};

fn refused(done: &Done, message: &str) {
    assert_eq!(done.code(), Some(125), "{done:?}");
    assert_eq!(done.stdout(), "");
    assert!(done.stderr().starts_with(&format!("rcron: {message}\n")), "{done:?}");
}

#[test]
fn help_fits_a_screen_and_shows_three_examples() {
    let done = run(Command::new(binary()).arg("--help"));
    assert_eq!((done.code(), done.stderr()), (Some(0), String::new()));
    let text = done.stdout();
    assert!(
        text.lines().count() <= 24 && text.lines().all(|line| line.len() <= 80),
        "{text}"
    );
    assert_eq!(
        text.lines().filter(|line| line.contains("  rcron ")).count() - 1,
        3,
        "{text}"
    );
    assert_eq!(done, run(Command::new(binary()).args(["-h", "ignored"])));
}

#[test]
fn version() {
    assert!(own_version_lines("rcron").is_empty());
    output_to_a_full_disk_fails("rcron", 125);
}

#[test]
fn options_end_at_the_first_word_that_is_not_an_option() {
    let fixture = Fixture::active();
    for (arguments, out) in [
        (&["echo", "-n", "--conf", "x"][..], "--conf x"),
        (&["--", "echo", "a"], "a\n"),
        (&["-j", "name", "echo", "--job=other"], "--job=other\n"),
        (&["--job=name", "echo", "--", "a"], "-- a\n"),
        (&["-jname", "echo", "a"], "a\n"),
    ] {
        assert_eq!(fixture.run(arguments).stdout(), out, "{arguments:?}");
    }
}

#[test]
fn conf_is_taken_only_as_an_option_and_in_both_forms() {
    let fixture = Fixture::active();
    let equals = format!("--conf={}", fixture.path("conf").display());
    assert_eq!(run(Command::new(binary()).args([&equals, "echo", "a"])).stdout(), "a\n");
    // 0.1.0 found `--conf` anywhere in its first argument.
    refused(&fixture.run(["--x--conf", "y", "echo"]), "invalid option '--x--conf'");
}

#[test]
fn a_command_line_that_cannot_be_meant_is_refused() {
    let fixture = Fixture::active();
    refused(&fixture.run([""; 0]), "no command given");
    refused(&fixture.run(["FOO=1"]), "no command given");
    refused(&fixture.run(["--"]), "no command given");
    refused(
        &fixture.run(["--dryrun", "echo"]),
        "invalid option '--dryrun'; did you mean '--dry-run'?",
    );
    refused(&fixture.run(["-x", "echo"]), "invalid option '-x'");
    refused(
        &fixture.run(["--verbose=yes", "echo"]),
        "unexpected argument for option '--verbose': \"yes\"",
    );
    for (option, value) in [("--version=1", "1"), ("--help=x", "x"), ("-V=1", "1")] {
        let message = format!(
            "unexpected argument for option '{}': \"{value}\"",
            option.split('=').next().expect("a name")
        );
        refused(&run(Command::new(binary()).arg(option)), &message);
    }
    refused(
        &run(Command::new(binary()).arg("--conf")),
        "missing argument for option '--conf'",
    );
    refused(
        &fixture.run(["--job", &"x".repeat(256), "echo"]),
        "the job's name is longer than 255 bytes",
    );
    for name in ["", "a b", "a=b", "a\nb"] {
        let done = fixture.run(["--job", name, "echo"]);
        assert!(
            done.code() == Some(125) && done.stderr().contains("is not a job name"),
            "{done:?}"
        );
    }
    let done = fixture.run([""; 0]);
    assert!(
        done.stderr().contains("usage: rcron [OPTIONS] COMMAND [ARG]..."),
        "{done:?}"
    );
}

#[test]
fn a_refused_command_line_is_in_the_log_where_options_say_which() {
    let fixture = Fixture::active();
    let socket = format!("syslog_socket={}", fixture.path("log").display());
    let done = run(Command::new(binary()).args(["-o", &socket, "--bogus", "echo"]));
    assert_eq!(done.code(), Some(125));
    assert_eq!(
        fixture.log.texts(),
        [format!("error: invalid option '--bogus' cmd=-o {socket} --bogus echo")]
    );
    run(Command::new(binary()).args(["-n", "-o", &socket, "--bogus", "echo"]));
    assert_eq!(fixture.log.texts().len(), 1, "a dry run logs nothing");
}

#[test]
fn dry_run_prints_what_and_why_and_does_nothing() {
    let fixture = Fixture::active();
    fixture.set_state("active epoch=7 by=server1\n");
    let done = fixture.run([
        "-n",
        "FOO=1",
        "touch",
        fixture.path("made").to_str().expect("text"),
        "it's",
    ]);
    assert_eq!((done.code(), done.stderr()), (Some(0), String::new()));
    let text = done.stdout();
    for part in [
        &format!("configuration: {}\n", fixture.path("conf").display()),
        "cluster:       test\n",
        &format!("state file:    {}\n", fixture.path("state").display()),
        "it says:       active, epoch 7, by server1 (modified ",
        "decision:      run: this server is active\n",
        &format!(
            "argv:          touch {} 'it'\\''s' (directly)\n",
            fixture.path("made").display()
        ),
        "program:       /",
        "environment:   FOO=1\n",
        &format!("niceness:      {}\n", niceness()),
        "on demotion:   the job continues\n",
        &format!("log:           {}\n", fixture.path("log").display()),
        "journal:       none\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!fixture.path("made").exists());
    assert_eq!(fixture.log.texts(), [""; 0]);
}

#[test]
fn dry_run_explains_each_decision() {
    let fixture = Fixture::new(None);
    for (state, more, decision) in [
        (None, "", "run: the state cannot be read and default_state is active"),
        (
            None,
            "default_state = passive\n",
            "do not run: the state cannot be read and default_state is passive",
        ),
        (
            None,
            "state_max_age = 1m\n",
            "do not run: the state is stale: state_max_age is set and the file cannot be read",
        ),
        (Some("passive"), "", "do not run: this server is passive"),
        (
            Some("active until=1 boot=x"),
            "",
            "do not run: the state is stale: the lease is from another boot of this server",
        ),
        (
            Some("active draining"),
            "",
            "do not run: the server is draining: running jobs continue, no job is started",
        ),
        (
            Some("active"),
            "require_lease = yes\n",
            "do not run: require_lease is set and the state has no lease",
        ),
    ] {
        if let Some(state) = state {
            fixture.set_state(state);
        }
        fixture.configure(more);
        let done = fixture.run(["--dry-run", "a | b"]);
        assert_eq!(done.code(), Some(0), "a dry run that worked");
        assert!(
            done.stdout().contains(&format!("decision:      {decision}\n")),
            "{done:?}"
        );
        assert!(
            done.stdout()
                .contains("argv:          /bin/sh -c 'a | b' (by the shell)\n"),
            "{done:?}"
        );
    }
}

#[test]
fn dry_run_to_a_full_disk_fails() {
    let fixture = Fixture::active();
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let mut rcron = fixture.rcron();
    let running = Running::start(rcron.args(["-n", "true"]).stdout(full).stderr(Stdio::piped()));
    let done = running.finish();
    assert_eq!(done.code(), Some(125));
    assert_eq!(
        done.stderr(),
        "rcron: cannot write to stdout: No space left on device\n"
    );
}

#[test]
fn verbose_shows_the_log_lines() {
    let fixture = Fixture::passive();
    let done = fixture.run(["-v", "echo", "a\nb"]);
    assert_eq!(
        done.stderr(),
        "rcron: cluster=test state=passive status=ignore cmd=echo a\\x0ab\n"
    );
}

#[test]
fn verbose_prints_nothing_twice() {
    let fixture = Fixture::new(None);
    let done = run(fixture
        .rcron()
        .args(["-v", "no-such-program", "x"])
        .env("PATH", "/usr/bin:/bin"));
    let lines = done.stderr();
    assert_eq!(lines.matches("cannot read the state").count(), 1, "{lines}");
    assert_eq!(lines.matches("command not found").count(), 1, "{lines}");
    assert_eq!(lines.matches("status=").count(), 2, "{lines}");
}

#[test]
fn dry_run_reports_what_would_not_be_found() {
    let fixture = Fixture::active();
    let report = |words: &[&str]| fixture.run([&["-n"], words].concat()).stdout();
    assert!(report(&["no-such-program", "x"]).contains("program:       not found, or not executable\n"));
    let hint = "program:       not found; for a shell command line, quote the whole line\n";
    assert!(report(&["no-such-program", "&&", "x"]).contains(hint));
    assert!(report(&["PATH=/nowhere", "true", "x"]).contains("program:       not found"));
    let text = report(&["-o", "state_file=~/state", "-o", "syslog_socket=/none", "true"]);
    assert!(
        text.contains("state file:    ~/state (relative to the working directory; `~` and `$` are not expanded)\n")
    );
    assert!(
        text.contains("log:           /none is missing: nothing is logged\n"),
        "{text}"
    );
}
