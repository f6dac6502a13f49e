//! The checks must find violations in invented records; otherwise they would miss real ones.

use super::*;

const SCHEDULE: Schedule = Schedule {
    zero: BootTime(Duration::from_secs(100)),
    interval: Duration::from_millis(100),
    on_time: Duration::from_millis(900),
};

fn at(millis: u64) -> BootTime {
    BootTime(Duration::from_millis(millis))
}

fn active(node: usize, epoch: u64, first: u64, last: u64, until: u64) -> Version {
    Version {
        node,
        content: Content::Active {
            until: at(until),
            epoch,
        },
        first: at(first),
        last: at(last),
    }
}

fn run(tick: u64, node: usize, epoch: u64) -> Run {
    let at = SCHEDULE.nominal(tick).after(Duration::from_millis(300));
    Run { tick, node, epoch, at }
}

#[test]
fn a_correct_history_has_no_faults() {
    let passive = Version {
        node: 1,
        content: Content::Passive,
        first: at(0),
        last: at(5000),
    };
    let versions = [
        passive,
        active(0, 1, 1000, 2000, 3000),
        active(0, 1, 2001, 9000, 4000),
        active(1, 2, 5001, 6000, 7000),
    ];
    let runs = [run(1, 0, 1), run(2, 0, 1), run(9, 1, 2)];
    assert_eq!(faults(&versions, &runs, &SCHEDULE), Vec::<String>::new());
    assert_eq!(closest(&versions), Some(Duration::from_millis(1001)));
}

#[test]
fn two_active_nodes_are_found() {
    let versions = [active(0, 1, 1000, 9000, 4000), active(1, 2, 3999, 6000, 7000)];
    let faults = faults(&versions, &[], &SCHEDULE);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("two active for 1ms"), "{faults:?}");
    assert_eq!(closest(&versions), Some(Duration::ZERO));
}

#[test]
fn a_file_with_an_expired_lease_is_not_active() {
    let versions = [active(0, 1, 1000, 9000, 4000), active(1, 2, 4000, 6000, 7000)];
    assert_eq!(two_active(&versions), Vec::<String>::new());
}

#[test]
fn a_file_that_was_replaced_before_its_lease_expired_is_no_longer_active() {
    let versions = [active(0, 1, 1000, 3000, 4000), active(1, 2, 3001, 6000, 7000)];
    assert_eq!(two_active(&versions), Vec::<String>::new());
}

#[test]
fn a_tick_that_runs_twice_is_found() {
    let faults = faults(&[], &[run(1, 0, 1), run(2, 0, 1), run(2, 1, 2)], &SCHEDULE);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("tick 2 ran 2 times"), "{faults:?}");
}

#[test]
fn a_start_that_is_later_than_the_jitter_proves_nothing() {
    let mut late = run(2, 1, 2);
    late.at = SCHEDULE.nominal(2).after(Duration::from_millis(901));
    let runs = [run(2, 0, 1), late];
    assert_eq!(run_twice(&runs, &SCHEDULE), Vec::<String>::new());
    assert_eq!(super::late(&runs, &SCHEDULE), 1);
}

#[test]
fn an_epoch_of_two_nodes_is_found() {
    let versions = [active(0, 7, 1000, 2000, 3000)];
    let faults = faults(&versions, &[run(1, 1, 7)], &SCHEDULE);
    assert_eq!(faults, ["epoch 7 belongs to nodes 1 and 2"]);
}

#[test]
fn an_epoch_that_falls_is_found() {
    let versions = [active(0, 7, 1000, 2000, 3000), active(1, 6, 4000, 5000, 6000)];
    assert_eq!(faults(&versions, &[], &SCHEDULE), ["epoch 6 was active after epoch 7"]);
    let runs = [run(1, 0, 7), run(20, 1, 6)];
    assert_eq!(
        faults(&[], &runs, &SCHEDULE),
        ["tick 20 ran with epoch 6 after epoch 7"]
    );
}

#[test]
fn the_longest_gap_counts_from_the_last_run_before() {
    let runs = [run(1, 0, 1), run(20, 0, 1), run(30, 1, 2), run(31, 1, 2), run(32, 1, 2)];
    let between = SCHEDULE.nominal(25);
    assert_eq!(longest_gap(&runs, between), Some((Duration::from_secs(1), 9)));
    assert_eq!(longest_gap(&runs[..1], SCHEDULE.zero), None);
}

#[test]
fn half_a_state_is_found() {
    let half = Version {
        node: 2,
        content: Content::Junk("activ".to_owned()),
        first: at(1),
        last: at(1),
    };
    assert_eq!(faults(&[half], &[], &SCHEDULE), [r#"node 3's state file said "activ""#]);
}
