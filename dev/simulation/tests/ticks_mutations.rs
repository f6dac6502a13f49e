//! Each rule of the claims machine that is left out is missed: the simulation finds a history in which it mattered. With the rule,
//! the same histories keep every promise.

use claims::Mutation;
use lease::{RunOn, Timing};
use simulation::clock::TRUE_RATE;
use simulation::faults::{Fault, FaultProfile};
use simulation::store::Loss;
use simulation::ticks::checker::Broken;
use simulation::ticks::faults::TickFault;
use simulation::ticks::fixture::{minute, tick, ticks_without_faults};
use simulation::ticks::history::run_history;
use simulation::ticks::world::TickWorld;
use simulation::{MILLISECOND, Micros, SECOND};
use std::time::Duration;

/// Runs random histories until one shows the fault.
fn detects_in_random_histories(mutation: Mutation, kind: fn(&Broken) -> bool) {
    const HISTORIES: u64 = 12_000;
    let found = (0..HISTORIES).any(|seed| {
        let violation = run_history(seed, Some(mutation), false).violation;
        violation.is_some_and(|violation| kind(&violation.what))
    });
    assert!(found, "{mutation:?} was not detected in {HISTORIES} histories");
}

/// Runs a scenario that leaves something to the seed and returns what was wrong. With the mutation something must be for some seed,
/// and without it nothing.
fn detects_in_scenario(mutation: Mutation, rerun: u32, scenario: impl Fn(TickWorld, u64) -> bool) {
    let goes_wrong = |mutation: Option<Mutation>, seed| {
        let mut world = ticks_without_faults(&[TRUE_RATE; 3], rerun, seed);
        world.mutation = mutation;
        scenario(world, seed)
    };
    let seeds = 0..60;
    assert!(
        seeds.clone().any(|seed| goes_wrong(Some(mutation), seed)),
        "{mutation:?} was not detected"
    );
    let wrong: Vec<u64> = seeds.filter(|seed| goes_wrong(None, *seed)).collect();
    assert!(wrong.is_empty(), "goes wrong without {mutation:?} too: {wrong:?}");
}

/// A tick is started, and then the store loses the data since before that.
fn ends_badly_if_lost(world: TickWorld, loss: Loss) -> bool {
    let mut world = world.shared();
    world.start_all();
    world.lease.schedule(minute(1) - SECOND, Fault::Snapshot);
    // The others' rcrons wait, because the grant could be given back.
    world.lease.schedule(minute(1) + 2 * SECOND, Fault::StoreLoses(loss));
    ends_badly(&mut world, minute(1) + 40 * SECOND)
}

/// Runs until `end`, and returns whether a promise was broken.
fn ends_badly(world: &mut TickWorld, end: Micros) -> bool {
    world.run_until(end).is_err()
}

/// The server that claims the ticks of the job first, if all are well.
fn first_in_rank(world: &TickWorld) -> usize {
    let names: Vec<_> = world.lease.nodes.iter().map(|node| node.name.clone()).collect();
    let rank = |node: &usize| claims::delay(&world.jobs[0].key, &names[*node], &names);
    (0..names.len()).min_by_key(rank).expect("servers")
}

#[test]
fn detects_a_change_without_the_jobs_version() {
    detects_in_random_histories(Mutation::ChangeWithoutJobVersion, |broken| {
        matches!(broken, Broken::TwoAlive { .. } | Broken::ClosedWentBack { .. })
    });
}

#[test]
fn detects_a_claim_without_the_session() {
    detects_in_scenario(Mutation::ClaimWithoutSession, 0, |mut world, _| {
        world.start_all();
        world.run_until(minute(1)).expect("no broken promise");
        // Nobody but n0 asks. Its claim arrives late: its session is ended by then.
        world.schedule(minute(1) + 500 * MILLISECOND, TickFault::TerminateRcron(1));
        world.schedule(minute(1) + 500 * MILLISECOND, TickFault::TerminateRcron(2));
        world.lease.profile = FaultProfile {
            late_messages: 300,
            max_delay: 25 * SECOND,
            ..FaultProfile::NONE
        };
        if ends_badly(&mut world, minute(1) + 100 * MILLISECOND) {
            return true;
        }
        world.lease.profile = FaultProfile::NONE;
        world.lease.schedule(world.now() + 1, Fault::CutRequests(0, true));
        ends_badly(&mut world, minute(1) + 40 * SECOND)
    });
}

