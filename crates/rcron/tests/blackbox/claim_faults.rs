//! `once_per_tick`: rcrond dies, freezes or answers nonsense at any moment. The job is not affected.

use crate::claim::{claiming, note_end, seen, silent, start, start_command};
use crate::support::process::Running;
use crate::support::process::is_gone;
use crate::support::rcrond::{Client, FakeRcrond, SEVERAL_RETRIES, TICK, grant};
use crate::support::tracer::HeldChild;
use crate::support::{Done, Fixture, lease, until};
use policy::claim::{Answer, Held, OverReason, WaitReason};
use policy::exit::Outcome;
use std::time::Instant;

/// A job that runs until the test creates the file `go`.
const JOB: [&str; 3] = ["sh", "-c", "echo begun; until test -e $0; do sleep 0.01; done; exit 3"];

fn ran() -> (Option<i32>, String, String) {
    (Some(0), "ran\n".to_owned(), String::new())
}

#[test]
fn an_rcrond_that_starts_later_gets_the_claim() {
    let (fixture, rcrond) = claiming("");
    let path = fixture.path("claims");
    drop(rcrond); // the file stays behind, and refuses connections
    let rcron = start(&fixture, &["echo", "ran"]);
    let rcrond = FakeRcrond::start(&path);
    let (mut client, _) = rcrond.claimed();
    client.grant("7");
    note_end(&mut client);
    assert_eq!(seen(&rcron.finish()), ran());
}

#[test]
fn without_rcrond_the_wait_ends_in_time() {
    let (fixture, rcrond) = claiming("start_within = 1s\n");
    drop(rcrond);
    for socket_exists in [true, false] {
        if !socket_exists {
            std::fs::remove_file(fixture.path("claims")).expect("removed");
        }
        assert_eq!(seen(&start(&fixture, &["echo", "ran"]).finish()), silent(0));
        let messages = fixture.log.messages();
        let last = messages.last().expect("a line");
        let expected = "cluster=test state=active status=ignore reason=no-grant why=no-rcrond job=b run=";
        assert!(last.text.starts_with(expected), "{last:?}");
        assert_eq!(last.priority & 7, 3);
    }
}

#[test]
fn an_rcrond_that_accepts_and_says_nothing_does_not_hang_rcron() {
    let (fixture, rcrond) = claiming("start_within = 1s\n");
    let rcron = start(&fixture, &["echo", "ran"]);
    let _client = rcrond.accept();
    assert_eq!(seen(&rcron.finish()), silent(0));
    fixture
        .log
        .wait_for("status=ignore reason=no-grant why=no-answer job=b ");
}

#[test]
fn an_rcrond_whose_queue_is_full_does_not_hang_rcron() {
    let (fixture, rcrond) = claiming("start_within = 1s\n");
    let fill = || sys::stream::Stream::connect(fixture.path("claims").as_os_str().as_encoded_bytes());
    let queue: Vec<_> = std::iter::from_fn(|| fill().ok()).collect();
    assert_eq!(seen(&start(&fixture, &["echo", "ran"]).finish()), silent(0));
    fixture
        .log
        .wait_for("status=ignore reason=no-grant why=no-answer job=b ");
    drop(queue);
    drop(rcrond);
}

#[test]
fn the_next_rcrond_gets_the_same_claim_again() {
    let (fixture, rcrond) = claiming("");
    let rcron = start(&fixture, &["echo", "ran"]);
    let first = rcrond.accept(); // it dies before it has read the claim
    drop(first);
    let rcrond = rcrond.restart();
    let (client, claim) = rcrond.claimed(); // it dies after it has read it
    drop(client);
    let rcrond = rcrond.restart();
    let (mut client, same) = rcrond.claimed(); // and after an answer
    client.wait(3600.0, WaitReason::Claiming, None);
    drop(client);
    let rcrond = rcrond.restart();
    let (mut client, again) = rcrond.claimed();
    assert_eq!((&same, &again), (&claim, &claim));
    client.grant("7");
    note_end(&mut client);
    assert_eq!(seen(&rcron.finish()), ran());
}

