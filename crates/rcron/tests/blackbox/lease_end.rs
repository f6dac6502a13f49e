//! A lease that ends between the decision and the start of the job.

use crate::support::log::field;
use crate::support::process::Running;
use crate::support::tracer::HeldChild;
use crate::support::{Fixture, lease, until};
use std::process::Stdio;

const JOB: [&str; 3] = ["sh", "-c", "echo $RCRON_EPOCH"];

fn set_lease(fixture: &Fixture, seconds: f64, epoch: u32) {
    let (until, boot) = (lease::until(seconds), lease::boot_id());
    fixture.set_state(&format!("active {until} boot={boot} epoch={epoch}\n"));
}

/// Holds the job's process between clone(2) and execve(2) until the lease of epoch 1 has ended.
fn held_past_lease(fixture: &Fixture) -> HeldChild {
    // On a busy machine rcron may need longer than a short lease to come this far.
    for seconds in [0.5, 5.0, 50.0] {
        set_lease(fixture, seconds, 1);
        let mut rcron = fixture.rcron();
        if let Some(held) = HeldChild::of(rcron.args(JOB)) {
            fixture.log.wait_for(" status=start ");
            until("the lease to end", || {
                lease::has_ended(&fixture.path("state")).then_some(())
            });
            return held;
        }
    }
    panic!("rcron is never in time");
}

#[test]
fn a_job_whose_process_stands_still_past_it_is_not_run() {
    let fixture = Fixture::new(None);
    let done = held_past_lease(&fixture).release().finish();
    let seen = (done.code(), done.stdout(), done.stderr());
    assert_eq!(seen, (Some(0), String::new(), String::new()));
    let texts = fixture.log.texts();
    let [.., start, skip] = texts.as_slice() else {
        panic!("{texts:?}");
    };
    let run = field(start, "run").expect("a run");
    assert_eq!(
        skip,
        &format!(
            "cluster=test state=passive status=ignore reason=stale why=lease-ended run={run} cmd={}",
            JOB.join(" ")
        )
    );
}

#[test]
fn a_job_is_run_with_the_new_epoch_if_the_lease_was_renewed_meanwhile() {
    let fixture = Fixture::new(None);
    let held = held_past_lease(&fixture);
    set_lease(&fixture, 500.0, 2);
    let done = held.release().finish();
    let seen = (done.code(), done.stdout(), done.stderr());
    assert_eq!(seen, (Some(0), "2\n".to_owned(), String::new()));
    fixture.log.wait_for(" status=ok ");
}

#[test]
fn a_job_is_not_run_if_a_stuck_stderr_delays_the_start_past_it() {
    let fixture = Fixture::new(None);
    // A warning to a full stderr takes 200 ms, which is longer than the lease.
    fixture.configure("nice_level = 99\n");
    let (reader, writer) = nix::unistd::pipe().expect("a pipe");
    nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK)).expect("set");
    while nix::unistd::write(&writer, &[b'x'; 4096]).is_ok() {}
    fixture.set_state(&format!("active {} boot={}\n", lease::until(0.1), lease::boot_id()));
    let mut command = fixture.rcron();
    command.args(["echo", "ran"]).stdout(Stdio::piped()).stderr(writer);
    let done = Running::start(&mut command).finish();
    drop(reader);
    assert_eq!((done.code(), done.stdout()), (Some(0), String::new()));
    fixture
        .log
        .wait_for("state=passive status=ignore reason=stale why=lease-ended cmd=echo ran");
}