#[test]
fn detects_a_missing_floor_taken_as_none() {
    detects_in_random_histories(Mutation::MissingFloorIsZero, |broken| {
        matches!(
            broken,
            Broken::TwoAlive { .. } | Broken::StartedTwice { .. } | Broken::FenceNotGrowing { .. }
        )
    });
}

#[test]
fn detects_a_floor_that_is_kept_in_a_new_incarnation() {
    detects_in_scenario(Mutation::FloorIsKept, 0, |world, _| {
        ends_badly_if_lost(world, Loss::Back)
    });
}

#[test]
fn detects_a_floor_without_skew() {
    detects_in_scenario(Mutation::FloorWithoutSkew, 0, |world, _| {
        let mut world = world.shared();
        world.max_skew = Duration::from_secs(4);
        // n1's clock is 4 s ahead of the others'. It has started the tick when the store loses all, and n0 sets the floor.
        for (node, ahead) in [(0, -2_000_000), (1, 2_000_000), (2, -2_000_000)] {
            world.servers[node].ahead = ahead;
        }
        world.start_all();
        world.schedule(minute(1) - 2 * SECOND, TickFault::Start(1, 0));
        assert_eq!(world.run_until_started(tick(1)), 1);
        let lost = world.now() + 100 * MILLISECOND;
        world.lease.schedule(lost, Fault::CutRequests(1, true));
        world.lease.schedule(lost, Fault::StoreLoses(Loss::All));
        // An administrator's question makes n0 read the store.
        world.schedule(lost + 1, TickFault::Reopen(0, 0));
        ends_badly(&mut world, minute(1) + 40 * SECOND)
    });
}

#[test]
fn detects_an_attempt_that_follows_before_the_session_is_ended() {
    detects_in_scenario(Mutation::AgainWithoutEnding, 1, |world, seed| {
        let mut world = world.shared();
        world.jobs[0].lasts = (100 * SECOND, 100 * SECOND);
        world.start_all();
        let first = world.run_until_started(tick(1));
        // The host sleeps with its job, and wakes up when another attempt runs. With the old session it would renew its lease.
        world.schedule(
            world.now() + seed * 100 * MILLISECOND,
            TickFault::Sleep(first, 30 * SECOND),
        );
        ends_badly(&mut world, minute(1) + 60 * SECOND)
    });
}

#[test]
fn detects_the_readers_terms_in_the_place_of_the_entrys() {
    detects_in_scenario(Mutation::OwnTermsForSessions, 1, |world, seed| {
        let mut world = world.shared();
        world.jobs[0].lasts = (100 * SECOND, 100 * SECOND);
        let first = first_in_rank(&world);
        for node in (0..3).filter(|node| *node != first) {
            let timing = &mut world.lease.nodes[node].configs[0].timing;
            let (seconds, none) = (Duration::from_secs, Duration::ZERO);
            *timing = Timing::new(seconds(2), none, none, none).expect("within its limits");
        }
        world.start_all();
        assert_eq!(world.run_until_started(tick(1)), first);
        let cut = world.now() + SECOND + seed * 50 * MILLISECOND;
        world.lease.schedule(cut, Fault::CutRequests(first, true));
        ends_badly(&mut world, minute(1) + 60 * SECOND)
    });
}

#[test]
fn detects_a_grant_that_is_valid_too_long() {
    detects_in_scenario(Mutation::StartByDeadlineOnly, 0, |mut world, seed| {
        world.start_all();
        let time = minute(1) + seed * MILLISECOND;
        // rcron stands still before it reads its grant, until `start_within` is over.
        world.schedule(time, TickFault::StopRcron(0, 35 * SECOND));
        ends_badly(&mut world, minute(1) + 50 * SECOND)
    });
}

#[test]
fn detects_a_grant_for_a_change_without_an_answer() {
    detects_in_random_histories(Mutation::GrantOnNoAnswer, |broken| {
        matches!(broken, Broken::StartedWithoutEntry { .. } | Broken::StartedTwice { .. })
    });
}

