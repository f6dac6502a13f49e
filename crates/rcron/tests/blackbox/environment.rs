//! What `rcron` adds to the job's environment, and what the command line does.

use crate::support::Fixture;
use crate::support::log::field;

/// The job's environment, one line for each entry.
fn environment(fixture: &Fixture, before: &[&str]) -> Vec<String> {
    let done = fixture.run([before, &["env"]].concat());
    assert_eq!(done.code(), Some(0), "{done:?}");
    done.stdout().lines().map(str::to_owned).collect()
}

fn value<'a>(environment: &'a [String], name: &str) -> Option<&'a str> {
    environment
        .iter()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn the_run_is_named_in_the_environment_and_in_the_log() {
    let fixture = Fixture::active();
    let seen = environment(&fixture, &["--job", "backup"]);
    assert_eq!(value(&seen, "RCRON_CLUSTER"), Some("test"));
    assert_eq!(value(&seen, "RCRON_JOB"), Some("backup"));
    assert_eq!(value(&seen, "RCRON_EPOCH"), None);
    let run = value(&seen, "RCRON_RUN").expect("a run id").to_owned();
    assert_eq!(run.len(), 36);
    let lines = fixture.log.texts();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!(field(&line, "run"), Some(run.clone()));
        assert_eq!(field(&line, "job").as_deref(), Some("backup"));
    }
    let again = environment(&fixture, &[]);
    assert_ne!(value(&again, "RCRON_RUN"), Some(run.as_str()));
    assert_eq!(value(&again, "RCRON_JOB"), Some("env"), "the command itself");
}

#[test]
fn the_epoch_is_the_state_files_and_never_an_outer_ones() {
    let fixture = Fixture::active();
    fixture.set_state("active epoch=42\n");
    assert_eq!(value(&environment(&fixture, &[]), "RCRON_EPOCH"), Some("42"));
    fixture.set_state("active\n");
    let done = crate::support::run(
        fixture
            .rcron()
            .arg("env")
            .env("RCRON_EPOCH", "41")
            .env("RCRON_RUN", "x"),
    );
    assert!(!done.stdout().contains("RCRON_EPOCH="), "{done:?}");
    assert_eq!(done.stdout().matches("RCRON_RUN=").count(), 1);
}

#[test]
fn a_job_of_a_megabyte_does_not_double_its_environment() {
    let fixture = Fixture::active();
    let long = "x".repeat(100_000);
    let done = fixture.run(["sh", "-c", "printf %s \"$RCRON_JOB\" | wc -c", &long]);
    assert_eq!(done.stdout().trim(), "4096");
}

#[test]
fn leading_assignments_are_as_with_env() {
    let fixture = Fixture::active();
    assert_eq!(fixture.run(["FOO=1", "printenv", "FOO"]).stdout(), "1\n");
    assert_eq!(fixture.run(["FOO=1", "FOO=2", "printenv", "FOO"]).stdout(), "2\n");
    assert_eq!(
        fixture
            .run(["FOO=a b", "BAR=", "sh", "-c", "echo \"[$FOO][$BAR]\""])
            .stdout(),
        "[a b][]\n"
    );
    assert_eq!(fixture.run(["FOO=1", "echo $FOO | tr 1 2"]).stdout(), "2\n");
    assert_eq!(fixture.run(["--", "FOO=1", "printenv", "FOO"]).stdout(), "1\n");
    let seen = environment(&fixture, &["HOME=/nowhere"]);
    assert_eq!(seen.iter().filter(|line| line.starts_with("HOME=")).count(), 1);
    assert_eq!(
        fixture.run(["PATH=/nowhere", "env"]).code(),
        Some(127),
        "PATH is the job's"
    );
}
