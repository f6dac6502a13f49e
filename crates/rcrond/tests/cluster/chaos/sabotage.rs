//! The checks must find what rcrond cannot prevent: someone who writes into a state file, and a node that uses other keys in the store.

use super::inject::Injector;
use super::plan::{self, Profile};
use super::{begin, started};
use crate::proof::{active, write};
use crate::scenario::Scenario;
use crate::site::Site;
use crate::stores::redis::Redis;
use nix::sys::signal::Signal;
use testing::until;

const PROFILE: Profile = Profile {
    servers: 1,
    loses_data: false,
    has_clocks: false,
};

/// The violations that are found in a burst of faults during which `sabotage` happens.
fn violations(sabotage: impl FnOnce(&Scenario)) -> Vec<String> {
    let site = Site::new();
    let mut store = started(Redis::new(&site.lab, &site.data(), &site.directory()));
    let scenario = begin(&site, &store, |_| ());
    let mut injector = Injector::new(&scenario, &site, &mut store);
    injector.recover();
    injector.run_burst(&plan::burst(3, 0, PROFILE)[..4]);
    injector.recover();
    sabotage(&scenario);
    scenario.finish()
}

#[test]
#[ignore = "needs root, redis-server, nftables and iproute2: `make test` installs them and runs it"]
fn a_second_writer_of_a_state_file_is_found() {
    let faults = violations(|scenario| {
        let holder = scenario.steady_holder();
        let passive = &scenario.nodes[(holder.node + 1) % 3];
        write(passive, &active(holder.epoch + 1));
        until("two nodes to be active", || {
            (scenario.active().len() == 2).then_some(())
        });
    });
    assert!(
        faults.iter().any(|fault| fault.starts_with("two active for")),
        "{faults:#?}"
    );
}

#[test]
#[ignore = "needs root, redis-server, nftables and iproute2: `make test` installs them and runs it"]
fn a_node_with_another_prefix_is_found() {
    let faults = violations(|scenario| {
        let holder = scenario.steady_holder();
        let other = &scenario.nodes[(holder.node + 1) % 3];
        let mut settings = scenario.settings.clone();
        settings.store += "prefix = \"other:\"\n";
        other.end(Signal::SIGTERM);
        other.configure(&settings);
        other.start();
        until("two nodes to be active", || {
            (scenario.active().len() == 2).then_some(())
        });
    });
    assert!(
        faults.iter().any(|fault| fault.starts_with("two active for")),
        "{faults:#?}"
    );
}
