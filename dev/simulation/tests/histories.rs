//! Random histories: at most one node is active, epochs only grow, and a node is active once all faults have ended.

use simulation::history::run_history;

#[test]
fn a_few_thousand_random_histories_keep_every_promise() {
    for seed in 0..3000 {
        let outcome = run_history(seed, None, false);
        if let Some(violation) = outcome.violation {
            panic!("history {seed}, {violation}\ncargo run --release -p rcron-simulation -- --trace {seed}");
        }
    }
}

#[test]
fn a_history_is_the_same_each_time() {
    for seed in 0..20 {
        let (first, second) = (run_history(seed, None, true), run_history(seed, None, true));
        assert_eq!(first.trace, second.trace, "{seed}");
        assert_eq!(first.events, second.events, "{seed}");
    }
}
