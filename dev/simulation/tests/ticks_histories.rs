//! Random histories of both machines: each tick is started at most once, and recorded.

use simulation::ticks::history::run_history;

#[test]
fn a_few_thousand_random_histories_keep_every_promise() {
    let mut starts = 0;
    for seed in 0..2000 {
        let outcome = run_history(seed, None, false);
        if let Some(violation) = outcome.violation {
            panic!("history {seed}, {violation}\ncargo run --release -p rcron-simulation -- --ticks --trace {seed}");
        }
        starts += outcome.starts;
    }
    assert!(starts > 4000, "only {starts} ticks were started");
}

#[test]
fn a_history_is_the_same_each_time() {
    for seed in 0..20 {
        let (first, second) = (run_history(seed, None, true), run_history(seed, None, true));
        assert_eq!(first.trace, second.trace, "{seed}");
        assert_eq!(first.events, second.events, "{seed}");
    }
}
