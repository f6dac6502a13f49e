//! Which servers the options name.

use super::HostName;
use super::name::BadNodeName;
use crate::cli;
use crate::daemon;
use crate::failure::Failure;
use crate::output::warn;
use control::{Report, Role};
use policy::display::escaped;
use std::collections::BTreeSet;
use sys::environment;

/// More than any cluster has. The names come from the store, which may be hostile.
pub(super) const MOST: usize = 200;

/// A server whose journal is to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// This one, which needs no connection.
    This(String),
    Other(HostName),
    /// The name of a node that is not given to ssh.
    Refused(String, BadNodeName),
    /// A node that is not asked, because it is gone: each costs the time of a connection that fails.
    Gone(String),
}

/// The servers of `--host` in this order, then those that rcrond knows, each once.
pub(super) fn find_targets(options: &cli::Hosts) -> Result<Vec<Target>, Failure> {
    let mut own = vec![String::from_utf8_lossy(&environment::node_name()).into_owned()];
    let mut named: Vec<Target> = options.host.iter().cloned().map(Target::Other).collect();
    if options.known {
        let report = daemon::fetch_report(options.socket.path(), true)?;
        named.extend(nodes(&report)?);
        own.push(report.node);
    }
    let targets = each_once(named, &own);
    let count = targets.iter().filter(|target| !target.is_gone()).count();
    if count > MOST {
        return Err(Failure::new(format!(
            "{count} servers are too many: the journals of at most {MOST} are read at once"
        )));
    }
    Ok(targets)
}

/// All nodes, in their order in the report.
fn nodes(report: &Report) -> Result<Vec<Target>, Failure> {
    let nodes = || report.clusters.iter().flat_map(|cluster| &cluster.nodes);
    let alive: BTreeSet<&str> = nodes()
        .filter(|node| node.role != Role::Gone)
        .map(|node| node.name.as_str())
        .collect();
    let mut targets = vec![Target::This(report.node.clone())];
    targets.extend(nodes().map(|node| Target::of_node(&node.name, alive.contains(node.name.as_str()))));
    let failure = match &report.store.failure {
        Some(failure) => escaped(failure).into_owned(),
        None if report.store.answers => return Ok(targets),
        None => "the store does not answer".to_owned(),
    };
    if targets.len() == 1 {
        return Err(Failure::new(format!(
            "rcrond does not know the other servers: {failure}; name them with --host"
        )));
    }
    warn(format_args!("rcrond may not know all servers: {failure}"));
    Ok(targets)
}

fn each_once(named: Vec<Target>, own: &[String]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for target in named {
        let target = match target.name() {
            name if own.iter().any(|own| own == name) => Target::This(name.to_owned()),
            _ => target,
        };
        let is_same = |known: &Target| known.name() == target.name() || known.is_this() && target.is_this();
        if !targets.iter().any(is_same) {
            targets.push(target);
        }
    }
    targets
}

impl Target {
    fn of_node(name: &str, is_alive: bool) -> Self {
        match HostName::of_node(name) {
            _ if !is_alive => Self::Gone(name.to_owned()),
            Ok(host) => Self::Other(host),
            Err(error) => Self::Refused(name.to_owned(), error),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Other(host) => host.as_str(),
            Self::This(name) | Self::Refused(name, _) | Self::Gone(name) => name,
        }
    }

    pub(super) fn other(&self) -> Option<&HostName> {
        match self {
            Self::Other(host) => Some(host),
            Self::This(_) | Self::Refused(..) | Self::Gone(_) => None,
        }
    }

    fn is_this(&self) -> bool {
        matches!(self, Self::This(_))
    }

    fn is_gone(&self) -> bool {
        matches!(self, Self::Gone(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_read_once_and_this_one_directly() {
        let other = |name: &str| Target::Other(HostName::parse(name).expect("a name"));
        let gone = |name: &str| Target::Gone(name.to_owned());
        let this = |name: &str| Target::This(name.to_owned());
        let named = ["db1", "db2", "db1", "here", "here.example.org", "db2"].map(other);
        let nodes = [
            this("here.example.org"),
            Target::of_node("root@db9", true),
            gone("db1"),
            gone("db3"),
            gone("db3"),
            gone("here"),
        ];
        let own = ["here.example.org".to_owned(), "here".to_owned()];
        let found = each_once(named.into_iter().chain(nodes).collect(), &own);
        let expected = [
            other("db1"),
            other("db2"),
            this("here"),
            Target::Refused("root@db9".to_owned(), BadNodeName),
            gone("db3"),
        ];
        assert_eq!(found, expected);
    }
}
