//! Whether rcrond answers, and what is wrong by its own report.

use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use super::switch::Switch;
use crate::daemon::{QUICK, drain_origin};
use control::client::{self, NoAnswer};
use control::{ClusterReport, Request, Response, Role, StoreReport};
use jobs::root::Root;
use policy::display::escaped;
use std::io::ErrorKind;

/// Returns rcrond's own report, if it answers. A missing socket is not a finding: not every cluster uses rcrond.
pub(crate) fn check(root: &Root, switch: &Switch, report: &mut Report) -> Option<control::Report> {
    let socket = root.locate(&switch.socket).ok()?.outside;
    let place = Place::file(&socket);
    let why = match client::ask(&socket, &Request::Status { nodes: false }, QUICK) {
        Err(NoAnswer::NoSocket) => return None,
        Err(NoAnswer::System(error)) if error.kind() == ErrorKind::PermissionDenied => {
            report.cannot_read(Group::Programs, &socket, &error);
            return None;
        }
        Ok(Response::Status(answer)) => {
            let (version, node) = (escaped(&answer.version), escaped(&answer.node));
            let text = format!("{place}: rcrond {version} answers, on node {node}");
            report.saw(Group::Programs, text);
            examine(&place, &answer, report);
            return Some(answer);
        }
        Ok(Response::Error { message } | Response::Refused { message }) => message,
        Ok(_) => "the answer does not match the request".to_owned(),
        Err(no_answer) => no_answer.to_string(),
    };
    let what = format!("rcrond does not answer: {}", escaped(&why));
    let remedy = "start it (systemctl start rcrond); if it should not run here any more, remove the socket";
    let finding = Finding::wrong(Kind::RcrondSilent, &place, what, remedy);
    report.add(finding.because("a lease that is not renewed expires, and this server becomes passive"));
    None
}

fn examine(place: &Place, answer: &control::Report, report: &mut Report) {
    check_store(place, &answer.node, &answer.store, report);
    for cluster in &answer.clusters {
        check_cluster(place, cluster, report);
    }
}

fn check_store(place: &Place, node: &str, store: &StoreReport, report: &mut Report) {
    let (kind, servers) = (escaped(&store.kind).into_owned(), store.servers.join(", "));
    if !store.answers {
        let why = store.failure.as_deref().unwrap_or("it has not answered yet");
        let what = format!("rcrond does not reach its store ({kind}): {}", escaped(why));
        let remedy = format!(
            "check the servers and the network, then rcrond --check: {}",
            escaped(&servers)
        );
        let finding = Finding::wrong(Kind::RcrondStore, place, what, remedy);
        report.add(finding.because("without the store, this server becomes passive, and cannot become active"));
    } else if !store.session {
        let what = format!("rcrond has no session in its store, although the store ({kind}) answers");
        let (what, remedy) = match store.session_failure.as_deref() {
            Some(why) => (
                format!("{what}: {}", escaped(why)),
                "see journalctl -u rcrond".to_owned(),
            ),
            // It was started a moment ago, or it is of an earlier version.
            None => (
                what,
                format!(
                    "see journalctl -u rcrond; if another server also uses the node name {}, give each its own",
                    escaped(node)
                ),
            ),
        };
        let finding = Finding::wrong(Kind::RcrondNoSession, place, what, remedy);
        report.add(finding.because("this server cannot become active"));
    } else if let Some(why) = store.watch_failure.as_deref().filter(|_| !store.watching) {
        let what = format!("the store ({kind}) reports no changes to rcrond: {}", escaped(why));
        let finding = Finding::doubtful(
            Kind::RcrondPolling,
            place,
            what,
            "see rcrond(8), and journalctl -u rcrond",
        );
        report.add(finding.because("rcrond asks the store at intervals instead, and notices changes later"));
    }
}

fn check_cluster(place: &Place, cluster: &ClusterReport, report: &mut Report) {
    let (name, file) = (escaped(&cluster.name), escaped(&cluster.state_file));
    if matches!(cluster.role, Role::Drained | Role::Draining) {
        let origin = cluster
            .drain
            .as_ref()
            .map_or_else(String::new, |origin| format!(" {}", drain_origin(origin)));
        let what = format!("this server is drained for cluster {name}{origin}");
        let remedy = format!("when the maintenance is over: rcronctl undrain --cluster {name}");
        let finding = Finding::doubtful(Kind::RcrondDrained, place, what, remedy);
        report.add(finding.because("it does not take the cluster over until then, even if no other server is left"));
    }
    if !cluster.writable {
        let what = format!("rcrond could not write the state file of cluster {name}: {file}");
        let remedy =
            "see journalctl -u rcrond, and let rcrond write there (ReadWritePaths= in its unit, space on the disk)";
        let finding = Finding::wrong(Kind::RcrondUnwritable, place, what, remedy);
        report.add(finding.because("the jobs of this server go by an old state"));
    }
}