#[test]
fn detects_a_claim_that_is_not_given_back() {
    detects_in_scenario(Mutation::NothingIsGivenBack, 0, |mut world, _| {
        world.start_all();
        let first = world.run_until_granted(tick(1));
        // rcron stands still with its grant, and its server is drained. The next server's rcron waits for a lease.
        world.schedule(world.now(), TickFault::StopRcron(first, 8 * SECOND));
        world.lease.schedule(minute(1) + 2 * SECOND, Fault::Drain(first, false));
        ends_badly(&mut world, minute(1) + 40 * SECOND) || world.starts_of(tick(1)) == 0
    });
}

#[test]
fn detects_a_tick_that_is_recorded_as_missed_too_early() {
    detects_in_random_histories(Mutation::MissedWithoutSkew, |broken| {
        matches!(broken, Broken::MissedTooEarly { .. })
    });
}

/// The claim is done, and its answer is lost. The server is drained when it finds the claim, and gives it back: this change is late,
/// and the server is no longer drained when it is done.
#[test]
fn detects_a_grant_on_a_read_alone() {
    detects_in_scenario(Mutation::GrantOnRead, 0, |world, _| {
        let mut world = world.shared();
        world.jobs[0].lasts = (20 * SECOND, 20 * SECOND);
        world.start_all();
        let first = world.run_until_granted(tick(1));
        let claimed = world.now();
        world.schedule(claimed, TickFault::CutClaims(first, true));
        world.lease.schedule(claimed, Fault::Drain(first, false));
        world.schedule(claimed, TickFault::HoldChange(first, 6 * SECOND));
        world.schedule(claimed + 100 * MILLISECOND, TickFault::CutClaims(first, false));
        world.lease.schedule(claimed + 2 * SECOND, Fault::Undrain(first));
        ends_badly(&mut world, minute(1) + 40 * SECOND)
    });
}

/// The first tick still runs when the second one is started on the same server, which then dies.
#[test]
fn detects_another_attempt_of_an_older_tick() {
    detects_in_scenario(Mutation::AgainForAnOlderTick, 1, |world, _| {
        let mut world = world.shared();
        world.jobs[0].lasts = (100 * SECOND, 100 * SECOND);
        world.start_all();
        let first = world.run_until_started(tick(1));
        world.lease.schedule(minute(2) + 10 * SECOND, Fault::Reboot(first));
        ends_badly(&mut world, minute(3) - SECOND)
    });
}

#[test]
fn detects_a_revision_that_goes_back_unnoticed() {
    detects_in_scenario(Mutation::RevisionIsIgnored, 0, |world, _| {
        ends_badly_if_lost(world, Loss::Rewound)
    });
}

#[test]
fn detects_a_floor_without_the_ticks_that_are_named_ahead() {
    detects_in_scenario(Mutation::FloorWithoutNamedAhead, 0, |world, _| {
        let mut world = world.shared();
        world.max_skew = Duration::from_secs(4);
        world.jobs[0].names_ticks = true;
        // n1's clock is 4 s ahead of the others', and its scheduler names a tick that is 3.5 s ahead of that.
        for (node, ahead) in [(0, -2_000_000), (1, 2_000_000), (2, -2_000_000)] {
            world.servers[node].ahead = ahead;
        }
        world.cron_profile.misnamed = 1000;
        world.start_all();
        world.schedule(minute(1) - 5500 * MILLISECOND, TickFault::Start(1, 0));
        assert_eq!(world.run_until_started(tick(1)), 1);
        world.cron_profile.misnamed = 0;
        let lost = world.now() + 100 * MILLISECOND;
        world.lease.schedule(lost, Fault::CutRequests(1, true));
        world.lease.schedule(lost, Fault::StoreLoses(Loss::All));
        world.schedule(lost + 1, TickFault::Reopen(0, 0));
        ends_badly(&mut world, minute(1) + 40 * SECOND)
    });
}

