use super::*;
use crate::claim::{ClaimId, Over};
use crate::decide::Stale;
use crate::moment::WallTime;
use alloc::string::ToString;
use alloc::vec::Vec;
use proptest::prelude::*;

const TICK: TickTime = TickTime(60);

/// Milliseconds after the claim.
fn at(milliseconds: u64) -> BootTime {
    BootTime(Duration::from_millis(1_000_000 + milliseconds))
}

fn claim(rerun: u32) -> Claim {
    Claim {
        run: ClaimId::new(b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f").expect("a UUID"),
        started_wall: WallTime(Duration::ZERO),
        started_boot: at(0),
        start_within: None,
        rerun,
        skips_overlap: false,
        kill_after: None,
        tick: None,
        job: "b".to_string(),
        state_file: b"/state".to_vec(),
    }
}

fn send_claim(rerun: u32) -> Action {
    Action::Send(Request::Claim(claim(rerun)))
}

/// A wait whose claim has been sent at 0.
fn sent(rerun: u32) -> ClaimWait {
    let mut wait = ClaimWait::new(claim(rerun));
    assert_eq!(wait.step(Event::Time, at(0)), Action::Connect);
    assert_eq!(wait.step(Event::Connected, at(0)), send_claim(rerun));
    assert_eq!(wait.step(Event::Sent, at(0)), Action::Listen(at(30_000)));
    wait
}

fn wait(until: u64, reason: WaitReason, by: Option<&str>) -> Event {
    Event::Answer(Answer::Wait(Wait {
        until: at(until),
        tick: Some(TICK),
        reason,
        by: by.map(ToString::to_string),
    }))
}

fn grant() -> Grant {
    Grant {
        tick: TICK,
        attempt: 1,
        start_by: at(5_000),
        lease: "7".to_string(),
    }
}

fn granted() -> Event {
    Event::Answer(Answer::Grant(grant()))
}

const BASIS: Basis = Basis::State {
    epoch: Some(7),
    expires: None,
};

fn state(identity: Option<&str>) -> Event {
    Event::State(Decision::Run(BASIS), identity.map(ToString::to_string))
}

fn not_started(why: &str) -> Action {
    Action::Send(Request::NotStarted { why: why.to_string() })
}

fn give_up(reason: Reason, by: Option<&str>, tick: Option<TickTime>) -> Action {
    Action::GiveUp(NotGranted {
        reason,
        by: by.map(ToString::to_string),
        tick,
        ended: None,
    })
}

/// Passes each event, and compares what to do next.
fn follow(wait: &mut ClaimWait, steps: impl IntoIterator<Item = (Event, u64, Action)>) {
    for (event, now, expected) in steps {
        let told = alloc::format!("{event:?} at {now}");
        assert_eq!(wait.step(event, at(now)), expected, "{told}");
    }
}

#[test]
fn without_rcrond_it_connects_every_250_ms_until_start_within_is_over() {
    let mut wait = ClaimWait::new(Claim {
        start_within: Some(Duration::from_secs(1)),
        ..claim(0)
    });
    let absent = || Event::NotConnected(NotConnected::Absent);
    let full = || Event::NotConnected(NotConnected::Full);
    follow(
        &mut wait,
        [
            (Event::Time, 0, Action::Connect),
            (absent(), 1, Action::Listen(at(251))),
            (Event::Time, 100, Action::Listen(at(251))),
            (Event::Time, 251, Action::Connect),
            (full(), 251, Action::Listen(at(271))),
            (Event::Time, 271, Action::Connect),
            (full(), 271, Action::Listen(at(311))),
            (full(), 311, Action::Listen(at(391))),
            (full(), 391, Action::Listen(at(551))),
            (full(), 551, Action::Listen(at(801))),
            (absent(), 801, Action::Listen(at(1_000))),
            (Event::Time, 1_000, give_up(Reason::NoGrant(Why::NoRcrond), None, None)),
        ],
    );
}

#[test]
fn the_tick_of_the_command_line_is_named_if_rcrond_names_none() {
    let mut wait = ClaimWait::new(Claim {
        tick: Some(TICK),
        ..claim(0)
    });
    let expected = give_up(Reason::NoGrant(Why::NoRcrond), None, Some(TICK));
    assert_eq!(wait.step(Event::Time, at(30_000)), expected);
}

#[test]
fn an_rcrond_that_does_not_answer_is_given_up_at_the_deadline() {
    let no_answer = || give_up(Reason::NoGrant(Why::NoAnswer), None, None);
    follow(&mut sent(0), [(Event::Time, 30_000, no_answer())]);
    follow(
        &mut sent(0),
        [
            (Event::Closed, 10, Action::Listen(at(260))),
            (Event::Time, 260, Action::Connect),
            (Event::Connected, 260, send_claim(0)),
            (Event::Closed, 29_900, Action::Listen(at(30_000))),
            (Event::Time, 30_000, no_answer()),
        ],
    );
}

#[test]
fn rcrond_sets_the_deadline_and_has_a_second_for_its_last_word() {
    for (reason, by, conclusion) in [
        (WaitReason::Elsewhere, Some("n1"), Reason::Elsewhere),
        (WaitReason::ClockAhead, None, Reason::ClockAhead),
        (WaitReason::Store, None, Reason::NoGrant(Why::Told(WaitReason::Store))),
    ] {
        follow(
            &mut sent(0),
            [
                (wait(90_000, reason, by), 5, Action::Listen(at(91_000))),
                (wait(40_000, reason, by), 10, Action::Listen(at(41_000))),
                (Event::Time, 40_999, Action::Listen(at(41_000))),
                (Event::Time, 41_000, give_up(conclusion, by, Some(TICK))),
            ],
        );
    }
    let a_day = 25 * 60 * 60 * 1000;
    let far = wait(u64::MAX / 2, WaitReason::Passive, None);
    follow(&mut sent(0), [(far, 5, Action::Listen(at(5 + a_day + 1_000)))]);
}

#[test]
fn an_rcrond_that_has_gone_has_no_last_word() {
    for (reason, found, conclusion) in [
        (WaitReason::Passive, false, Reason::NoGrant(Why::NoRcrond)),
        (WaitReason::Passive, true, Reason::NoGrant(Why::NoAnswer)),
        (WaitReason::Elsewhere, false, Reason::Elsewhere),
    ] {
        let why = if found {
            NotConnected::Full
        } else {
            NotConnected::Absent
        };
        let mut claiming = sent(0);
        follow(
            &mut claiming,
            [
                (wait(40_000, reason, None), 5, Action::Listen(at(41_000))),
                (Event::Closed, 39_000, Action::Listen(at(39_250))),
                (Event::Time, 39_250, Action::Connect),
            ],
        );
        claiming.step(Event::NotConnected(why), at(39_990));
        let given_up = give_up(conclusion, None, Some(TICK));
        follow(&mut claiming, [(Event::Time, 40_000, given_up)]);
    }
}

#[test]
fn while_rcrond_moves_the_deadline_the_wait_goes_on() {
    let elsewhere = |until| wait(until, WaitReason::Elsewhere, Some("n1"));
    follow(
        &mut sent(2),
        [
            (elsewhere(40_000), 5, Action::Listen(at(41_000))),
            (elsewhere(100_000), 30_000, Action::Listen(at(101_000))),
            (Event::Closed, 50_000, Action::Listen(at(50_250))),
            (Event::Time, 50_250, Action::Connect),
            (Event::Connected, 50_260, send_claim(2)),
            (Event::Sent, 50_260, Action::Listen(at(100_000))),
            (granted(), 70_000, Action::ReadState),
        ],
    );
}

#[test]
fn a_grant_is_used_only_if_the_state_file_has_its_lease_before_start_by() {
    use Decision::Skip as No;
    for (answer, now, expected) in [
        (state(Some("7")), 4_999, Action::Start(Box::new(grant()), BASIS)),
        (state(Some("7")), 5_000, not_started("too-late")),
        (state(Some("8")), 10, not_started("other-lease")),
        (state(None), 10, not_started("other-lease")),
        (
            Event::State(No(Skip::Passive), Some("7".into())),
            10,
            not_started("passive"),
        ),
        (
            Event::State(No(Skip::Stale(Stale::LeaseEnded)), Some("7".into())),
            10,
            not_started("stale"),
        ),
        (
            Event::State(No(Skip::Draining), Some("7".into())),
            10,
            not_started("draining"),
        ),
        (Event::State(No(Skip::NoLease), None), 10, not_started("no-lease")),
        (
            Event::State(No(Skip::PassiveByDefault), None),
            10,
            not_started("default"),
        ),
    ] {
        let mut claiming = sent(0);
        follow(
            &mut claiming,
            [(granted(), 5, Action::ReadState), (answer, now, expected)],
        );
    }
}

#[test]
fn a_grant_that_came_before_the_connection_broke_is_used() {
    let mut claiming = sent(0);
    let start = Action::Start(Box::new(grant()), BASIS);
    follow(
        &mut claiming,
        [
            (granted(), 5, Action::ReadState),
            (state(Some("7")), 6, start),
            (Event::TooLate, 7, not_started("too-late")),
            (Event::Closed, 8, Action::Listen(at(258))),
            (Event::Time, 258, Action::Connect),
        ],
    );
}

#[test]
fn after_a_grant_was_given_back_the_next_one_comes_after_a_rest() {
    let mut claiming = sent(0);
    follow(
        &mut claiming,
        [
            (granted(), 5, Action::ReadState),
            (state(Some("6")), 5, not_started("other-lease")),
            (Event::Sent, 5, Action::Rest(at(255))),
            (Event::Time, 254, Action::Rest(at(255))),
            (Event::Time, 255, Action::Listen(at(31_000))),
            (Event::Answer(Answer::Noted), 255, Action::Listen(at(31_000))),
            (wait(20_000, WaitReason::Passive, None), 256, Action::Listen(at(21_000))),
            (granted(), 260, Action::ReadState),
            (state(Some("7")), 261, Action::Start(Box::new(grant()), BASIS)),
        ],
    );
}

#[test]
fn an_answer_that_is_final_ends_the_wait() {
    for (over, reason) in [
        (OverReason::Elsewhere, Reason::Elsewhere),
        (OverReason::Done, Reason::Done),
        (OverReason::Overlap, Reason::Overlap),
        (OverReason::Superseded, Reason::Superseded),
        (OverReason::TooLate, Reason::TooLate),
        (OverReason::NoGrant(WaitReason::ClockAhead), Reason::ClockAhead),
        (OverReason::NoGrant(WaitReason::Elsewhere), Reason::Elsewhere),
        (
            OverReason::NoGrant(WaitReason::Store),
            Reason::NoGrant(Why::Told(WaitReason::Store)),
        ),
    ] {
        let answer = Event::Answer(Answer::Over(Over {
            reason: over,
            by: Some("n1".to_string()),
            tick: None,
            ended: None,
        }));
        let mut claiming = sent(0);
        claiming.step(wait(40_000, WaitReason::Claiming, None), at(1));
        follow(&mut claiming, [(answer, 2, give_up(reason, Some("n1"), Some(TICK)))]);
    }
    let refused = Event::Answer(Answer::Refused {
        message: "no".to_string(),
    });
    follow(&mut sent(0), [(refused, 2, Action::Reject("no".to_string()))]);
}

#[test]
fn the_server_that_has_the_tick_is_named_if_rcrond_has_named_it_before() {
    let mut claiming = sent(0);
    claiming.step(wait(40_000, WaitReason::Elsewhere, Some("n1")), at(1));
    let over = |reason| {
        Event::Answer(Answer::Over(Over {
            reason,
            by: None,
            tick: None,
            ended: None,
        }))
    };
    for (answer, reason, by) in [
        (
            OverReason::NoGrant(WaitReason::Elsewhere),
            Reason::Elsewhere,
            Some("n1"),
        ),
        (OverReason::Superseded, Reason::Superseded, None),
    ] {
        let expected = give_up(reason, by, Some(TICK));
        follow(&mut claiming.clone(), [(over(answer), 2, expected)]);
    }
}

#[test]
fn a_signal_names_the_tick_and_nobody_else() {
    let mut claiming = sent(0);
    claiming.step(wait(40_000, WaitReason::Elsewhere, Some("n1")), at(1));
    let expected = NotGranted {
        reason: Reason::Signal(15),
        by: None,
        tick: Some(TICK),
        ended: None,
    };
    assert_eq!(claiming.ended_by_signal(15), expected);
}

#[test]
fn how_the_run_has_ended_is_said_if_rcrond_knows_it() {
    for (over, reason) in [
        (OverReason::Elsewhere, Reason::Elsewhere),
        (OverReason::Done, Reason::Done),
    ] {
        let ended = Some(RunResult::Failed);
        let answer = Answer::Over(Over {
            reason: over,
            by: Some("n1".to_string()),
            tick: Some(TICK),
            ended,
        });
        let mut claiming = sent(0);
        let Action::GiveUp(not_granted) = claiming.step(Event::Answer(answer), at(1)) else {
            panic!("the wait goes on")
        };
        assert_eq!((not_granted.reason, not_granted.ended), (reason, ended));
        let sentence = not_granted.explanation();
        assert!(
            sentence.starts_with("n1 has run the tick ") && sentence.ends_with(": failed"),
            "{sentence}"
        );
    }
}

#[test]
fn every_reason_has_a_sentence() {
    let whys = [Why::Told(WaitReason::Store), Why::NoRcrond, Why::NoAnswer];
    let plain = [
        Reason::Elsewhere,
        Reason::Done,
        Reason::Overlap,
        Reason::Superseded,
        Reason::TooLate,
        Reason::ClockAhead,
        Reason::Signal(15),
    ];
    let mut sentences = Vec::new();
    for reason in plain.into_iter().chain(whys.map(Reason::NoGrant)) {
        let not_granted = NotGranted {
            reason,
            by: None,
            tick: Some(TICK),
            ended: None,
        };
        let sentence = not_granted.explanation();
        assert!(!sentence.contains("  "), "{sentence}");
        assert!(!sentences.contains(&sentence), "{sentence}");
        sentences.push(sentence);
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let reasons = prop::sample::select(&[WaitReason::Passive, WaitReason::Elsewhere][..]);
    prop_oneof![
        Just(Event::Time),
        Just(Event::Connected),
        Just(Event::NotConnected(NotConnected::Absent)),
        Just(Event::Sent),
        Just(Event::Closed),
        (0u64..200_000, reasons).prop_map(|(until, reason)| wait(until, reason, None)),
        Just(granted()),
        Just(state(Some("7"))),
        Just(state(None)),
        Just(Event::TooLate),
    ]
}

proptest! {
    /// Whatever happens: it never listens into the past, which would be a busy loop, and starts only with a grant that holds.
    #[test]
    fn it_always_makes_progress(events in prop::collection::vec((any_event(), 0u64..3_000), 0..60), rerun in 0u32..2) {
        let (mut claiming, mut now) = (ClaimWait::new(claim(rerun)), 0);
        for (event, later) in events {
            now += later;
            match claiming.step(event, at(now)) {
                Action::Listen(until) | Action::Rest(until) => prop_assert!(until > at(now)),
                Action::Start(grant, _) => prop_assert!(at(now) < grant.start_by),
                _ => {}
            }
        }
    }

    /// A frozen rcrond: however it came to this, with nothing but time passing the wait ends.
    #[test]
    fn it_ends_if_nothing_comes(events in prop::collection::vec((any_event(), 0u64..3_000), 0..30), rerun in 0u32..2) {
        let (mut claiming, mut now) = (ClaimWait::new(claim(rerun)), at(0));
        for (event, later) in events {
            now = now.after(Duration::from_millis(later));
            claiming.step(event, now);
        }
        let mut action = claiming.step(Event::Time, now);
        for _ in 0..1_000 {
            let event = match action {
                Action::Listen(until) | Action::Rest(until) => {
                    now = until;
                    Event::Time
                }
                Action::Connect => Event::Connected,
                Action::Send(_) => Event::Sent,
                Action::ReadState => state(None),
                Action::Start(..) | Action::GiveUp(_) | Action::Reject(_) => return Ok(()),
            };
            action = claiming.step(event, now);
        }
        prop_assert!(false, "{:?}", claiming);
    }
}
