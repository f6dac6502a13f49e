use super::*;
use std::time::Duration;

const USER: u32 = 1000;

/// Two clusters, and no crontab.
struct Fixture {
    histories: Histories,
    crontabs: CrontabJobs,
    now: i64,
}

impl Fixture {
    fn new() -> Self {
        Self {
            histories: Histories::new(vec!["web".into(), "db".into()]),
            crontabs: CrontabJobs::default(),
            now: second(1000),
        }
    }

    fn take(&mut self, owner: u32, cluster: &str, job: &str, run: u128, started: i64, step: Step) {
        let record = NewRecord {
            owner,
            file: FileId::default(),
            run,
            cluster,
            job,
            started,
            step,
        };
        self.histories.take(&News::Record(record), &self.crontabs, self.now);
    }

    fn start(&mut self, owner: u32, job: &str, run: u128, started: i64) {
        self.take(owner, "web", job, run, started, Step::Start(RunOrigin::default()));
    }

    /// It takes two seconds.
    fn end(&mut self, job: &str, run: u128, started: i64, outcome: Outcome) {
        let end = End {
            at: timestamp(started + 2_000_000),
            lasted: Duration::from_secs(2),
            outcome,
            demoted: false,
        };
        self.take(USER, "web", job, run, started, Step::End(end));
    }

    fn runs(&self, job: &str) -> LastRuns {
        let name = JobName::new(&"web".into(), job).expect("a name");
        self.histories.owners[&USER].jobs[&name]
    }

    /// Running and interrupted runs of the user's jobs.
    fn open(&self) -> Vec<(String, usize, usize)> {
        let counts = self.histories.owners[&USER].count_open(|run| run == 99);
        let mut counts: Vec<_> = counts
            .into_iter()
            .map(|(name, counts)| (name.job.to_string(), counts.running, counts.interrupted))
            .collect();
        counts.sort();
        counts
    }

    fn judge(&mut self, fates: &[(u128, Fate)]) {
        let files = HashSet::from([FileId::default()]);
        self.histories.judge(&files, |_, run, _| {
            let known = fates.iter().find(|(id, _)| *id == run);
            known.map_or(Fate::Unknown, |(_, fate)| fate.clone())
        });
    }
}

fn timestamp(microseconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(microseconds).expect("a time")
}

fn second(number: i64) -> i64 {
    number * 1_000_000
}

#[test]
fn the_last_runs_count_whatever_the_order_of_the_records() {
    let mut found = Fixture::new();
    let records = |found: &mut Fixture| {
        found.start(USER, "a", 1, second(10));
        found.end("a", 1, second(10), Outcome::Exited(0));
        found.start(USER, "a", 2, second(20));
        found.end("a", 2, second(20), Outcome::Killed("SIGTERM".into()));
        found.start(USER, "a", 3, second(30));
    };
    records(&mut found);
    let runs = found.runs("a");
    records(&mut found);
    found.end("a", 0, second(5), Outcome::Exited(0));
    for runs in [runs, found.runs("a")] {
        assert_eq!(runs.start, Some(second(30)));
        assert_eq!(runs.success, Some(second(12)));
        let last = LastEnd {
            at: second(22),
            duration: Duration::from_secs(2),
            exit_code: Some(143),
        };
        assert_eq!(runs.end, Some(last));
    }
}

/// The clock is ahead by years, is set right, and the job fails.
#[test]
fn runs_that_were_recorded_while_the_clock_was_ahead_are_older_than_the_next() {
    let mut found = Fixture::new();
    let ahead = second(1_000_000);
    found.end("a", 1, second(10), Outcome::Exited(0));
    found.end("a", 2, ahead, Outcome::Exited(0));
    assert_eq!(found.runs("a").start, Some(ahead));
    found.end("a", 3, second(20), Outcome::Exited(7));
    let runs = found.runs("a");
    assert_eq!((runs.start, runs.success), (Some(second(20)), Some(second(20))));
    assert_eq!(runs.end.and_then(|end| end.exit_code), Some(7));
    // While the clock is ahead, nothing shows it.
    found.now = ahead;
    found.end("a", 4, ahead, Outcome::Exited(0));
    found.end("a", 5, second(30), Outcome::Exited(7));
    assert_eq!(found.runs("a").success, Some(ahead + second(2)));
    found.now = second(40);
    found.end("a", 6, second(40), Outcome::Exited(0));
    assert_eq!(found.runs("a").success, Some(second(42)));
}

