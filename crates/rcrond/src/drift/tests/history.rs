use super::*;
use crate::session_seen::SessionSeen;

fn wall(seconds: i64) -> WallTime {
    WallTime(after(1_000_000, seconds))
}

/// Reads at this time find n2's session with this version, which n2 has written at a time of its clock.
fn read(history: &mut History, at: i64, version: u64, date: i64) {
    let session = SessionSeen {
        is_open: true,
        version,
        date: Some(wall(date)),
    };
    let sessions = BTreeMap::from([("n2".to_owned(), session)]);
    history.take(&sessions, (wall(at), wall(at)), boot(at));
}

#[test]
fn clocks_are_known_by_a_renewal_between_two_reads() {
    for (off, expected) in [
        (0, Some(0)),
        (3, Some(0)),
        (-12, Some(-11_000)),
        (17, Some(16_000)),
        (40, Some(39_000)),
    ] {
        let mut history = History::default();
        read(&mut history, 100, 1, 98 + off);
        // It was written one second before the read, and two after the one before.
        read(&mut history, 103, 2, 102 + off);
        let mut expected = expected;
        if off < 0 {
            // It may have been written at once after the read before.
            expected = Some((102 + off - 100) * 1000)
                .filter(|ahead| *ahead < -10_000)
                .or(Some(0));
        }
        assert_eq!(
            history.clock("n2").and_then(|clock| clock.ahead(SKEW)),
            expected,
            "{off}"
        );
        // Later reads without a renewal do not change it.
        read(&mut history, 160, 2, 102 + off);
        assert_eq!(
            history.clock("n2").and_then(|clock| clock.ahead(SKEW)),
            expected,
            "{off}"
        );
        history.clock_was_set();
        assert_eq!(history.clock("n2"), None);
    }
    // Each renewal makes the bounds narrower: now at most one second after a read.
    let mut history = History::default();
    read(&mut history, 100, 1, 80);
    read(&mut history, 105, 2, 92);
    assert_eq!(history.clock("n2").and_then(|clock| clock.ahead(SKEW)), Some(0));
    read(&mut history, 160, 7, 147);
    read(&mut history, 165, 8, 149);
    assert_eq!(history.clock("n2").and_then(|clock| clock.ahead(SKEW)), Some(-11_000));
    // It was set: the bounds begin again.
    read(&mut history, 220, 20, 218);
    read(&mut history, 225, 21, 223);
    assert_eq!(history.clock("n2").and_then(|clock| clock.ahead(SKEW)), Some(0));
    let mut history = History::default();
    read(&mut history, 100, 1, 130);
    assert_eq!(
        history.clock("n2").and_then(|clock| clock.ahead(SKEW)),
        Some(30_000),
        "it is in the future"
    );
    let mut history = History::default();
    read(&mut history, 100, 1, 60);
    assert_eq!(
        history.clock("n2").and_then(|clock| clock.ahead(SKEW)),
        None,
        "it may be an old renewal"
    );
}

#[test]
fn a_session_that_is_not_renewed_is_silent() {
    let mut history = History::default();
    assert!(history.is_silent("n2", boot(0)), "it has none");
    read(&mut history, 0, 1, -5);
    assert!(!history.is_silent("n2", boot(119)));
    assert!(history.is_silent("n2", boot(120)));
    read(&mut history, 100, 2, 95);
    assert!(!history.is_silent("n2", boot(219)));
    let mut history = History::default();
    read(&mut history, 0, 1, -500);
    assert!(history.is_silent("n2", boot(0)), "it was old when it was first seen");
    read(&mut history, 5, 2, -495);
    assert!(!history.is_silent("n2", boot(5)), "its clock is behind");
    let ended = SessionSeen {
        is_open: false,
        version: 3,
        date: Some(wall(6)),
    };
    history.take(&BTreeMap::from([("n2".to_owned(), ended)]), (wall(7), wall(7)), boot(7));
    assert!(history.is_silent("n2", boot(7)));
}
