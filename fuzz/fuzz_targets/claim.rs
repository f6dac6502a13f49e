//! Any bytes are a message of once per tick, or none; a message has one form. Whatever rcrond says, a waiting rcron never asks to listen
//! into the past, which would be a busy loop, and starts a job only before the end of the grant.
#![no_main]

use core::time::Duration;
use libfuzzer_sys::fuzz_target;
use policy::claim::wait::{Action, ClaimWait, Event};
use policy::claim::{Answer, Claim, ClaimId, Request};
use policy::decide::{Basis, Decision};
use policy::moment::{BootTime, WallTime};

fuzz_target!(|bytes: &[u8]| {
    let mut now = BootTime(Duration::from_secs(1000));
    let mut waiting = ClaimWait::new(claim(now));
    let mut action = waiting.step(Event::Time, now);
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Some(request) = Request::parse(line) {
            assert_eq!(request.line().as_bytes(), line);
        }
        let answer = Answer::parse(line);
        if let Some(answer) = &answer {
            assert_eq!(answer.line().as_bytes(), line);
        }
        let mut event = Some(answer.map_or(Event::Closed, Event::Answer));
        for _ in 0..8 {
            let next = match action {
                Action::Connect => Event::Connected,
                Action::Send(_) => Event::Sent,
                Action::ReadState => {
                    let basis = Basis::State { epoch: Some(7), expires: None };
                    Event::State(Decision::Run(basis), Some("7".into()))
                }
                Action::Start(grant, _) => {
                    assert!(now < grant.start_by);
                    Event::TooLate
                }
                Action::Listen(until) | Action::Rest(until) => {
                    assert!(until > now);
                    match event.take() {
                        Some(event) => event,
                        None => break,
                    }
                }
                Action::GiveUp(not_granted) => {
                    assert!(!not_granted.explanation().is_empty());
                    return;
                }
                Action::Reject(_) => return,
            };
            action = waiting.step(next, now);
        }
        now = now.after(Duration::from_millis(300));
        action = waiting.step(Event::Time, now);
    }
});

fn claim(now: BootTime) -> Claim {
    Claim {
        run: ClaimId::new(b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f").expect("a UUID"),
        started_wall: WallTime(Duration::ZERO),
        started_boot: now,
        start_within: None,
        rerun: 1,
        skips_overlap: false,
        kill_after: None,
        tick: None,
        job: "b".to_owned(),
        state_file: b"/state".to_vec(),
    }
}
