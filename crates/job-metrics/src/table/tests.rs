use super::*;
use crate::crontabs::tests::{Tree, WEB};
use journal::tail::{FileId, NewRecord, News, RunOrigin, Step};

const DAY: i64 = 86_400 * 1_000_000;
const NOW: i64 = 20_000 * DAY;

/// The journals of some users.
struct Fixture {
    tree: Tree,
    histories: Histories,
    crontabs: CrontabJobs,
}

impl Fixture {
    fn new(crontab: &str) -> Self {
        let tree = Tree::new();
        tree.write("etc/crontab", crontab);
        Self {
            crontabs: tree.read(),
            tree,
            histories: Histories::new(vec![WEB.into()]),
        }
    }

    fn user_crontab(&mut self, user: &str, text: &str) {
        self.tree.user_crontab(user, text);
        self.crontabs = self.tree.read();
    }

    fn start(&mut self, owner: u32, job: &str, started: i64) {
        let record = NewRecord {
            owner,
            file: FileId::default(),
            run: 1,
            cluster: WEB,
            job,
            started,
            step: Step::Start(RunOrigin::default()),
        };
        self.histories.take(&News::Record(record), &self.crontabs, NOW);
    }

    fn build(&self, only: Option<u32>) -> Table {
        let sources = Sources {
            histories: &self.histories,
            crontabs: &self.crontabs,
            only,
            now: NOW,
        };
        let user = |uid: u32| if uid == 0 { "root".to_owned() } else { uid.to_string() };
        Table::build(&sources, user, |_, _| false)
    }

    fn shown(&self, only: Option<u32>) -> Vec<String> {
        let rows = self.build(only).rows;
        rows.iter().map(|row| format!("{} {}", row.user, row.job)).collect()
    }
}

#[test]
fn jobs_of_crontabs_are_shown_and_others_while_they_have_run_lately() {
    let mut found = Fixture::new("0 3 * * * root rcron -j nightly x\n0 3 * * 1 www rcron -j weekly x\n");
    found.start(0, "nightly", NOW - 100 * DAY);
    found.start(0, "timer", NOW - 7 * DAY);
    found.start(0, "removed", NOW - 9 * DAY);
    found.start(33, "other", NOW + DAY);
    assert_eq!(
        found.shown(None),
        ["33 other", "33 weekly", "root nightly", "root timer"]
    );
    assert_eq!(found.shown(Some(33)), ["33 other", "33 weekly"]);
    let table = found.build(None);
    let periods: Vec<_> = table
        .rows
        .iter()
        .map(|row| row.period.map(|period| period.as_secs()))
        .collect();
    assert_eq!(periods, [None, Some(7 * 86_400), Some(86_400), None]);
    assert_eq!(table.rows[2].last_start, Some(NOW - 100 * DAY));
    assert_eq!((table.omitted, table.rows[1].last_start), (0, None));
}

#[test]
fn a_user_with_many_jobs_takes_no_place_of_others() {
    let mut found = Fixture::new("0 3 * * * root rcron -j nightly x\n0 3 * * * www rcron -j website x\n");
    found.user_crontab("flood", "0 3 * * * rcron -j listed x\n");
    for job in 0..900 {
        found.start(2000, &format!("j{job:03}"), NOW + job);
        found.start(33, &format!("w{job:03}"), NOW + job);
    }
    for job in 0..100 {
        found.start(1000, &format!("a{job:02}"), NOW);
        found.start(0, &format!("r{job:02}"), NOW);
    }
    let table = found.build(None);
    let count = |user: &str| table.rows.iter().filter(|row| row.user == user).count();
    // Of 500, root has all its 101 jobs, and the line of /etc/crontab that runs as www is the administrator's, too.
    let counts = ["root", "1000", "33", "2000"].map(count);
    assert_eq!(counts, [101, 100, 150, 149]);
    assert_eq!(
        (table.rows.len(), table.omitted),
        (MOST_SHOWN, 900 + 1 + 900 + 1 + 100 + 101 - MOST_SHOWN)
    );
    for shown in ["root nightly", "33 website", "2000 listed", "2000 j899", "33 w899"] {
        assert!(found.shown(None).contains(&shown.to_owned()), "{shown}");
    }
    assert!(!found.shown(None).contains(&"2000 j000".to_owned()), "the oldest");
}

#[test]
fn no_two_rows_have_the_same_labels() {
    let mut found = Fixture::new("");
    for owner in [7, 8] {
        found.start(owner, "a", NOW - i64::from(owner));
    }
    let sources = Sources {
        histories: &found.histories,
        crontabs: &found.crontabs,
        only: None,
        now: NOW,
    };
    let table = Table::build(&sources, |_| "both".to_owned(), |_, _| false);
    assert_eq!((table.rows.len(), table.omitted), (1, 1));
    assert_eq!(table.rows[0].last_start, Some(NOW - 7));
}

#[test]
fn times_that_are_still_to_come_are_not_shown() {
    let mut found = Fixture::new("");
    found.start(1000, "ahead", NOW + DAY);
    found.start(1000, "now", NOW + 1_000_000);
    let starts: Vec<_> = found.build(None).rows.iter().map(|row| row.last_start).collect();
    assert_eq!(starts, [None, Some(NOW + 1_000_000)]);
}
