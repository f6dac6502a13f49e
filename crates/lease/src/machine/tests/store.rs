//! A store that does not answer, or has other data.

use super::*;

#[test]
fn is_reported_once_when_it_does_not_answer() {
    let mut fixture = Fixture::new(start(None, None)).wins();
    fixture.answers_reads = false;
    fixture.pass_ms(600_000);
    assert!(!fixture.is_active());
    fixture.answers_reads = true;
    fixture.pass_ms(2000);
    assert!(fixture.is_active(), "back within 2 s");
    let (silent, back) = (Notice::StoreSilent, Notice::StoreBack);
    let notices: Vec<_> = fixture
        .notices()
        .into_iter()
        .filter(|notice| **notice == silent || **notice == back)
        .collect();
    assert_eq!(notices, [&silent, &back]);
}

#[test]
fn does_not_answer_if_it_answers_only_reads() {
    let mut fixture = Fixture::new(start(None, None)).wins();
    fixture.verdicts = vec![Verdict::NoAnswer; 100_000];
    fixture.pass_ms(60_000);
    let notices = fixture.notices();
    let silent = notices.iter().filter(|notice| ***notice == Notice::StoreSilent);
    assert_eq!(silent.count(), 1);
    assert!(!fixture.machine.is_answered());
    fixture.verdicts.clear();
    fixture.pass_ms(2000);
    assert!(fixture.notices().contains(&&Notice::StoreBack));
}

#[test]
fn with_other_data_restarts_all_waits_but_not_a_valid_lease() {
    let mut holder = Fixture::new(start(None, None)).wins();
    holder.incarnation = 2;
    holder.pass_ms(10_000);
    assert!(holder.is_active());
    let mut candidate = Fixture::new(start(None, None)).with_holder(7, 41);
    candidate.give(Input::Tick);
    candidate.pass_ms(8000);
    candidate.incarnation = 2;
    candidate.pass_ms(9000);
    assert_eq!(candidate.epoch(), Some(41));
    candidate.pass_ms(4000);
    assert_eq!(candidate.epoch(), Some(42));
}
