//! `run_on = "any"`: which server claims first.
//!
//! Rendezvous hashing (Thaler and Ravishankar, 1998): each server gets a number from a hash of job and server, and the highest is
//! first. If a server is lost, only its own jobs move.

use super::job::JobKey;
use alloc::vec::Vec;
use core::time::Duration;
use lease::NodeName;

/// How long the second server leaves a tick to the first.
const SECOND: Duration = Duration::from_secs(1);
/// How long each further server waits in addition.
const FURTHER: Duration = Duration::from_millis(300);

/// How long after its rcron's start this node waits before it claims a tick of this job. `nodes` are those that have the job in
/// their crontab. A node that is not among them comes last.
#[must_use]
pub fn delay(job: &JobKey, node: &NodeName, nodes: &[NodeName]) -> Duration {
    let mut others: Vec<&NodeName> = nodes.iter().filter(|other| *other != node).collect();
    others.sort_unstable();
    others.dedup();
    let is_among = nodes.contains(node);
    let own = (score(job, node), node);
    let before = others
        .iter()
        .filter(|other| !is_among || (score(job, other), **other) > own);
    match u32::try_from(before.count()).unwrap_or(u32::MAX) {
        0 => Duration::ZERO,
        rank => SECOND + FURTHER * (rank - 1).min(1000),
    }
}

/// FNV-1a of job and node, mixed as SplitMix64 does, because the last bytes of FNV-1a alone reach too few bits. The same on every
/// server and in every version: servers must agree.
fn score(job: &JobKey, node: &NodeName) -> u64 {
    let path = job.path();
    let bytes = path.bytes().chain([0]).chain(node.as_str().bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use lease::ClusterName;

    fn nodes(names: &[&str]) -> Vec<NodeName> {
        names.iter().map(|name| NodeName::new(name).expect("a name")).collect()
    }

    fn job(number: usize) -> JobKey {
        JobKey::new(ClusterName::new("main"), "root", &format!("job{number}"))
    }

    fn first<'a>(job: &JobKey, nodes: &'a [NodeName]) -> &'a NodeName {
        let mut firsts = nodes.iter().filter(|node| delay(job, node, nodes).is_zero());
        let first = firsts.next().expect("one is first");
        assert_eq!(firsts.next(), None, "one only");
        first
    }

    #[test]
    fn each_server_has_a_place_of_its_own() {
        let nodes = nodes(&["web1", "web2", "web3"]);
        let mut delays: Vec<_> = nodes.iter().map(|node| delay(&job(1), node, &nodes)).collect();
        delays.sort_unstable();
        let expected = [0, 1000, 1300].map(Duration::from_millis);
        assert_eq!(delays, expected);
        let stranger = NodeName::new("new").expect("a name");
        assert_eq!(delay(&job(1), &stranger, &nodes), Duration::from_millis(1600));
        assert_eq!(delay(&job(1), &stranger, &[]), Duration::ZERO);
    }

    #[test]
    fn thirty_jobs_are_spread_over_three_servers() {
        for names in [
            ["web1", "web2", "web3"],
            ["a", "b", "c"],
            ["db-01.example.org", "db-02.example.org", "db-03.example.org"],
        ] {
            let nodes = nodes(&names);
            for node in &nodes {
                let count = (0..30).filter(|number| first(&job(*number), &nodes) == node).count();
                assert!((3..=18).contains(&count), "{node:?} has {count}");
            }
        }
    }

    #[test]
    fn the_loss_of_a_server_moves_only_its_own_jobs() {
        let all = nodes(&["web1", "web2", "web3"]);
        let left = &all[..2];
        for number in 0..100 {
            let before = first(&job(number), &all);
            if left.contains(before) {
                assert_eq!(first(&job(number), left), before);
            }
        }
    }
}
