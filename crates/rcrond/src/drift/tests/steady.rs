use super::*;

fn of_owner(counts: &Counts, owner: Owner) -> usize {
    counts[&("web".to_owned(), owner)]
}

#[test]
fn a_user_with_a_thousand_jobs_adds_nothing_to_what_root_must_look_at() {
    let names: Vec<String> = (0..1000).map(|number| format!("job{number}")).collect();
    let hostile = names
        .iter()
        .map(|name| ("alice", name.as_str(), "* * * * *", "", true, 1));
    let lines: Vec<Line> = hostile.chain([BACKUP]).collect();
    let site = |there: &[Line]| compared(&nodes([with_lines(&lines), with_lines(there)]));
    let mut steady = SteadyDrift::default();
    let mut take = |report: &DriftReport, at| {
        let counts = steady.take(report, boot(at));
        let both = (of_owner(&counts, Owner::Root), of_owner(&counts, Owner::Users));
        (both, steady.changes(&counts, boot(at)))
    };
    let begun = vec![Change::Begun("web".to_owned(), 1000)];
    assert_eq!(take(&site(&[BACKUP]), 0), ((0, 1000), begun));
    assert_eq!(take(&site(&[]), 300), ((0, 1000), vec![]), "root's has begun just now");
    assert_eq!(take(&site(&[]), 360), ((1, 1000), vec![]));
    assert_eq!(
        take(&site(&lines), 720),
        ((0, 0), vec![Change::Ended("web".to_owned())])
    );
}

#[test]
fn a_difference_counts_when_it_has_lasted() {
    let missing = nodes([with_lines(&[BACKUP]), with_lines(&[])]);
    let mut silent = nodes([with_lines(&[BACKUP]), with_lines(&[])]);
    silent[1].is_silent = true;
    let same = nodes([with_lines(&[BACKUP]), with_lines(&[BACKUP])]);
    let both = nodes([with_lines(&[BACKUP]), record(facts(), keys("20s", &[]), &[])]);
    let mut steady = SteadyDrift::default();
    let mut take = |nodes: &[Node], at: i64| {
        let counts = steady.take(&compared(nodes), boot(at));
        let changes = steady.changes(&counts, boot(at));
        (of_owner(&counts, Owner::Root), changes)
    };
    let begun = |count| vec![Change::Begun("web".to_owned(), count)];
    let ended = || vec![Change::Ended("web".to_owned())];
    // What the first comparison finds may be old.
    assert_eq!(take(&missing, 0), (1, begun(1)));
    assert_eq!(take(&both, 10), (1, vec![]));
    assert_eq!(take(&both, 69), (1, vec![]));
    assert_eq!(take(&both, 70), (2, vec![]));
    assert_eq!(take(&same, 80), (0, vec![]), "a line was logged a moment ago");
    assert_eq!(take(&silent, 300), (0, ended()));
    // One server after the other is changed.
    assert_eq!(take(&missing, 1000), (0, vec![]));
    assert_eq!(take(&same, 1050), (0, vec![]));
    assert_eq!(take(&missing, 1100), (0, vec![]));
    assert_eq!(take(&missing, 1160), (1, begun(1)));
}

#[test]
fn a_boot_and_an_upgrade_are_no_differences_at_once() {
    let set: [fn(&mut ServerFacts); 3] = [
        |facts| facts.cron = Some(false),
        |facts| facts.rcrond = "2.0".to_owned(),
        |facts| facts.rcron = Some("2.0".to_owned()),
    ];
    for set in set {
        let mut facts_there = facts();
        set(&mut facts_there);
        let report = compared(&nodes([
            with_lines(&[BACKUP]),
            record(facts_there, keys("10s", &[]), &[BACKUP]),
        ]));
        let mut steady = SteadyDrift::default();
        let mut count = |at| of_owner(&steady.take(&report, boot(at)), Owner::Root);
        assert_eq!([count(1), count(60), count(61)], [0, 0, 1]);
    }
}
