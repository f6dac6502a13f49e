//! `once_per_tick`: rcron waits for a grant of rcrond. Here the test is rcrond.

use crate::support::log::Message;
use crate::support::process::Running;
use crate::support::rcrond::{Client, FakeRcrond, TICK, grant};
use crate::support::{Done, Fixture, lease, until};
use policy::claim::{Answer, Claim, ClaimId, Ended, Over, OverReason, Request, RunResult, WaitReason};
use policy::exit::Outcome;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

const SESSION: &str = "0123456789abcdef0123456789abcdef";

/// An hour, so that no wait ends by itself on a slow machine.
const PATIENT: &str = "start_within = 1h\n";

/// A fixture with `once_per_tick`, active in epoch 7, and its rcrond.
pub(crate) fn claiming(more: &str) -> (Fixture, FakeRcrond) {
    let fixture = Fixture::new(Some(&lease::active(7)));
    configure(&fixture, more);
    let rcrond = FakeRcrond::start(&fixture.path("claims"));
    (fixture, rcrond)
}

fn configure(fixture: &Fixture, more: &str) {
    let socket = fixture.path("claims");
    fixture.configure(&format!(
        "once_per_tick = yes\nclaim_socket = \"{}\"\n{more}",
        socket.display()
    ));
}

/// Starts `rcron --job b JOB`.
pub(crate) fn start(fixture: &Fixture, job: &[&str]) -> Running {
    start_command(fixture.rcron().args(["--job", "b"]).args(job))
}

