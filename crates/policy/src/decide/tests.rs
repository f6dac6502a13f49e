use super::*;
use alloc::format;
use proptest::prelude::*;

const ACTIVE: Decision = Decision::Run(Basis::State {
    epoch: None,
    expires: None,
});
const BY_DEFAULT: Decision = Decision::Run(Basis::Default);
const LAX: Rules = Rules {
    default_state: Word::Active,
    state_max_age: None,
    require_lease: false,
};
const SAFE: Rules = Rules {
    default_state: Word::Passive,
    ..LAX
};
const LEASED: Rules = Rules {
    require_lease: true,
    ..LAX
};
const FRESH: Rules = Rules {
    state_max_age: Some(Duration::from_secs(60)),
    ..LAX
};

fn boot(seconds: u64) -> BootTime {
    BootTime(Duration::from_secs(seconds))
}

/// The tests' present: 1,000 s after boot "b", 50,000 s after 1970.
fn now() -> Moment {
    Moment {
        boot: boot(1000),
        wall: WallTime(Duration::from_secs(50_000)),
        boot_id: Some(b"b".to_vec()),
    }
}

fn file(line: &str, age: i64) -> Reading {
    let modified = WallTime(Duration::from_secs(50_000u64.saturating_add_signed(-age)));
    Reading::File {
        content: State::parse(line.as_bytes()),
        modified,
    }
}

fn decided(line: &str, rules: &Rules) -> Decision {
    decide(&file(line, 0), rules, &now())
}

const fn stale(reason: Stale) -> Decision {
    Decision::Skip(Skip::Stale(reason))
}

#[test]
fn a_removed_file_is_stale_whatever_the_rules() {
    for rules in [&LAX, &SAFE, &LEASED, &FRESH] {
        assert_eq!(decide(&Reading::Removed, rules, &now()), stale(Stale::Removed));
    }
}

#[test]
fn the_state_decides_and_the_default_where_there_is_none() {
    let unread = [
        Reading::Missing,
        Reading::Unreadable,
        file("", 0),
        file("junk", 0),
        file("inactive", 0),
    ];
    for rules in [LAX, SAFE] {
        assert_eq!(decided("active", &rules), ACTIVE);
        assert_eq!(decided("passive", &rules), Decision::Skip(Skip::Passive));
    }
    for reading in unread {
        assert_eq!(decide(&reading, &LAX, &now()), BY_DEFAULT, "{reading:?}");
        assert_eq!(
            decide(&reading, &SAFE, &now()),
            Decision::Skip(Skip::PassiveByDefault),
            "{reading:?}"
        );
        assert_eq!(
            decide(&reading, &LEASED, &now()),
            Decision::Skip(Skip::NoLease),
            "{reading:?}"
        );
    }
}

#[test]
fn a_lease_holds_until_its_end_on_its_own_boot() {
    let held = |epoch, end| {
        Decision::Run(Basis::State {
            epoch,
            expires: Some(boot(end)),
        })
    };
    for (line, expected) in [
        ("active until=1001 boot=b", held(None, 1001)),
        ("active until=1600 boot=b epoch=7", held(Some(7), 1600)),
        ("active until=1000 boot=b", stale(Stale::LeaseEnded)),
        ("active until=999.999 boot=b", stale(Stale::LeaseEnded)),
        ("active until=1600.001 boot=b", stale(Stale::TooFarAhead)),
        ("active until=1001 boot=c", stale(Stale::OtherBoot)),
        ("active until=1001", stale(Stale::Malformed)),
        ("active boot=b", stale(Stale::Malformed)),
        ("active epoch=x", stale(Stale::Malformed)),
        ("active until=1001 boot=b draining", Decision::Skip(Skip::Draining)),
        ("active until=999 boot=b draining", stale(Stale::LeaseEnded)),
        ("passive until=999 boot=b", Decision::Skip(Skip::Passive)),
    ] {
        for rules in [LAX, SAFE, LEASED] {
            assert_eq!(decided(line, &rules), expected, "{line}");
        }
    }
    assert_eq!(decided("active draining", &LAX), Decision::Skip(Skip::Draining));
}

