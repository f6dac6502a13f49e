use super::*;
use alloc::string::ToString;
use alloc::vec;
use proptest::prelude::*;

fn run() -> ClaimId {
    ClaimId::new(b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f").expect("a UUID")
}

fn node(name: &str) -> NodeName {
    NodeName::new(name).expect("a name")
}

fn entry(state: EntryState) -> Entry {
    Entry {
        tick: TickTime(1_764_550_800),
        attempt: 1,
        state,
        node: node("web1"),
        session: SessionId([7; 16]),
        lease: LeaseDuration::SHORTEST,
        grace: Duration::from_secs(2),
        run: run(),
        reruns: 3,
        claimed: WallTime(Duration::from_millis(1_764_550_800_123)),
    }
}

fn job() -> JobRecord {
    JobRecord {
        closed: TickTime(1_764_550_800),
        written: 17,
        last: Some(LastTick {
            tick: TickTime(1_764_547_200),
            node: Some(node("web2")),
            outcome: Outcome::Exited(3),
        }),
        entries: vec![entry(EntryState::CutOff), entry(EntryState::Running)],
    }
}

#[test]
fn a_jobs_record_is_text_that_a_person_can_read() {
    let expected = "job1 closed=1764550800 written=17 last=1764547200 by=web2 result=exit code=3\n\
        entry tick=1764550800 attempt=1 state=cut-off node=web1 session=07070707070707070707070707070707 lease=1000 grace=2000 \
        run=017f22e2-79b0-7cc3-98c4-dc0c0c07398f reruns=3 claimed=1764550800123\n\
        entry tick=1764550800 attempt=1 state=running node=web1 session=07070707070707070707070707070707 lease=1000 grace=2000 \
        run=017f22e2-79b0-7cc3-98c4-dc0c0c07398f reruns=3 claimed=1764550800123";
    assert_eq!(job().to_text(), expected);
    assert_eq!(job().next_slot(), 1);
    assert_eq!(job().entry(run()), Some(&entry(EntryState::CutOff)));
}

#[test]
fn each_record_is_read_as_it_was_written() {
    assert_eq!(JobRecord::parse(job().to_text().as_bytes()), Ok(job()));
    let new = JobRecord {
        last: None,
        entries: Vec::new(),
        ..job()
    };
    assert_eq!(JobRecord::parse(new.to_text().as_bytes()), Ok(new));
    for incarnation in [None, Some(Incarnation([].into())), Some(Incarnation([0, 0xab].into()))] {
        let floor = FloorRecord {
            incarnation,
            floor: TickTime(60),
        };
        assert_eq!(FloorRecord::parse(floor.to_text().as_bytes()), Ok(floor));
    }
    for outcome in [
        Outcome::Exited(255),
        Outcome::Killed(9),
        Outcome::Interrupted,
        Outcome::Lost,
        Outcome::Skipped,
        Outcome::Missed(MissReason::NotAsked),
    ] {
        let ended = EndedTick {
            gap: Gap {
                first: TickTime(60),
                last: TickTime(120),
                count: 2,
            },
            attempt: 1,
            node: node("web1"),
            run: Some(run()),
            at: WallTime(Duration::from_secs(60)),
            lasted: None,
            outcome,
        };
        assert_eq!(EndedTick::parse(ended.to_text().as_bytes()), Ok(ended));
    }
}

#[test]
fn fields_of_a_later_version_are_ignored_at_the_end_of_a_line() {
    let text = job().to_text().replace('\n', " more=1\n") + " more=1";
    assert_eq!(JobRecord::parse(text.as_bytes()), Ok(job()));
}

#[test]
fn what_is_not_a_record_is_not_read() {
    let good = job().to_text();
    for bad in [
        String::new(),
        good.replace("job1", "job2"),
        good.replace("closed", "open"),
        good.replace("attempt=1", "attempt=0"),
        good.replace("running", "walking"),
        good.clone() + "\n",
        good.clone() + &good[good.find('\n').expect("entries")..].repeat(8),
    ] {
        assert_eq!(JobRecord::parse(bad.as_bytes()), Err(Unreadable), "{bad}");
    }
    assert_eq!(JobRecord::parse(b"\xff"), Err(Unreadable));
    assert_eq!(FloorRecord::parse(b"floor1 floor=1 incarnation=xa"), Err(Unreadable));
    assert_eq!(JobList::parse(b"jobs1\nb x\na x"), Err(Unreadable));
}

#[test]
fn a_list_of_jobs_has_each_job_once_and_a_user_cannot_fill_it() {
    let list = JobList::default()
        .with("root", "b")
        .and_then(|list| list.with("root", "a b"));
    let list = list.and_then(|list| list.with("root", "b")).expect("fits");
    assert_eq!(list.to_text(), "jobs1\nroot a%20b\nroot b");
    assert_eq!(JobList::parse(list.to_text().as_bytes()), Ok(list.clone()));
    assert!(list.contains("root", "a b") && !list.contains("root", "a"));
    let mut full = list;
    let mut count = 0;
    while let Some(more) = full.with("mallory", &count.to_string()) {
        full = more;
        count += 1;
    }
    assert_eq!(count, JobList::MOST_OF_A_USER);
    assert!(full.with("alice", "backup").is_some());
    let long = "x".repeat(100);
    let mut users = 0;
    while let Some(more) = full.with(&users.to_string(), &long) {
        full = more;
        users += 1;
    }
    assert!(full.to_text().len() <= 60_000 && users > 400, "{users}");
}

proptest! {
    #[test]
    fn reading_never_panics(text in "(job1|floor1|tick1|jobs1|entry)?( (closed|written|last|floor|by)=[0-9-]{0,3}){0,6}\n?.{0,30}") {
        let bytes = text.as_bytes();
        let _ = (JobRecord::parse(bytes), FloorRecord::parse(bytes), EndedTick::parse(bytes), JobList::parse(bytes));
    }
}