pub(crate) fn start_command(command: &mut Command) -> Running {
    Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// The end of rcron: its exit status, stdout and stderr.
pub(crate) fn seen(done: &Done) -> (Option<i32>, String, String) {
    (done.code(), done.stdout(), done.stderr())
}

pub(crate) fn silent(status: i32) -> (Option<i32>, String, String) {
    (Some(status), String::new(), String::new())
}

/// Takes the end of a run, and notes it.
pub(crate) fn note_end(client: &mut Client) -> Ended {
    let ended = client.ended();
    client.answer(&Answer::Noted);
    ended
}

fn run_of(claim: &Claim) -> String {
    claim.run.as_str().to_owned()
}

#[test]
fn a_grant_starts_the_job_with_tick_attempt_and_fence() {
    let (fixture, rcrond) = claiming("");
    let job = "echo $RCRON_TICK $RCRON_ATTEMPT $RCRON_FENCE $RCRON_EPOCH $RCRON_RUN $RCRON_JOB";
    let rcron = start(&fixture, &[job]);
    let (mut client, claim) = rcrond.claimed();
    let Answer::Grant(mut second) = grant("7", 3600.0) else {
        unreachable!();
    };
    second.attempt = 2;
    client.answer(&Answer::Grant(second));
    let ended = note_end(&mut client);
    assert_eq!((ended.outcome, ended.is_demoted), (Outcome::Exited(0), false));
    let run = run_of(&claim);
    let expected = format!("2026-12-01T03:00:00Z 2 1796094001 7 {run} b\n");
    assert_eq!(seen(&rcron.finish()), (Some(0), expected, String::new()));
    assert_eq!(client.request(), None);
    let name = format!("job=b run={run} tick=2026-12-01T03:00:00Z attempt=2 cmd={job}");
    let texts = fixture.log.texts();
    assert_eq!(texts[0], format!("cluster=test state=active status=start {name}"));
    let (end, rest) = texts[1].split_once(" dur=").expect("a duration");
    assert_eq!(end, "cluster=test state=active status=ok");
    assert!(rest.ends_with(&format!(" exit=0 {name}")), "{rest}");
    assert_eq!(texts.len(), 2);
}

#[test]
fn the_claim_says_what_is_configured() {
    let (fixture, rcrond) = claiming("");
    let state = fixture.path("state").into_os_string().into_encoded_bytes();
    let simple = (None, 0, false, None, None);
    let full = (
        Some(Duration::from_secs(90)),
        3,
        true,
        Some(Duration::from_secs(7)),
        Some(TICK),
    );
    let keys = "start_within = 90s\nrerun = 3\noverlap = skip\non_demotion = terminate\nkill_after = 7s\n";
    for (keys, arguments, expected) in [
        ("", &[][..], simple),
        (keys, &["--tick", "2026-12-01T04:00:00+01:00"], full),
    ] {
        configure(&fixture, keys);
        let mut command = fixture.rcron();
        let before = Duration::from_secs_f64(lease::now());
        let rcron = start_command(command.args(["--job", "é-b"]).args(arguments).arg("true"));
        let (mut client, claim) = rcrond.claimed();
        let said = (
            claim.start_within,
            claim.rerun,
            claim.skips_overlap,
            claim.kill_after,
            claim.tick,
        );
        assert_eq!(said, expected);
        assert_eq!((claim.job.as_str(), &claim.state_file), ("é-b", &state));
        // /proc/uptime has hundredths of a second.
        let started = claim.started_boot.0 + Duration::from_millis(10);
        assert!(started >= before && started.as_secs_f64() <= lease::now() + 0.02);
        client.over(OverReason::Done, None);
        assert_eq!(seen(&rcron.finish()), silent(0));
    }
}

#[test]
fn the_end_is_the_jobs_and_rcrond_hears_it() {
    let (fixture, rcrond) = claiming("");
    for (job, code, signal, outcome) in [
        (&["true"][..], Some(0), None, Outcome::Exited(0)),
        (&["exit 3"], Some(3), None, Outcome::Exited(3)),
        (&["exit 255;"], Some(255), None, Outcome::Exited(255)),
        (&["kill -9 $$"], None, Some(9), Outcome::Killed(9)),
        (&["/no/such/program"], Some(127), None, Outcome::Exited(127)),
        (&["/", "x"], Some(126), None, Outcome::Exited(126)),
    ] {
        let rcron = start(&fixture, job);
        let (mut client, _) = rcrond.claimed();
        client.grant("7");
        assert_eq!(note_end(&mut client).outcome, outcome, "{job:?}");
        let done = rcron.finish();
        assert_eq!((done.code(), done.status.signal()), (code, signal), "{job:?}");
    }
}

/// What rcron logs when its claim is answered so, on a passive server.
fn line_after(answers: impl FnOnce(&mut Client)) -> Message {
    let (fixture, rcrond) = claiming(PATIENT);
    fixture.set_state("passive\n");
    let rcron = start(&fixture, &["echo", "ran"]);
    let (mut client, claim) = rcrond.claimed();
    answers(&mut client);
    assert_eq!(seen(&rcron.finish()), silent(0));
    let [mut message] = fixture.log.messages().try_into().expect("one line");
    message.text = message.text.replace(claim.run.as_str(), "RUN");
    message
}

#[test]
fn each_reason_is_one_line_and_only_the_lack_of_a_grant_is_an_error() {
    let by = Some("server1");
    for (reason, by, fields, severity) in [
        (OverReason::Elsewhere, by, "elsewhere by=server1", 6),
        (OverReason::Done, by, "done by=server1", 6),
        (OverReason::Done, None, "done", 6),
        (OverReason::Overlap, by, "overlap by=server1", 6),
        (OverReason::Superseded, None, "superseded", 6),
        (OverReason::TooLate, None, "too-late", 6),
        (OverReason::NoGrant(WaitReason::ClockAhead), None, "clock-ahead", 6),
        (
            OverReason::NoGrant(WaitReason::NoSession),
            None,
            "no-grant why=no-session",
            3,
        ),
        (OverReason::NoGrant(WaitReason::Store), None, "no-grant why=store", 3),
    ] {
        let message = line_after(|client| {
            client.wait(3600.0, WaitReason::Claiming, None);
            client.over(reason, by);
        });
        let expected = format!(
            "cluster=test state=passive status=ignore reason={fields} tick=2026-12-01T03:00:00Z job=b run=RUN cmd=echo ran"
        );
        assert_eq!((message.text, message.priority & 7), (expected, severity));
    }
}

#[test]
fn the_line_says_how_the_run_on_the_other_server_has_ended() {
    let message = line_after(|client| {
        client.wait(3600.0, WaitReason::Elsewhere, Some("server1"));
        client.answer(&Answer::Over(Over {
            reason: OverReason::Elsewhere,
            by: Some("server1".to_owned()),
            tick: Some(TICK),
            ended: Some(RunResult::Failed),
        }));
    });
    assert_eq!(
        message.text,
        "cluster=test state=passive status=ignore reason=elsewhere by=server1 tick=2026-12-01T03:00:00Z ended=failed job=b \
         run=RUN cmd=echo ran"
    );
}

#[test]
fn a_wait_ends_with_its_deadline_even_if_rcrond_says_nothing_more() {
    for (reason, by, fields) in [
        (WaitReason::Elsewhere, Some("server1"), "elsewhere by=server1"),
        (WaitReason::ClockAhead, None, "clock-ahead"),
        (WaitReason::Passive, None, "no-grant why=passive"),
    ] {
        let message = line_after(|client| client.wait(0.1, reason, by));
        let expected = format!(
            "cluster=test state=passive status=ignore reason={fields} tick=2026-12-01T03:00:00Z job=b run=RUN cmd=echo ran"
        );
        assert_eq!(message.text, expected);
    }
}

#[test]
fn a_passive_server_waits_and_runs_the_job_when_it_has_become_active() {
    let (fixture, rcrond) = claiming("");
    fixture.set_state("passive\n");
    let rcron = start(&fixture, &["echo", "ran"]);
    let (mut client, _) = rcrond.claimed();
    client.wait(3600.0, WaitReason::Passive, None);
    fixture.set_state(&lease::active(8));
    client.grant("8");
    note_end(&mut client);
    assert_eq!(seen(&rcron.finish()), (Some(0), "ran\n".into(), String::new()));
}

#[test]
fn a_shared_state_permits_the_start_with_the_session_of_the_grant() {
    let (fixture, rcrond) = claiming("");
    let (until, boot) = (lease::until(500.0), lease::boot_id());
    fixture.set_state(&format!("passive shared {until} boot={boot} session={SESSION}\n"));
    let rcron = start(&fixture, &["echo \"$RCRON_TICK,$RCRON_EPOCH\""]);
    let (mut client, _) = rcrond.claimed();
    client.grant(SESSION);
    note_end(&mut client);
    let expected = (Some(0), "2026-12-01T03:00:00Z,\n".into(), String::new());
    assert_eq!(seen(&rcron.finish()), expected);
}

#[test]
fn a_refused_claim_is_an_error_with_rcronds_message() {
    let (fixture, rcrond) = claiming("");
    let rcron = start(&fixture, &["true"]);
    let (mut client, _) = rcrond.claimed();
    client.answer(&Answer::Refused {
        message: "two lines of one name".to_owned(),
    });
    let expected = "rcron: two lines of one name\nrcron: the job was not run\n";
    assert_eq!(seen(&rcron.finish()), (Some(125), String::new(), expected.to_owned()));
    assert_eq!(fixture.log.texts(), ["error: two lines of one name cmd=true"]);
}

#[test]
fn rules_over_several_keys_are_checked_before_anything_runs() {
    let (fixture, rcrond) = claiming("");
    let key = "once_per_tick=yes";
    for (arguments, message) in [
        (&["true"][..], "once_per_tick needs the job's name"),
        (
            &["-o", "rerun=1", "-j", "b", "true"],
            "rerun needs on_demotion = terminate",
        ),
        (
            &["-o", "once_per_tick=no", "--tick", "@60", "true"],
            "--tick has no meaning without once_per_tick",
        ),
    ] {
        let done = fixture.run(arguments);
        let stderr = done.stderr();
        assert!(stderr.starts_with(&format!("rcron: {message}\n  ")), "{key} {stderr}");
        assert!(
            stderr.ends_with("; see rcron.conf(5)\nrcron: the job was not run\n"),
            "{stderr}"
        );
        assert_eq!((done.code(), done.stdout()), (Some(125), String::new()));
        fixture.log.wait_for(&format!("error: {message} cmd=true"));
    }
    let done = fixture.run(["--tick", "noon", "true"]);
    assert!(done.stderr().starts_with("rcron: `noon` is not a time: "), "{done:?}");
    assert_eq!(done.code(), Some(125));
    assert!(rcrond.try_accept().is_none());
}

#[test]
fn without_the_key_rcrond_is_not_asked() {
    let (fixture, rcrond) = claiming("");
    for (state, out) in [("active", "ran\n"), ("passive", "")] {
        fixture.set_state(state);
        let mut command = fixture.rcron();
        command
            .env("RCRON_TICK", "outer")
            .args(["-j", "b", "-o", "once_per_tick=no"]);
        let done = start_command(command.arg("echo ran$RCRON_TICK")).finish();
        assert_eq!(seen(&done), (Some(0), out.to_owned(), String::new()));
    }
    assert!(rcrond.try_accept().is_none());
}

#[test]
fn a_signal_ends_the_wait_and_rcron_dies_of_it() {
    let (fixture, rcrond) = claiming("");
    for (signal, name) in [(15, "SIGTERM"), (2, "SIGINT"), (1, "SIGHUP"), (10, "SIGUSR1")] {
        let rcron = start(&fixture, &["echo", "ran"]);
        let (mut client, claim) = rcrond.claimed();
        client.wait(3600.0, WaitReason::Passive, None);
        rcron.signal(signal);
        let done = rcron.finish();
        assert_eq!(done.status.signal(), Some(signal));
        assert_eq!((done.stdout(), done.stderr()), (String::new(), String::new()));
        assert_eq!(client.request(), None);
        let run = run_of(&claim);
        let line = fixture.log.wait_for(&format!("run={run}"));
        let (fields, _) = line.split_once(" job=b ").expect("a job");
        let tick = fields.strip_suffix(" tick=2026-12-01T03:00:00Z").unwrap_or(fields);
        let expected = format!("cluster=test state=active status=ignore reason=signal signal={name}");
        assert_eq!(tick, expected);
    }
}

#[test]
fn a_signal_that_is_ignored_or_harmless_does_not_end_the_wait() {
    let (fixture, rcrond) = claiming("");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP USR2; exec \"$0\" \"$@\""]);
    let rcron = fixture.rcron();
    command.arg(rcron.get_program()).args(rcron.get_args());
    let rcron = start_command(command.args(["-j", "b", "echo", "ran"]));
    let (mut client, _) = rcrond.claimed();
    for signal in [1, 12, 17, 18, 23, 28] {
        rcron.signal(signal);
    }
    client.grant("7");
    note_end(&mut client);
    assert_eq!(seen(&rcron.finish()), (Some(0), "ran\n".into(), String::new()));
}

