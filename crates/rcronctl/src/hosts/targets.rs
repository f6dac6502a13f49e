//! Which servers the options name.

use super::HostName;
use super::name::BadHostName;
use crate::cli;
use crate::daemon;
use crate::failure::Failure;
use crate::output::warn;
use control::Report;
use policy::display::escaped;
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
    Refused(String, BadHostName),
}

/// The servers of `--host` in this order, then those that rcrond knows, each once.
pub(super) fn find_targets(options: &cli::Hosts) -> Result<Vec<Target>, Failure> {
    let mut own = vec![String::from_utf8_lossy(&environment::node_name()).into_owned()];
    let mut names: Vec<String> = options.host.iter().map(|host| host.as_str().to_owned()).collect();
    if options.hosts {
        let report = daemon::fetch_report(options.socket.path(), true)?;
        names.extend(nodes(&report)?);
        own.push(report.node);
    }
    let targets = targets(names, &own);
    if targets.len() > MOST {
        return Err(Failure::new(format!(
            "{} servers are too many: the journals of at most {MOST} are read at once",
            targets.len()
        )));
    }
    Ok(targets)
}

/// The names of all nodes, in their order in the report.
fn nodes(report: &Report) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = vec![report.node.clone()];
    let nodes = report.clusters.iter().flat_map(|cluster| &cluster.nodes);
    names.extend(nodes.map(|node| node.name.clone()));
    let failure = match &report.store.failure {
        Some(failure) => escaped(failure).into_owned(),
        None if report.store.answers => return Ok(names),
        None => "the store does not answer".to_owned(),
    };
    if names.len() == 1 {
        return Err(Failure::new(format!(
            "rcrond does not know the other servers: {failure}; name them with --host"
        )));
    }
    warn(format_args!("rcrond may not know all servers: {failure}"));
    Ok(names)
}

fn targets(names: Vec<String>, own: &[String]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for name in names {
        let target = match HostName::parse(&name) {
            _ if own.contains(&name) => Target::This(name),
            Ok(host) => Target::Other(host),
            Err(error) => Target::Refused(name, error),
        };
        let is_this = |target: &Target| matches!(target, Target::This(_));
        if !targets.contains(&target) && !(is_this(&target) && targets.iter().any(is_this)) {
            targets.push(target);
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_read_once_and_this_one_directly() {
        let names = [
            "db1",
            "db2",
            "db1",
            "here",
            "-oProxyCommand=id",
            "here.example.org",
            "db2",
        ];
        let own = ["here.example.org".to_owned(), "here".to_owned()];
        let found = targets(names.map(str::to_owned).to_vec(), &own);
        let other = |name: &str| Target::Other(HostName::parse(name).expect("a name"));
        let expected = [
            other("db1"),
            other("db2"),
            Target::This("here".to_owned()),
            Target::Refused("-oProxyCommand=id".to_owned(), BadHostName),
        ];
        assert_eq!(found, expected);
    }
}