#[test]
fn a_signal_that_does_not_exist_has_no_exit_code() {
    let mut found = Fixture::new();
    found.end("a", 1, second(10), Outcome::Killed("SIGNOTHING".into()));
    assert_eq!(found.runs("a").end.map(|end| end.exit_code), Some(None));
    found.end("a", 2, second(20), Outcome::Exited(255));
    assert_eq!(found.runs("a").end.and_then(|end| end.exit_code), Some(255));
}

#[test]
fn other_clusters_and_names_that_are_not_shown_are_left_out() {
    let mut found = Fixture::new();
    found.take(USER, "invented", "a", 1, 0, Step::Start(RunOrigin::default()));
    for job in ["", "a\nb", "a\u{202e}b", &"x".repeat(129)] {
        found.start(USER, job, 1, 0);
    }
    assert!(found.histories.owners.is_empty(), "{:?}", found.histories);
    found.start(USER, &"x".repeat(128), 1, 0);
    assert_eq!(found.histories.owners[&USER].jobs.len(), 1);
}

#[test]
fn open_runs_run_or_were_interrupted_until_their_end_comes() {
    let mut found = Fixture::new();
    for run in 1..=5 {
        found.start(USER, "a", run, second(10));
    }
    found.start(USER, "b", 99, second(10));
    let running = Fate::Running(Duration::ZERO);
    let fates = [
        (1, running.clone()),
        (2, Fate::Unwatched(Duration::ZERO)),
        (3, Fate::Interrupted),
        (4, Fate::Interrupted),
        (99, Fate::Interrupted),
    ];
    found.judge(&fates);
    assert_eq!(
        found.open(),
        [("a".into(), 2, 2), ("b".into(), 0, 0)],
        "99 is marked as seen"
    );
    assert!(found.histories.has_interrupted());
    found.end("a", 3, second(10), Outcome::Exited(0));
    found.end("a", 1, second(10), Outcome::Exited(0));
    // An interrupted one stays so.
    found.judge(&[(4, running)]);
    assert_eq!(found.open(), [("a".into(), 0, 1), ("b".into(), 0, 0)]);
    found.histories.take(&News::Skipped(USER), &found.crontabs, found.now);
    assert_eq!(found.open(), [], "their ends may have been skipped");
    found.start(USER, "a", 6, second(10));
    found.histories.judge(&HashSet::new(), |_, _, _| Fate::Interrupted);
    assert_eq!(found.open(), [], "their file was removed");
}

#[test]
fn an_end_that_comes_before_its_start_is_remembered() {
    let mut found = Fixture::new();
    found.end("a", 1, second(10), Outcome::Exited(0));
    found.start(USER, "a", 1, second(10));
    assert_eq!(found.open(), []);
    for run in 2..=u128::try_from(MOST_ENDED).expect("small") + 2 {
        found.end("a", run, second(10), Outcome::Exited(0));
    }
    found.start(USER, "a", 2, second(10));
    found.start(USER, "a", 3, second(10));
    assert_eq!(found.open(), [("a".into(), 0, 0)], "the oldest was forgotten");
}

#[test]
fn a_user_with_too_many_jobs_loses_his_own_old_ones() {
    let mut found = Fixture::new();
    for run in 0..3000_u32 {
        found.start(USER, &format!("j{run}"), run.into(), second(run.into()));
        assert!(found.histories.owners[&USER].jobs.len() <= MOST_JOBS_OF_USER);
    }
    found.start(0, "backup", 1, 0);
    found.runs("j2999");
    // Nine more users who do the same.
    for owner in 2000..2009 {
        for run in 0..3000_u32 {
            found.start(owner, &format!("j{run}"), run.into(), 0);
        }
    }
    let sizes = || {
        found
            .histories
            .owners
            .iter()
            .map(|(owner, history)| (*owner, history.jobs.len()))
    };
    assert_eq!(sizes().next(), Some((0, 1)), "root's stay");
    let others: usize = sizes().skip(1).map(|(_, jobs)| jobs).sum();
    assert!(others <= MOST_JOBS && others == found.histories.jobs, "{others}");
    let open = found
        .histories
        .owners
        .values()
        .skip(1)
        .map(|history| history.open.len());
    assert!(open.clone().all(|open| open <= MOST_OPEN_OF_USER));
    assert!(open.clone().sum::<usize>() <= MOST_OPEN && open.sum::<usize>() == found.histories.open);
}