/// A claim is given back, and the tick is started elsewhere. Then the store goes back to the moment of the claim, whose rcron waits.
#[test]
fn detects_a_grant_of_a_claim_that_is_not_above_the_floor() {
    detects_in_scenario(Mutation::GrantBelowFloor, 0, |world, seed| {
        let mut world = world.shared();
        world.start_all();
        let first = world.run_until_granted(tick(1));
        let claimed = world.now();
        world.lease.schedule(claimed, Fault::Snapshot);
        world.schedule(claimed, TickFault::StopRcron(first, SECOND));
        world.lease.schedule(claimed, Fault::Drain(first, false));
        world.lease.schedule(claimed + 2 * SECOND, Fault::Undrain(first));
        let lost = claimed + 4 * SECOND + seed * 60 * MILLISECOND;
        world.lease.schedule(lost, Fault::StoreLoses(Loss::Back));
        ends_badly(&mut world, minute(1) + 40 * SECOND)
    });
}

/// n1's clock is 1.5 s ahead, as it may be. It has started the tick when an administrator asks n0 to reopen it.
#[test]
fn detects_a_request_that_reopens_what_right_clocks_have_closed() {
    detects_in_scenario(Mutation::ReopenWithoutSkew, 0, |world, _| {
        let mut world = world.shared();
        world.servers[1].ahead = 1_500_000;
        world.start_all();
        world.schedule(minute(1) - 1500 * MILLISECOND, TickFault::Start(1, 0));
        assert_eq!(world.run_until_started(tick(1)), 1);
        world.schedule(minute(1) - SECOND / 2, TickFault::Reopen(0, 0));
        ends_badly(&mut world, minute(1) + 40 * SECOND)
    });
}

/// The active server's clock is a minute ahead, and it has started the next tick when it is reopened.
#[test]
fn detects_a_reopened_tick_that_is_started_beside_itself() {
    detects_in_scenario(Mutation::ReopenedBesideItself, 0, |mut world, _| {
        world.checker.has_right_clocks = false;
        world.jobs[0].lasts = (100 * SECOND, 100 * SECOND);
        world.start_all();
        world.schedule(minute(1) - 5 * SECOND, TickFault::SetClock(0, 60_000_000));
        world.schedule(minute(1), TickFault::Start(0, 0));
        assert_eq!(world.run_until_started(tick(2)), 0);
        world.schedule(minute(1) + 5 * SECOND, TickFault::SetClock(0, 0));
        world.schedule(minute(1) + 10 * SECOND, TickFault::Reopen(1, 0));
        ends_badly(&mut world, minute(2) + 30 * SECOND)
    });
}

/// While `run_on` is rolled out, the active server and those that share the cluster may all start ticks.
#[test]
fn detects_a_tick_that_servers_of_both_modes_start() {
    detects_in_scenario(Mutation::ClosedIsIgnored, 0, |world, _| {
        let mut world = world.shared();
        world.lease.nodes[0].configs[0].run_on = RunOn::Active;
        world.start_all();
        ends_badly(&mut world, minute(1) + 40 * SECOND)
    });
}

#[test]
fn detects_the_askers_reruns_in_the_place_of_the_entrys() {
    detects_in_scenario(Mutation::AskersReruns, 1, |world, seed| {
        let mut world = world.shared();
        world.jobs[0].lasts = (100 * SECOND, 100 * SECOND);
        // The first server in rank does not permit reruns, and the others do.
        let first = first_in_rank(&world);
        world.start_all();
        world.jobs[0].configs[first].rerun = 0;
        let first = world.run_until_started(tick(1));
        world
            .lease
            .schedule(world.now() + seed * 30 * MILLISECOND, Fault::Reboot(first));
        ends_badly(&mut world, minute(1) + 40 * SECOND)
    });
}

#[test]
fn detects_a_tick_that_is_claimed_though_it_is_closed() {
    detects_in_random_histories(Mutation::ClosedIsIgnored, |broken| {
        matches!(broken, Broken::MissedAndStarted { .. } | Broken::StartedTwice { .. })
    });
}

#[test]
fn detects_a_claim_without_a_permission() {
    detects_in_random_histories(Mutation::ClaimWithoutPermission, |broken| {
        matches!(broken, Broken::TooManyChanges { .. })
    });
}

#[test]
fn detects_a_lost_run_that_is_not_given_up() {
    detects_in_scenario(Mutation::LostRunsStay, 0, |mut world, _| {
        world.start_all();
        let first = world.run_until_started(tick(1));
        world.schedule(world.now() + SECOND, TickFault::KillRcron(first));
        ends_badly(&mut world, minute(1) + 40 * SECOND) || !world.entries().is_empty()
    });
}
