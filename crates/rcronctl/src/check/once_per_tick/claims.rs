//! Whether rcrond grants ticks, and whether a wrong clock has closed ticks ahead of time.

use crate::check::finding::{Finding, Place};
use crate::check::kind::{Group, Kind};
use crate::check::report::Report;
use crate::check::switch::Switch;
use crate::daemon::{self, NoReport, QUICK, Reason};
use crate::ticks::ClosedAhead;
use control::client::NoAnswer;
use control::{Request, Response};
use jobs::root::Root;
use policy::display::escaped;
use std::io::ErrorKind;

const EFFECT: &str = "no tick of these jobs is started on this server";

/// `first` is the place of the first job with `once_per_tick`.
pub(super) fn check(root: &Root, switch: &Switch, first: &Place, report: &mut Report) {
    let Ok(socket) = root.locate(&switch.socket) else {
        return;
    };
    let socket = socket.outside;
    let request = Request::Ticks {
        cluster: None,
        user: None,
        job: None,
        since_ms: None,
        missed_only: true,
    };
    let reason = match daemon::ask(&socket, &request, QUICK) {
        Ok(Response::Ticks(ticks)) => {
            let place = Place::file(&socket);
            for ahead in &ticks.ahead {
                let ClosedAhead { what, remedy } = ClosedAhead::explain(ahead);
                let finding = Finding::wrong(Kind::TicksClosedAhead, &place, what, remedy);
                report.add(finding.because("a server's clock was ahead, and has closed ticks that are still to come"));
            }
            for line in &ticks.unreadable {
                report.missed(Group::Programs, format!("{place}: {}", escaped(line)));
            }
            return;
        }
        Ok(answer) => NoReport::of_answer(&socket, answer).reason,
        Err(NoReport { reason, .. }) => reason,
    };
    let (what, remedy) = match reason {
        Reason::NoAnswer(NoAnswer::NoSocket, _) => (
            "once_per_tick is set, but rcrond does not run on this server".to_owned(),
            "configure and start rcrond (systemctl enable --now rcrond), or set once_per_tick = no",
        ),
        Reason::TooOld => (
            "once_per_tick is set, but rcrond on this server is too old to grant ticks".to_owned(),
            "upgrade the package rcrond",
        ),
        // rcrond.rs reports a daemon that does not answer, and a socket that cannot be opened.
        Reason::NoAnswer(NoAnswer::System(error), _) if error.kind() == ErrorKind::PermissionDenied => return,
        Reason::NoAnswer(NoAnswer::NotListening, _) => return,
        reason => {
            let socket = socket.as_path();
            let text = format!(
                "whether ticks are closed ahead of time: {}",
                NoReport { socket, reason }
            );
            report.missed(Group::Programs, text);
            return;
        }
    };
    let finding = Finding::wrong(Kind::OncePerTickRcrond, first, what, remedy);
    report.add(finding.because(EFFECT));
}
