use super::*;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
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
    once_per_tick: false,
};
const SAFE: Rules = Rules {
    default_state: Word::Passive,
    ..LAX
};
const LEASED: Rules = Rules {
    require_lease: true,
    ..LAX
};
/// For a job with `once_per_tick`.
const GRANTED: Rules = Rules {
    once_per_tick: true,
    ..LEASED
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
        stale(Stale::UnknownBoot)
    );
    // rcron.conf(5) has one word for both.
    assert_eq!(Stale::UnknownBoot.why(), "other-boot");
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

const SESSION: &str = "0123456789abcdef0123456789abcdef";

fn shared(attributes: &str) -> String {
    format!("passive shared {attributes} session={SESSION}")
}

#[test]
fn a_shared_state_permits_only_jobs_that_need_a_grant() {
    let held = Decision::Run(Basis::State {
        epoch: None,
        expires: Some(boot(1001)),
    });
    for (line, expected) in [
        (shared("until=1001 boot=b"), held),
        (shared("until=1001 boot=b epoch=7"), Decision::Skip(Skip::Passive)),
        (shared("until=1000 boot=b"), stale(Stale::LeaseEnded)),
        (shared("until=1600.001 boot=b"), stale(Stale::TooFarAhead)),
        (shared("until=1001 boot=c"), stale(Stale::OtherBoot)),
        (shared("until=1001 boot=b draining"), Decision::Skip(Skip::Draining)),
        (shared("until=999 boot=b draining"), stale(Stale::LeaseEnded)),
        (shared("until=1001"), Decision::Skip(Skip::Passive)),
        (shared(""), Decision::Skip(Skip::Passive)),
        (
            "passive shared until=1001 boot=b".to_owned(),
            Decision::Skip(Skip::Passive),
        ),
        ("passive until=1001 boot=b".to_owned(), Decision::Skip(Skip::Passive)),
        (
            format!("active shared until=1001 boot=b session={SESSION}"),
            stale(Stale::Malformed),
        ),
    ] {
        for rules in [
            GRANTED,
            Rules {
                require_lease: false,
                ..GRANTED
            },
        ] {
            assert_eq!(decided(&line, &rules), expected, "{line}");
        }
        for rules in [LAX, SAFE, LEASED] {
            let without = if line.starts_with("passive") {
                Decision::Skip(Skip::Passive)
            } else {
                expected
            };
            assert_eq!(decided(&line, &rules), without, "{line}");
        }
    }
    let fresh = Rules {
        once_per_tick: true,
        ..FRESH
    };
    for (age, expected) in [(0, held), (61, stale(Stale::TooOld))] {
        let reading = file(&shared("until=1001 boot=b"), age);
        assert_eq!(decide(&reading, &fresh, &now()), expected, "{age}");
    }
}

#[test]
fn a_job_that_needs_a_grant_runs_on_an_active_server_as_without() {
    for line in [
        "active until=1001 boot=b epoch=7",
        "active",
        "active draining",
        "passive",
        "junk",
    ] {
        assert_eq!(decided(line, &GRANTED), decided(line, &LEASED), "{line}");
    }
}

#[test]
fn a_job_with_rerun_goes_on_only_with_the_lease_of_its_grant() {
    let basis = Basis::State {
        epoch: Some(7),
        expires: None,
    };
    for (line, lease, goes_on) in [
        ("active until=1001 boot=b epoch=7", "7", true),
        ("active until=1001 boot=b epoch=7 draining", "7", true),
        ("active until=1001 boot=b epoch=8", "7", false),
        ("active until=1001 boot=b", "7", false),
        ("active until=999 boot=b epoch=7", "7", false),
        ("passive", "7", false),
        ("junk", "7", false),
        (&shared("until=1001 boot=b"), SESSION, true),
        (&shared("until=1001 boot=b draining"), SESSION, true),
        (&shared("until=1001 boot=b epoch=7"), "7", false),
        (&shared("until=1001 boot=b"), "fedcba9876543210fedcba9876543210", false),
        (&shared("until=999 boot=b"), SESSION, false),
    ] {
        let reading = file(line, 0);
        let later = decide(&reading, &GRANTED, &now());
        assert_eq!(grant_lasts(basis, later, &reading, lease), goes_on, "{line} {lease}");
    }
    for reading in [Reading::Missing, Reading::Unreadable, Reading::Removed] {
        assert!(!reading.has_identity("7"), "{reading:?}");
    }
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let bools = (any::<bool>(), any::<bool>(), any::<bool>());
    (bools, proptest::option::of(1u64..10_000)).prop_map(|((active, require_lease, once_per_tick), age)| Rules {
        default_state: if active { Word::Active } else { Word::Passive },
        state_max_age: age.map(Duration::from_secs),
        require_lease,
        once_per_tick,
    })
}

proptest! {
    #[test]
    fn nothing_runs_past_its_lease(until in 0u64..5000, at in 0u64..5000, rules in any_rules(), is_shared: bool) {
        let moment = Moment { boot: boot(at), ..now() };
        let state = if is_shared { shared(&format!("until={until} boot=b")) } else { format!("active until={until} boot=b") };
        let reading = file(&state, 0);
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