#[test]
fn nonsense_ends_the_connection_and_not_the_wait() {
    let (fixture, rcrond) = claiming("");
    let rcron = start(&fixture, &["echo", "ran"]);
    let long = vec![b'x'; 1 << 20];
    let endless = vec![b'x'; 20 << 10];
    let mut first = None;
    for nonsense in [&b"\n"[..], b"grant\n", b"\xff\0\n", b"wait until=x\n", &endless, &long] {
        let (mut client, claim) = rcrond.claimed();
        client.send(nonsense);
        assert_eq!(first.get_or_insert_with(|| claim.clone()), &claim);
        assert_eq!(client.request(), None);
    }
    let (mut client, _) = rcrond.claimed();
    client.send(b"gra");
    let rest = format!("{}\n", grant("7", 3600.0).line());
    client.send(&rest.as_bytes()[3..]);
    note_end(&mut client);
    assert_eq!(seen(&rcron.finish()), ran());
}

#[test]
fn a_grant_that_does_not_fit_is_given_back_and_the_wait_goes_on() {
    let (fixture, rcrond) = claiming("");
    let rcron = start(&fixture, &["echo", "ran"]);
    let (mut client, _) = rcrond.claimed();
    let refuse = |client: &mut Client, answer: &Answer, why: &str| {
        client.answer(answer);
        assert_eq!(client.not_started(), why);
        client.answer(&Answer::Noted);
        client.wait(3600.0, WaitReason::Passive, None);
    };
    refuse(&mut client, &grant("7", 0.0), "too-late");
    refuse(&mut client, &grant("6", 3600.0), "other-lease");
    fixture.set_state("passive\n");
    refuse(&mut client, &grant("7", 3600.0), "passive");
    fixture.set_state(&lease::active(7).replace("active", "active draining"));
    refuse(&mut client, &grant("7", 3600.0), "draining");
    fixture.set_state(&format!(
        "active {} boot={} epoch=7\n",
        lease::until(-1.0),
        lease::boot_id()
    ));
    refuse(&mut client, &grant("7", 3600.0), "stale");
    fixture.set_state(&lease::active(7));
    client.grant("7");
    note_end(&mut client);
    assert_eq!(seen(&rcron.finish()), ran());
    let texts = fixture.log.texts();
    assert_eq!(texts.len(), 2, "{texts:?}");
}

/// Holds the job's process between clone(2) and execve(2) until a grant of so many seconds has ended, and then lets rcron go on.
/// `None` if rcron does not come that far in time.
fn held_past_grant(fixture: &Fixture, rcrond: &FakeRcrond, seconds: f64) -> Option<Done> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut client, _) = rcrond.claimed();
            sender.send(lease::now() + seconds).expect("received");
            client.answer(&grant("7", seconds));
            assert_eq!(client.not_started(), "too-late");
            client.over(OverReason::Done, None);
        });
        let held = HeldChild::of(fixture.rcron().args(["--job", "b", "echo", "ran"]))?;
        let ends = receiver.recv().expect("sent");
        until("the grant to end", || (lease::now() > ends).then_some(()));
        Some(held.release().finish())
    })
}

#[test]
fn a_job_whose_process_stands_still_past_its_grant_is_not_run() {
    let (fixture, rcrond) = claiming("");
    // On a busy machine rcron may need longer than a short grant to come this far.
    let mut tries = [0.5, 5.0, 50.0].into_iter();
    let held = tries.find_map(|seconds| held_past_grant(&fixture, &rcrond, seconds));
    let done = held.expect("rcron is never in time");
    assert_eq!((done.code(), done.stdout()), (Some(0), String::new()));
    let texts = fixture.log.texts();
    let [.., start, given_back, over] = texts.as_slice() else {
        panic!("{texts:?}");
    };
    let (_, name) = start.split_once(" status=start ").expect("a start");
    let expected = format!("cluster=test state=active status=ignore reason=given-back {name}");
    assert_eq!(given_back, &expected);
    assert!(over.contains(" status=ignore reason=done tick="), "{over}");
}

/// A job that runs, and its rcrond's connection.
fn running(fixture: &Fixture, rcrond: &FakeRcrond) -> (Running, Client, Held) {
    let go = fixture.path("go");
    let mut job = JOB.to_vec();
    job.push(go.to_str().expect("text"));
    let mut rcron = start(fixture, &job);
    let (mut client, claim) = rcrond.claimed();
    client.grant("7");
    assert_eq!(rcron.lines().next().as_deref(), Some("begun"));
    let held = Held {
        run: claim.run,
        tick: TICK,
        attempt: 1,
        job: claim.job,
        state_file: claim.state_file,
    };
    (rcron, client, held)
}