#[test]
fn any_user_can_claim() {
    let (fixture, rcrond) = claiming("");
    crate::support::fixture::set_mode(&fixture.path("claims"), 0o666);
    let mut command = fixture.rcron_as_ordinary_user(&[], &["--job", "b", "echo", "ran"]);
    let rcron = start_command(&mut command);
    let (mut client, _) = rcrond.claimed();
    client.grant("7");
    note_end(&mut client);
    assert_eq!(seen(&rcron.finish()), (Some(0), "ran\n".into(), String::new()));
}

#[test]
fn the_job_does_not_inherit_the_connection() {
    let (fixture, rcrond) = claiming("");
    let mut command = fixture.rcron();
    command.args(["--job", "b", "ls", "/proc/self/fd"]);
    let bare = crate::support::run(Command::new("ls").arg("/proc/self/fd").stdin(Stdio::null()));
    let rcron = start_command(&mut command);
    let (mut client, _) = rcrond.claimed();
    client.grant("7");
    note_end(&mut client);
    assert_eq!(rcron.finish().stdout(), bare.stdout());
}

/// The lines of a dry run about the claim.
fn dry_run_lines(done: &Done) -> Vec<String> {
    let names = ["decision:", "tick:", "rcrond:"];
    let is_ours = |line: &&str| names.iter().any(|name| line.starts_with(name));
    done.stdout().lines().filter(is_ours).map(str::to_owned).collect()
}

