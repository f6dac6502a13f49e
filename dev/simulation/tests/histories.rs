//! Random histories: never two active, epochs only grow, and somebody is active once all faults have ended.

use simulation::history;

#[test]
fn a_few_thousand_random_histories_keep_every_promise() {
    for seed in 0..3000 {
        let outcome = history::run(seed, None, false);
        if let Some(violation) = outcome.violation {
            panic!("history {seed}, {violation}\ncargo run --release -p rcron-simulation -- --trace {seed}");
        }
    }
}

#[test]
fn a_history_is_the_same_each_time() {
    for seed in 0..20 {
        let (first, second) = (history::run(seed, None, true), history::run(seed, None, true));
        assert_eq!(first.trace, second.trace, "{seed}");
        assert_eq!(first.events, second.events, "{seed}");
    }
}
