//! The situations for which `once_per_tick` was made, each with the right outcome (docs/once-per-tick.md).

use simulation::clock::TRUE_RATE;
use simulation::faults::Fault;
use simulation::store::{Loss, Store};
use simulation::ticks::faults::TickFault;
use simulation::ticks::fixture::{minute, tick, ticks_without_faults};
use simulation::ticks::world::TickWorld;
use simulation::{MILLISECOND, Micros, SECOND};

const HOUR: i64 = 3_600_000_000;

/// n0 is active, n1 and n2 are passive, and the first tick is a second away.
fn three_servers(rerun: u32, seed: u64) -> TickWorld {
    before_the_tick(ticks_without_faults(&[TRUE_RATE; 3], rerun, seed))
}

/// As [`three_servers`], and all may start ticks.
fn three_that_share(rerun: u32, seed: u64) -> TickWorld {
    before_the_tick(ticks_without_faults(&[TRUE_RATE; 3], rerun, seed).shared())
}

fn before_the_tick(mut world: TickWorld) -> TickWorld {
    world.lease.trace = Some(Vec::new());
    world.start_all();
    run(&mut world, minute(1) - SECOND);
    world
}

fn run(world: &mut TickWorld, end: Micros) {
    world.run_until(end).expect("no broken promise");
}

/// Whether the trace has this text.
fn was_traced(world: &TickWorld, text: &str) -> bool {
    world.lease.trace.iter().flatten().any(|line| line.contains(text))
}

mod the_active_server_dies {
    use super::*;

    #[test]
    fn before_the_tick() {
        for early in [20 * MILLISECOND, 500 * MILLISECOND] {
            let mut world = three_servers(0, early);
            world.lease.schedule(minute(1) - early, Fault::Reboot(0));
            let starter = world.run_until_started(tick(1));
            assert_ne!(starter, 0);
            run(&mut world, minute(2) - SECOND);
            assert_eq!(world.starts_of(tick(1)), 1);
            let ended = format!("attempt 1 on n{starter}: Exited(0)");
            assert_eq!(world.results_of(tick(1)), [ended]);
        }
    }

    /// n0's cron fires within 50 ms, and a claim takes some 10 ms. So n0 has claimed the tick or not, and started the job or not.
    #[test]
    fn at_the_tick() {
        let mut claimed = Vec::new();
        for late in (0..60).step_by(4) {
            let mut world = three_servers(0, late);
            world.lease.schedule(minute(1) + late * MILLISECOND, Fault::Reboot(0));
            run(&mut world, minute(2) + 10 * SECOND);
            let results = world.results_of(tick(1));
            let is_of_the_first = results == ["attempt 1 on n0: Interrupted"];
            match world.starters_of(tick(1))[..] {
                [] | [0] => assert!(is_of_the_first, "{results:?}"),
                [other] => assert_eq!(results, [format!("attempt 1 on n{other}: Exited(0)")]),
                _ => panic!("started {} times", world.starts_of(tick(1))),
            }
            claimed.push(is_of_the_first);
        }
        assert!(claimed.contains(&true) && claimed.contains(&false), "{claimed:?}");
    }

    #[test]
    fn while_the_job_runs() {
        let mut world = three_servers(0, 1);
        world.lease.schedule(minute(1) + 2 * SECOND, Fault::Reboot(0));
        run(&mut world, minute(2) + 10 * SECOND);
        assert_eq!(world.results_of(tick(1)), ["attempt 1 on n0: Interrupted"]);
        assert_ne!(world.starters_of(tick(2)), [0]);
        assert_eq!(world.starts_of(tick(2)), 1);
    }

