//! How the servers of each cluster differ, as rcrond has found it.
//!
//! All texts are from records that other servers have written.

mod words;

use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use super::switch::Switch;
use crate::daemon::{self, QUICK};
use control::{Difference, DifferenceKind, DriftReport};
use jobs::root::Root;
use policy::display::escaped;
use words::{Words, nodes};

/// `answer` is rcrond's own report: without a session in its store, it knows no other server.
pub(crate) fn check(root: &Root, switch: &Switch, answer: &control::Report, report: &mut Report) {
    if !answer.store.answers || !answer.store.session {
        return;
    }
    let Ok(socket) = root.locate(&switch.socket) else {
        return;
    };
    let socket = socket.outside;
    match daemon::fetch_drift(&socket, QUICK) {
        Ok(drift) => add(&Place::file(&socket), &drift, report),
        Err(no_report) => {
            let text = format!("how the servers differ: {}", escaped(&no_report.to_string()));
            report.missed(Group::Servers, text);
        }
    }
}

fn add(place: &Place, drift: &DriftReport, report: &mut Report) {
    for cluster in drift.clusters.iter().filter(|cluster| cluster.nodes.len() > 1) {
        let (name, nodes) = (escaped(&cluster.name), nodes(&cluster.nodes));
        report.saw(Group::Servers, format!("cluster {name}: {nodes}"));
    }
    for difference in &drift.differences {
        match kind(difference.kind) {
            Some(kind) => report.add(finding(kind, place, difference)),
            None => {
                let cluster = escaped(&difference.cluster);
                let text = format!("cluster {cluster}: a difference that only a later version of rcronctl can explain");
                report.missed(Group::Servers, text);
            }
        }
    }
    if drift.is_partial {
        let text = "how the servers differ except in your own jobs: only root and rcrond's own user see that";
        report.missed(Group::Servers, text);
    }
    if drift.unread > 0 {
        let DriftReport { nodes, unread, .. } = drift;
        let text = format!("{unread} of {nodes} servers: they are too many, or publish too much, to compare all");
        report.missed(Group::Servers, text);
    }
    if drift.is_cut {
        report.missed(
            Group::Servers,
            "further differences between the servers: there are too many",
        );
    }
}

fn finding(kind: Kind, place: &Place, difference: &Difference) -> Finding {
    let Words { what, why, remedy } = Words::of(difference);
    let what = format!("cluster {}: {what}", escaped(&difference.cluster));
    let finding = match kind {
        Kind::DriftVersion | Kind::DriftNotPublished | Kind::DriftIncomplete | Kind::DriftNoSession => {
            Finding::doubtful(kind, place, what, remedy)
        }
        _ => Finding::wrong(kind, place, what, remedy),
    };
    finding.because(why)
}

/// `None` for a kind that only a later version knows.
const fn kind(kind: DifferenceKind) -> Option<Kind> {
    Some(match kind {
        DifferenceKind::JobMissing => Kind::DriftJobMissing,
        DifferenceKind::Schedule => Kind::DriftSchedule,
        DifferenceKind::JobZone => Kind::DriftJobZone,
        DifferenceKind::OncePerTick => Kind::DriftOncePerTick,
        DifferenceKind::Command => Kind::DriftCommand,
        DifferenceKind::RcronKey => Kind::DriftRcronConf,
        DifferenceKind::RcrondKey => Kind::DriftRcrondToml,
        DifferenceKind::RcronVersion | DifferenceKind::RcrondVersion => Kind::DriftVersion,
        DifferenceKind::CronZone => Kind::DriftCronZone,
        DifferenceKind::CronStopped => Kind::DriftCronStopped,
        DifferenceKind::Clock => Kind::DriftClock,
        DifferenceKind::Unreadable => Kind::DriftUnreadable,
        DifferenceKind::NotPublished => Kind::DriftNotPublished,
        DifferenceKind::Incomplete => Kind::DriftIncomplete,
        DifferenceKind::NoSession => Kind::DriftNoSession,
        DifferenceKind::Unknown => return None,
    })
}