#[test]
fn a_dry_run_says_which_tick_it_would_claim() {
    let (fixture, rcrond) = claiming("");
    let rcron = start(&fixture, &["--dry-run", "true"]);
    let mut client = rcrond.accept();
    let Some(Request::Ask(claim)) = client.request() else {
        panic!("no question");
    };
    assert!(ClaimId::new(claim.run.as_str().as_bytes()).is_some());
    client.answer(&Answer::Would {
        tick: Some(TICK),
        text: "grants it".to_owned(),
    });
    let done = rcron.finish();
    assert_eq!((done.code(), done.stderr()), (Some(0), String::new()));
    assert_eq!(
        dry_run_lines(&done),
        [
            "decision:      ask rcrond for the tick; this server is active",
            "tick:          2026-12-01T03:00:00Z",
            "rcrond:        grants it",
        ]
    );
    assert!(fixture.log.texts().is_empty());
}

#[test]
fn a_dry_run_does_not_wait_for_an_rcrond_that_is_absent_or_silent() {
    let (fixture, rcrond) = claiming("");
    let socket = fixture.path("claims");
    let rcron = start(&fixture, &["--dry-run", "true"]);
    let _client = rcrond.accept();
    let expected = format!("rcrond:        no answer on {}: it does not answer", socket.display());
    assert_eq!(dry_run_lines(&rcron.finish())[2], expected);
    std::fs::remove_file(&socket).expect("removed");
    let done = fixture.run(["--job", "b", "--dry-run", "true"]);
    let expected = format!(
        "rcrond:        no answer on {}: No such file or directory",
        socket.display()
    );
    assert_eq!(dry_run_lines(&done)[2], expected);
}