#[test]
fn the_next_rcrond_learns_of_a_running_job_and_of_its_end() {
    let (fixture, rcrond) = claiming("");
    let (rcron, client, held) = running(&fixture, &rcrond);
    drop(client);
    let rcrond = rcrond.restart();
    let (client, said) = rcrond.held();
    assert_eq!(said, held);
    drop(client);
    let rcrond = rcrond.restart();
    let (mut client, said) = rcrond.held();
    assert_eq!(said, held);
    fixture.write("go", "");
    assert_eq!(note_end(&mut client).outcome, Outcome::Exited(3));
    assert_eq!(rcron.finish().code(), Some(3));
}

#[test]
fn a_job_outlives_an_rcrond_that_is_gone_silent_or_mad() {
    let (fixture, rcrond) = claiming("");
    let path = fixture.path("claims");
    let mut rcrond = Some(rcrond);
    for fault in ["gone", "gone before noted", "silent", "mad", "flooding"] {
        let _ = std::fs::remove_file(fixture.path("go"));
        let listener = rcrond.take().unwrap_or_else(|| FakeRcrond::start(&path));
        let (rcron, mut client, _) = running(&fixture, &listener);
        match fault {
            "gone" => drop((client, listener)),
            "gone before noted" => {
                fixture.write("go", "");
                client.ended();
                drop((client, listener));
            }
            "silent" => {
                fixture.write("go", "");
                assert_eq!(rcron.finish().code(), Some(3), "{fault}");
                continue;
            }
            "mad" => {
                client.send(b"\xff\n");
                assert_eq!(client.request(), None);
                drop(listener);
            }
            _ => {
                for _ in 0..1000 {
                    client.answer(&Answer::Noted);
                }
                assert_eq!(client.request(), None);
                drop(listener);
            }
        }
        fixture.write("go", "");
        assert_eq!(rcron.finish().code(), Some(3), "{fault}");
    }
}

#[test]
fn the_end_reaches_an_rcrond_that_came_back_a_moment_ago() {
    let (fixture, rcrond) = claiming("");
    let (rcron, client, held) = running(&fixture, &rcrond);
    drop(client);
    let rcrond = rcrond.restart();
    fixture.write("go", "");
    let (mut client, said) = rcrond.held();
    assert_eq!((said, note_end(&mut client).outcome), (held, Outcome::Exited(3)));
    assert_eq!(rcron.finish().code(), Some(3));
}

#[test]
fn with_rerun_another_lease_ends_the_job() {
    let (fixture, rcrond) = claiming("rerun = 1\non_demotion = terminate\n");
    let (rcron, mut client, _) = running(&fixture, &rcrond);
    let job = rcron.job("sh");
    fixture.set_state(&lease::active(8));
    let ended = note_end(&mut client);
    assert_eq!((ended.outcome, ended.is_demoted), (Outcome::Killed(15), true));
    rcron.finish();
    assert!(is_gone(job));
    fixture.log.wait_for(" signal=SIGTERM reason=demoted job=b run=");
}

#[test]
fn without_rerun_another_lease_does_not_end_the_job() {
    let (fixture, rcrond) = claiming("on_demotion = terminate\n");
    let (rcron, mut client, _) = running(&fixture, &rcrond);
    fixture.set_state(&lease::active(8));
    let begun = Instant::now();
    until("the guard's readings", || {
        (begun.elapsed() > SEVERAL_RETRIES).then_some(())
    });
    fixture.write("go", "");
    let ended = note_end(&mut client);
    assert_eq!((ended.outcome, ended.is_demoted), (Outcome::Exited(3), false));
    assert_eq!(rcron.finish().code(), Some(3));
}

#[test]
fn a_relative_socket_is_found_again_while_the_job_runs() {
    let (fixture, rcrond) = claiming("");
    let mut command = fixture.rcron();
    command
        .current_dir(fixture.path(""))
        .args(["-o", "claim_socket=claims", "--job", "b"]);
    let rcron = start_command(command.args(["sh", "-c", "until test -e go; do sleep 0.01; done; exit 3"]));
    let (mut client, claim) = rcrond.claimed();
    client.grant("7");
    rcron.job("sh");
    drop(client);
    let rcrond = rcrond.restart();
    let (mut client, held) = rcrond.held();
    assert_eq!(held.run, claim.run);
    fixture.write("go", "");
    assert_eq!(note_end(&mut client).outcome, Outcome::Exited(3));
    assert_eq!(rcron.finish().code(), Some(3));
}
