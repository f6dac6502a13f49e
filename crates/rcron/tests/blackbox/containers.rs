//! rcron in containers, which are namespaces here: what docs/containers.md says of it.

use crate::support::fixture::{binary, set_mode};
use crate::support::process::{Running, children, name};
use crate::support::{Fixture, lease, run, until};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

/// As an image with nothing in it: no configuration, users, time zone, devices or log; the root is read-only. `$1` is a volume.
const BARE: &str =
    "mount -t tmpfs none /etc; mount -t tmpfs none /var; mount -t tmpfs none /run; mount -t tmpfs none /dev
    mknod -m 666 /dev/null c 1 3
    for path in /etc /var /run /dev /; do mount --bind $path $path; mount -o remount,bind,ro $path; done
    ! touch /file 2>/dev/null
    [ ! -e /etc/passwd ] && [ ! -e /dev/log ]";

/// A container: `sh -c SCRIPT sh VOLUME RCRON`, in namespaces of its own for all but users and time.
fn container(fixture: &Fixture, script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["--uts", "--ipc", "--net", "--cgroup", "sh", "-euc", script, "sh"]);
    command.arg(fixture.path("")).arg(binary()).stdin(Stdio::null());
    command
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn an_empty_read_only_container_runs_the_job_and_logs_to_stderr() {
    let fixture = Fixture::active();
    fs::create_dir(fixture.path("journal")).expect("made");
    let script = format!(
        "mount --bind \"$1\" /mnt\n{BARE}\n\
         exec \"$2\" --verbose -o state_file=/mnt/state -o journal=/mnt/journal --job night sh -c 'echo ran; exit 3'"
    );
    let done = run(&mut container(&fixture, &script));
    assert_eq!((done.code(), done.stdout().as_str()), (Some(3), "ran\n"), "{done:?}");
    let lines: Vec<String> = done.stderr().lines().map(str::to_owned).collect();
    let [missing, start, end] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert!(missing.contains("/etc/rcron/rcron.conf"), "{missing}");
    assert!(start.contains(" status=start job=night "), "{start}");
    assert!(end.contains(" status=fail ") && end.contains(" exit=3 "), "{end}");
    let records = until("both records", || {
        let text = fs::read_to_string(fixture.path("journal").join("0-0.jsonl")).ok()?;
        (text.lines().count() == 2).then_some(text)
    });
    assert!(records.contains("\"job\":\"night\""), "{records}");
}

/// The log is lost, and so is the journal; the job is not.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn an_empty_container_without_volumes_is_silent() {
    let fixture = Fixture::active();
    let script = format!("mount --bind \"$1\" /mnt\n{BARE}\nexec \"$2\" -o state_file=/mnt/state sh -c 'echo ran'");
    let done = run(&mut container(&fixture, &script));
    assert_eq!(
        (done.code(), done.stdout().as_str(), done.stderr().as_str()),
        (Some(0), "ran\n", ""),
        "{done:?}"
    );
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_lease_of_the_host_is_valid_in_a_container_that_has_proc() {
    let fixture = Fixture::new(Some(&lease::active(7)));
    for (hide, ran) in [("", true), ("mount -t tmpfs none /proc; ", false)] {
        let script = format!("{hide}exec \"$2\" --conf \"$1/conf\" sh -c 'echo $RCRON_EPOCH'");
        let done = run(&mut container(&fixture, &script));
        let out = if ran { "7\n" } else { "" };
        assert_eq!((done.code(), done.stdout().as_str()), (Some(0), out), "{done:?}");
    }
    fixture
        .log
        .wait_for("state=passive status=ignore reason=stale why=other-boot ");
    let script = "mount -t tmpfs none /proc; exec \"$2\" --conf \"$1/conf\" --dry-run true";
    let done = run(&mut container(&fixture, script));
    let why = "decision:      do not run: the state is stale: this server's boot ID cannot be read, so no lease is valid: is /proc mounted?\n";
    assert!(done.stdout().contains(why), "{done:?}");
}

/// By the clock of such a container, the lease would last longer than on the host, or not as long.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_lease_is_valid_only_by_the_clock_that_it_was_written_by() {
    let fixture = Fixture::active();
    let in_namespace = |offset: &str| {
        let mut command = Command::new("unshare");
        command.args(["--time", "--boottime", offset, "--fork"]).arg(binary());
        command
            .arg("--conf")
            .arg(fixture.path("conf"))
            .args(["echo", "ran"])
            .stdin(Stdio::null());
        run(&mut command).stdout()
    };
    fixture.set_state(&lease::active(1));
    for (offset, out) in [("0", "ran\n"), ("-5", ""), ("5", "")] {
        assert_eq!(in_namespace(offset), out, "offset {offset}");
    }
    let until = lease::now() + 500.0;
    fixture.set_state(&format!(
        "active until={:.3} boot={}@-5:0\n",
        until - 5.0,
        lease::boot_id()
    ));
    assert_eq!(in_namespace("-5"), "ran\n");
    assert_eq!(in_namespace("0"), "");
    fixture.log.wait_for(" reason=stale why=other-boot ");
}

/// The directory of the state files is a volume, which the container cannot write to.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_container_notices_at_once_that_its_server_is_passive() {
    let fixture = Fixture::active();
    let script = "mount --bind \"$1\" /mnt; mount -o remount,bind,ro /mnt
        exec \"$2\" --verbose -o state_file=/mnt/state -o on_demotion=terminate -o journal=none sleep 1000";
    let mut command = container(&fixture, script);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = Running::start(&mut command);
    // rcron is process 1 of the container.
    let rcron = until("rcron", || {
        let runs_job = |pid: &i32| children(*pid).into_iter().any(|job| name(job) == "sleep");
        children(running.pid()).into_iter().find(runs_job)
    });
    assert_eq!(name(rcron), "rcron");
    fixture.set_state("passive\n");
    let done = running.finish();
    assert_eq!(done.code(), Some(128 + 15), "{done:?}");
    assert!(done.stderr().contains(" signal=SIGTERM reason=demoted "), "{done:?}");
}

/// As a container of an ordinary user: its root is this user outside.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn roots_journal_in_a_user_namespace_belongs_to_the_user_outside() {
    let fixture = Fixture::new(Some(&lease::active(1)));
    set_mode(&fixture.path(""), 0o755);
    fs::create_dir(fixture.path("journal")).expect("made");
    set_mode(&fixture.path("journal"), 0o1733);
    let program = fixture.copy_binary();
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "unshare",
        "--user",
        "--map-root-user",
    ]);
    command
        .arg(program)
        .arg("-o")
        .arg(format!("state_file={}", fixture.path("state").display()));
    command
        .arg("-o")
        .arg(format!("journal={}", fixture.path("journal").display()));
    let done = run(command.args(["sh", "-c", "id -u"]).stdin(Stdio::null()));
    assert_eq!((done.code(), done.stdout().as_str()), (Some(0), "0\n"), "{done:?}");
    let file = fixture.path("journal").join("0-0.jsonl");
    let metadata = until("a record", || fs::metadata(&file).ok());
    assert_eq!(metadata.uid(), 65534);
}