#[test]
fn both_records_of_the_journal_name_the_attempt() {
    let (fixture, rcrond) = claiming("");
    let journal = fixture.path("journal");
    std::fs::create_dir(&journal).expect("made");
    configure(&fixture, &format!("journal = \"{}\"\n", journal.display()));
    let rcron = start(&fixture, &["true"]);
    let (mut client, claim) = rcrond.claimed();
    client.grant("7");
    note_end(&mut client);
    assert_eq!(seen(&rcron.finish()), silent(0));
    let file = journal.join(format!("{}-0.jsonl", nix::unistd::geteuid()));
    let records: Vec<serde_json::Value> = until("both records", || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let records = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        Some(records.collect()).filter(|records: &Vec<_>| records.len() == 2)
    });
    for record in records {
        let named = (&record["run"], &record["tick"], &record["attempt"], &record["epoch"]);
        let run = serde_json::json!(run_of(&claim));
        let (tick, attempt, epoch) = ("2026-12-01T03:00:00Z".into(), 1.into(), 7.into());
        assert_eq!(named, (&run, &tick, &attempt, &epoch));
    }
}

#[test]
fn a_terminal_is_told_why_the_job_is_not_run() {
    let (fixture, rcrond) = claiming("");
    let pty = nix::pty::openpty(None, None).expect("a pseudoterminal");
    let mut command = fixture.rcron();
    command
        .args(["--job", "b", "echo", "ran"])
        .stdout(Stdio::piped())
        .stderr(pty.slave);
    let rcron = Running::start(&mut command);
    drop(command); // closes our copy of the slave
    let (mut client, _) = rcrond.claimed();
    client.wait(3600.0, WaitReason::Claiming, None);
    client.wait(3600.0, WaitReason::Passive, None);
    client.wait(3601.0, WaitReason::Passive, None);
    client.over(OverReason::Elsewhere, Some("server1"));
    assert_eq!(seen(&rcron.finish()), silent(0));
    let mut screen = String::new();
    // The end of a terminal without another process is an error.
    let _ = std::fs::File::from(pty.master).read_to_string(&mut screen);
    assert_eq!(
        screen.replace('\r', ""),
        "rcron: waiting for a grant of rcrond (passive)\n\
         rcron: the job was not run: server1 has started the tick 2026-12-01T03:00:00Z\n  \
         -o once_per_tick=no runs it without a grant\n"
    );
}

#[test]
fn a_waiting_rcron_stays_in_the_directory_of_the_job() {
    let (fixture, rcrond) = claiming("");
    let mut command = fixture.rcron();
    command.args(["--job", "b", "pwd"]).current_dir(fixture.path(""));
    let rcron = start_command(&mut command);
    let (mut client, _) = rcrond.claimed();
    client.wait(3600.0, WaitReason::Passive, None);
    client.grant("7");
    note_end(&mut client);
    let directory = std::fs::canonicalize(fixture.path("")).expect("there");
    assert_eq!(rcron.finish().stdout(), format!("{}\n", directory.display()));
}
