//! Groups of nodes whose wall clocks agree.

use super::groups::{Groups, of_values};
use control::DriftValue;
use std::time::Duration;

/// `clocks` has how far each clock is ahead of this server's, in milliseconds. The values of the groups count from the clocks of most
/// nodes, or from this server's if as many nodes have another time.
pub(super) fn group(mut clocks: Vec<(i64, &str)>, max_skew: Duration) -> Option<Groups> {
    let limit = i64::try_from(max_skew.as_millis()).unwrap_or(i64::MAX);
    clocks.sort_unstable();
    let mut groups: Vec<(i64, Vec<&str>)> = Vec::new();
    for (ahead, node) in clocks {
        match groups.last_mut() {
            Some((first, nodes)) if ahead.saturating_sub(*first) <= limit => nodes.push(node),
            _ => groups.push((ahead, vec![node])),
        }
    }
    let largest = groups.iter().map(|(_, nodes)| nodes.len()).max()?;
    let mut large = groups.iter().filter(|(_, nodes)| nodes.len() == largest);
    let reference = match (large.next(), large.next()) {
        (Some((ahead, _)), None) => *ahead,
        _ => 0,
    };
    let value = |(ahead, nodes): (i64, Vec<&str>)| DriftValue {
        value: ahead.saturating_sub(reference).to_string(),
        nodes: nodes.into_iter().map(str::to_owned).collect(),
    };
    of_values(groups.into_iter().map(value).collect())
}