    #[test]
    fn for_longer_than_start_within_together_with_the_others() {
        let mut world = three_servers(0, 1);
        for node in 0..3 {
            world.lease.schedule(minute(1) - SECOND, Fault::Kill(node));
            world.lease.schedule(minute(1) + 31 * SECOND, Fault::Start(node));
        }
        run(&mut world, minute(2) + 10 * SECOND);
        assert_eq!(world.starts_of(tick(1)), 0);
        assert_eq!(world.results_of(tick(1)), ["Missed(NotRunning)"]);
        assert_eq!(world.starts_of(tick(2)), 1);
    }
}

mod clocks {
    use super::*;

    #[test]
    fn a_late_server_that_becomes_active_does_not_run_the_tick_again() {
        for seed in 0..10 {
            let mut world = ticks_without_faults(&[TRUE_RATE; 2], 0, seed);
            world.servers[1].ahead = -20_000_000;
            world.checker.has_right_clocks = false;
            let mut world = before_the_tick(world);
            world.lease.schedule(minute(1) + 10 * SECOND, Fault::Drain(0, false));
            run(&mut world, minute(1) + 19 * SECOND);
            assert_eq!(world.lease.active_nodes(), [1]);
            run(&mut world, minute(1) + 40 * SECOND);
            assert_eq!(world.starters_of(tick(1)), [0]);
            assert!(was_traced(&world, "hears over reason=done why=- by=n0"));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_runs_no_tick_again() {
        for seed in 0..10 {
            for ahead in [-10_000_000, -HOUR] {
                let mut world = three_servers(0, seed);
                world.schedule(minute(1) + 8 * SECOND, TickFault::SetClock(0, ahead));
                world.schedule(minute(1) + 50 * SECOND, TickFault::SetClock(0, 0));
                // cron starts what it has started already.
                world.schedule(minute(1) + 9 * SECOND, TickFault::Start(0, 0));
                world.schedule(minute(1) + 12 * SECOND, TickFault::Start(0, 0));
                run(&mut world, minute(1) + 59 * SECOND);
                assert_eq!(world.starts(), 1);
                run(&mut world, minute(3) - SECOND);
                assert_eq!((world.starts_of(tick(2)), world.starts()), (1, 2));
            }
        }
    }

    /// The active server's clock is an hour ahead for two minutes.
    #[test]
    fn what_a_clock_that_was_ahead_has_closed_can_be_opened_again() {
        for reopens in [false, true] {
            let mut world = three_servers(0, 1);
            world.checker.has_right_clocks = false;
            world.schedule(minute(1) + 20 * SECOND, TickFault::SetClock(0, HOUR));
            world.schedule(minute(3) + 20 * SECOND, TickFault::SetClock(0, 0));
            world.schedule(minute(2) + SECOND, TickFault::Start(0, 0));
            if reopens {
                world.schedule(minute(4) + 30 * SECOND, TickFault::Reopen(1, 0));
            }
            run(&mut world, minute(6) - SECOND);
            assert_eq!(world.starters_of(tick(62)), [0], "by the wrong clock");
            assert_eq!(world.starts_of(tick(4)), 0);
            assert_eq!(world.starts_of(tick(5)), u32::from(reopens));
        }
    }

    /// All servers boot in the next year, and the floor is set there.
    #[test]
    fn a_floor_that_was_set_by_a_wrong_clock_can_be_lowered() {
        for reopens in [false, true] {
            let mut world = ticks_without_faults(&[TRUE_RATE; 3], 0, 1);
            world.checker.has_right_clocks = false;
            for node in 0..3 {
                world.servers[node].ahead = 365 * 24 * HOUR;
                world.schedule(40 * SECOND, TickFault::SetClock(node, 0));
            }
            world.start_all();
            world.schedule(30 * SECOND, TickFault::Start(0, 0));
            if reopens {
                world.schedule(minute(1) + 40 * SECOND, TickFault::Reopen(2, 0));
            }
            run(&mut world, minute(3) - SECOND);
            assert_eq!(world.starts_of(tick(1)), 0);
            assert_eq!(world.starts_of(tick(2)), u32::from(reopens));
        }
    }
}

mod grants {
    use super::*;

    #[test]
    fn a_frozen_rcron_gives_its_grant_back_and_may_get_another() {
        let mut world = three_servers(0, 1);
        assert_eq!(world.run_until_granted(tick(1)), 0);
        world.schedule(world.now(), TickFault::StopRcron(0, 20 * SECOND));
        run(&mut world, minute(1) + 19 * SECOND);
        assert_eq!(world.starts(), 0);
        run(&mut world, minute(1) + 40 * SECOND);
        assert!(was_traced(&world, "does not use its grant"));
        assert_eq!(world.starters_of(tick(1)), [0]);
        assert_eq!(world.results_of(tick(1)), ["attempt 1 on n0: Exited(0)"]);
    }

    #[test]
    fn a_frozen_rcron_whose_server_is_drained_leaves_the_tick_to_another() {
        let mut world = three_servers(0, 1);
        assert_eq!(world.run_until_granted(tick(1)), 0);
        world.schedule(world.now(), TickFault::StopRcron(0, 9 * SECOND));
        world.lease.schedule(minute(1) + 2 * SECOND, Fault::Drain(0, false));
        let starter = world.run_until_started(tick(1));
        assert_ne!(starter, 0);
        run(&mut world, minute(1) + 40 * SECOND);
        assert_eq!(world.starts(), 1);
    }

    #[test]
    fn an_rcron_that_is_frozen_until_it_is_too_late_starts_nothing() {
        let mut world = three_servers(0, 1);
        assert_eq!(world.run_until_granted(tick(1)), 0);
        world.schedule(world.now(), TickFault::StopRcron(0, 35 * SECOND));
        run(&mut world, minute(1) + 50 * SECOND);
        assert_eq!(world.starts(), 0);
        assert_eq!(world.results_of(tick(1)), ["attempt 1 on n0: Missed(NotAsked)"]);
        assert!(world.entries().is_empty());
    }

    #[test]
    fn a_claim_whose_answer_is_lost_is_found_by_the_next_read() {
        for shares in [false, true] {
            let mut world = if shares {
                three_that_share(0, 1)
            } else {
                three_servers(0, 1)
            };
            let first = world.run_until_granted(tick(1));
            world.schedule(world.now(), TickFault::CutClaims(first, true));
            world.schedule(world.now() + 3 * SECOND, TickFault::CutClaims(first, false));
            run(&mut world, minute(1) + 2 * SECOND);
            assert_eq!(world.starts(), 0, "no answer is no grant");
            run(&mut world, minute(1) + 40 * SECOND);
            assert_eq!(world.starters_of(tick(1)), [first]);
        }
    }

    #[test]
    fn a_store_that_loses_a_claim_does_not_grant_it_again() {
        let losses = [(Loss::Back, true), (Loss::All, true), (Loss::All, false)];
        for (loss, has_incarnation) in losses {
            for shares in [false, true] {
                let mut world = ticks_without_faults(&[TRUE_RATE; 3], 0, 1);
                world.lease.store = Store::new(has_incarnation, false);
                let world = if shares { world.shared() } else { world };
                let mut world = before_the_tick(world);
                world.lease.schedule(minute(1) - SECOND / 2, Fault::Snapshot);
                let first = world.run_until_granted(tick(1));
                world.lease.schedule(world.now(), Fault::StoreLoses(loss));
                run(&mut world, minute(1) + 40 * SECOND);
                assert_eq!(world.starters_of(tick(1)), [first], "{loss:?}");
                run(&mut world, minute(2) + 40 * SECOND);
                assert_eq!(world.starts_of(tick(2)), 1, "{loss:?}");
            }
        }
    }
}

mod runs {
    use super::*;

    /// The first server is lost at this time after the tick, which has begun a run of 20 s.
    fn lose_the_first(shares: bool, rerun: u32, after: Micros) -> (TickWorld, usize) {
        let world = if shares {
            three_that_share(rerun, 1)
        } else {
            three_servers(rerun, 1)
        };
        let mut world = world;
        world.jobs[0].lasts = (20 * SECOND, 20 * SECOND);
        let first = world.run_until_started(tick(1));
        world.lease.schedule(minute(1) + after, Fault::Reboot(first));
        (world, first)
    }

    #[test]
    fn a_run_that_was_cut_off_is_started_again() {
        for shares in [false, true] {
            let (mut world, first) = lose_the_first(shares, 1, 10 * SECOND);
            run(&mut world, minute(2) - SECOND);
            let starters = world.starters_of(tick(1));
            assert_eq!((starters.len(), starters[0]), (2, first));
            let (cut_off, ended) = ("Interrupted", "Exited(0)");
            let attempts = [
                format!("attempt 1 on n{first}: {cut_off}"),
                format!("attempt 2 on n{}: {ended}", starters[1]),
            ];
            assert_eq!(world.results_of(tick(1)), attempts);
        }
    }

    #[test]
    fn a_run_is_not_started_again_more_often_than_it_may() {
        let (mut world, first) = lose_the_first(true, 1, 5 * SECOND);
        while world.starts_of(tick(1)) < 2 {
            let next = world.now() + MILLISECOND;
            run(&mut world, next);
            assert!(next < minute(2), "not started again");
        }
        let second = world.starters_of(tick(1))[1];
        assert_ne!(first, second);
        world.lease.schedule(world.now() + SECOND, Fault::Reboot(second));
        run(&mut world, minute(3));
        assert_eq!(world.starts_of(tick(1)), 2);
        let results = world.results_of(tick(1));
        assert!(
            results.iter().all(|ended| ended.ends_with("Interrupted")),
            "{results:?}"
        );
        assert_eq!(results.len(), 2);
    }

    #[test]
    fn a_handover_starts_the_run_again_at_once() {
        let mut world = three_servers(1, 1);
        world.jobs[0].lasts = (20 * SECOND, 20 * SECOND);
        assert_eq!(world.run_until_started(tick(1)), 0);
        world.lease.schedule(minute(1) + 5 * SECOND, Fault::Drain(0, false));
        run(&mut world, minute(1) + 8 * SECOND);
        assert_eq!(world.starts_of(tick(1)), 2);
        run(&mut world, minute(2) - SECOND);
        assert_eq!(world.starts_of(tick(1)), 2);
    }

    #[test]
    fn a_tick_is_skipped_while_an_earlier_one_runs() {
        for shares in [false, true] {
            let mut world = if shares {
                three_that_share(0, 1)
            } else {
                three_servers(0, 1)
            };
            world.jobs[0].lasts = (70 * SECOND, 70 * SECOND);
            for config in &mut world.jobs[0].configs {
                config.skips_overlap = true;
            }
            run(&mut world, minute(4) + 30 * SECOND);
            let starts = [1, 2, 3, 4].map(|minute| world.starts_of(tick(minute)));
            assert_eq!(starts, [1, 0, 1, 0]);
            assert_eq!(world.results_of(tick(2)), ["Skipped"]);
            assert_eq!(world.results_of(tick(4)), ["Skipped"]);
        }
    }

    /// The next tick waits until it is known that the run is over.
    #[test]
    fn a_run_that_died_with_its_server_does_not_hold_up_the_next_tick() {
        let mut world = three_servers(0, 1);
        world.jobs[0].lasts = (200 * SECOND, 200 * SECOND);
        for config in &mut world.jobs[0].configs {
            config.skips_overlap = true;
        }
        world.lease.schedule(minute(2) - SECOND, Fault::Reboot(0));
        run(&mut world, minute(2) + 29 * SECOND);
        assert_eq!(world.starts_of(tick(2)), 1);
        assert_eq!(world.results_of(tick(1)), ["attempt 1 on n0: Interrupted"]);
    }
}