#[test]
fn where_a_lease_is_required_no_other_active_counts() {
    for line in ["active", "active epoch=4", "active since monday", "active draining"] {
        assert_eq!(decided(line, &LEASED), Decision::Skip(Skip::NoLease), "{line}");
    }
    assert_eq!(decided("passive", &LEASED), Decision::Skip(Skip::Passive));
}

#[test]
fn a_lease_whose_boot_cannot_be_told_is_stale() {
    let moment = Moment { boot_id: None, ..now() };
    assert_eq!(
        decide(&file("active until=1001 boot=b", 0), &LAX, &moment),
        stale(Stale::OtherBoot)
    );
}

#[test]
fn a_state_may_be_as_old_as_the_configuration_says() {
    let until = |end| {
        Decision::Run(Basis::State {
            epoch: None,
            expires: Some(end),
        })
    };
    let fresh = |end| until(boot(end).after(Duration::from_nanos(1)));
    for (reading, expected) in [
        (file("active", 0), fresh(1060)),
        (file("active", 60), fresh(1000)),
        (file("active", 61), stale(Stale::TooOld)),
        (file("active", -60), fresh(1120)),
        (file("active", -61), stale(Stale::FromTheFuture)),
        (file("active until=1005 boot=b", 0), until(boot(1005))),
        (file("active until=1105 boot=b", 0), fresh(1060)),
        (file("passive", 0), Decision::Skip(Skip::Passive)),
        (file("passive", 61), stale(Stale::TooOld)),
        (file("junk", 0), BY_DEFAULT),
        (file("junk", 61), stale(Stale::TooOld)),
        (Reading::Missing, stale(Stale::NotThere)),
        (Reading::Unreadable, stale(Stale::NotThere)),
    ] {
        assert_eq!(decide(&reading, &FRESH, &now()), expected, "{reading:?}");
    }
}

#[test]
fn a_running_job_needs_what_it_was_started_on() {
    let state = Basis::State {
        epoch: None,
        expires: None,
    };
    for (basis, later, goes_on) in [
        (state, ACTIVE, true),
        (state, Decision::Skip(Skip::Draining), true),
        (state, BY_DEFAULT, false),
        (state, Decision::Skip(Skip::Passive), false),
        (state, Decision::Skip(Skip::PassiveByDefault), false),
        (state, Decision::Skip(Skip::NoLease), false),
        (state, stale(Stale::LeaseEnded), false),
        (Basis::Default, ACTIVE, true),
        (Basis::Default, BY_DEFAULT, true),
        (Basis::Default, Decision::Skip(Skip::Passive), false),
        (Basis::Default, stale(Stale::TooOld), false),
    ] {
        assert_eq!(may_go_on(basis, later), goes_on, "{basis:?} {later:?}");
    }
}

fn any_rules() -> impl Strategy<Value = Rules> {
    (any::<bool>(), proptest::option::of(1u64..10_000), any::<bool>()).prop_map(|(active, age, require_lease)| Rules {
        default_state: if active { Word::Active } else { Word::Passive },
        state_max_age: age.map(Duration::from_secs),
        require_lease,
    })
}

proptest! {
    #[test]
    fn nothing_runs_past_its_lease(until in 0u64..5000, at in 0u64..5000, rules in any_rules()) {
        let moment = Moment { boot: boot(at), ..now() };
        let reading = file(&format!("active until={until} boot=b"), 0);
        if let Decision::Run(basis) = decide(&reading, &rules, &moment) {
            prop_assert!(until > at);
            let Basis::State { expires: Some(expires), .. } = basis else {
                return Err(TestCaseError::fail("a lease without an end"));
            };
            prop_assert!(expires <= boot(until));
            let later = Moment { boot: boot(until), ..now() };
            prop_assert!(!may_go_on(basis, decide(&reading, &rules, &later)));
        }
    }

    #[test]
    fn junk_runs_only_where_the_default_allows_it(bytes: alloc::vec::Vec<u8>, rules in any_rules()) {
        let content = State::parse(&bytes);
        prop_assume!(content.is_err());
        let modified = now().wall;
        let decision = decide(&Reading::File { content, modified }, &rules, &now());
        let allowed = rules.default_state == Word::Active && !rules.require_lease;
        prop_assert_eq!(decision == BY_DEFAULT, allowed);
    }
}
