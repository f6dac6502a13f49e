use super::*;
use alloc::string::ToString;
use alloc::{format, vec};
use proptest::prelude::*;

fn run() -> ClaimId {
    ClaimId::new(b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f").expect("a UUID")
}

fn claim() -> Claim {
    Claim {
        run: run(),
        started_wall: WallTime(Duration::from_millis(1_764_550_000_123)),
        started_boot: BootTime(Duration::from_millis(83_125_402)),
        start_within: None,
        rerun: 2,
        skips_overlap: true,
        kill_after: Some(Duration::from_secs(10)),
        tick: None,
        job: "nightly backup".to_string(),
        state_file: b"/run/rcron/state".to_vec(),
    }
}

#[test]
fn the_lines_are_those_of_the_design_page() {
    let id = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    let expected = format!(
        "claim run={id} at=1764550000123 boot=83125402 within=- rerun=2 overlap=skip kill_after=10000 tick=- \
         job=nightly%20backup state=%2Frun%2Frcron%2Fstate"
    );
    assert_eq!(Request::Claim(claim()).line(), expected);
    let grant = Answer::Grant(Grant {
        tick: TickTime(1_764_550_800),
        attempt: 1,
        start_by: BootTime(Duration::from_millis(83_134_402)),
        lease: "42".to_string(),
    });
    assert_eq!(
        grant.line(),
        "grant tick=1764550800 attempt=1 start_by=83134402 lease=42"
    );
    let over = Answer::Over(Over {
        reason: OverReason::NoGrant(WaitReason::NoSession),
        by: None,
        tick: None,
        ended: None,
    });
    assert_eq!(over.line(), "over reason=no-grant why=no-session by=- tick=-");
}

#[test]
fn each_message_is_read_as_it_was_written() {
    for request in [
        Request::Claim(claim()),
        Request::Ask(claim()),
        Request::Held(Held {
            run: run(),
            tick: TickTime(60),
            attempt: 2,
            job: "b".to_string(),
            state_file: vec![0xff, b'/', b' '],
        }),
        Request::NotStarted {
            why: "lease-ended".to_string(),
        },
        Request::Ended(Ended {
            outcome: Outcome::Killed(9),
            is_demoted: true,
            lasted: Duration::from_millis(7),
        }),
    ] {
        assert_eq!(Request::parse(request.line().as_bytes()), Some(request));
    }
    let by = Some("server1".to_string());
    for answer in [
        Answer::Wait(Wait {
            until: BootTime(Duration::from_secs(7)),
            tick: Some(TickTime(60)),
            reason: WaitReason::Elsewhere,
            by: by.clone(),
        }),
        Answer::Over(Over {
            reason: OverReason::Done,
            by,
            tick: Some(TickTime(60)),
            ended: Some(RunResult::Interrupted),
        }),
        Answer::Over(Over {
            reason: OverReason::Superseded,
            by: None,
            tick: None,
            ended: None,
        }),
        Answer::Refused {
            message: "two lines of one name".to_string(),
        },
        Answer::Would {
            tick: None,
            text: String::new(),
        },
        Answer::Noted,
    ] {
        assert_eq!(Answer::parse(answer.line().as_bytes()), Some(answer));
    }
}

#[test]
fn what_is_not_a_message_is_not_read() {
    for line in [
        "",
        "claim",
        "hello",
        "noted more=1",
        "over reason=done why=- by=- tick=60 ended=-",
        "over reason=done why=- by=- tick=60 ended=ok more=1",
        "ended result=exit code=256 demoted=no lasted=1",
        "ended result=exit code=-1 demoted=no lasted=1",
        "not-started why=a why=b",
        "not-started  why=a",
        "not-started why=%2",
        "not-started why=%2f",
        "not-started why=a/b",
    ] {
        assert_eq!(Request::parse(line.as_bytes()), None, "{line}");
        assert!(Answer::parse(line.as_bytes()).is_none(), "{line}");
    }
    let mut long = claim();
    long.job = "x".repeat(LONGEST_JOB_NAME + 1);
    assert_eq!(Request::parse(Request::Claim(long).line().as_bytes()), None);
    let mut many = claim();
    many.rerun = MOST_RERUNS + 1;
    assert_eq!(Request::parse(Request::Claim(many).line().as_bytes()), None);
}

#[test]
fn every_run_id_is_a_claim_id() {
    let run = RunId::new(WallTime(Duration::from_secs(1_764_550_000)), [0xff; 10]);
    assert_eq!(ClaimId::new(run.as_bytes()), Some(ClaimId::from(&run)));
}

proptest! {
    #[test]
    fn every_text_has_one_code(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let text = encode(&bytes);
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'));
        prop_assert_eq!(decode(&text), Some(bytes));
    }

    #[test]
    fn reading_never_panics_and_what_is_read_has_one_line(line in "[a-z ]{0,12}(=|%|[0-9a-f-]| |[a-z]){0,60}") {
        if let Some(request) = Request::parse(line.as_bytes()) {
            prop_assert_eq!(request.line(), line.clone());
        }
        if let Some(answer) = Answer::parse(line.as_bytes()) {
            prop_assert_eq!(answer.line(), line);
        }
    }
}
