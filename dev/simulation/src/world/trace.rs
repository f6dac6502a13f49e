//! What a history's trace says.

use super::World;
use lease::{Change, Record, StateFileContent};
use std::time::Duration;

impl World {
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let at = Duration::from_micros(self.now).as_secs_f64();
            trace.push(format!("{at:>9.4}  {}", line()));
        }
    }
}

/// The writes of a change, with identities shortened.
pub(super) fn describe_change(change: &Change) -> String {
    let text = |record: &Record| match record {
        Record::Session(session) => session.to_text(),
        Record::Cluster(cluster) => cluster.to_text(),
    };
    let writes = change.writes.iter();
    let writes = writes.map(|(key, record)| format!("{key:?} = {}", text(record).replace("00000000", "")));
    writes.collect::<Vec<_>>().join("; ")
}

pub(super) fn describe_content(content: StateFileContent) -> String {
    match content {
        StateFileContent::Passive => "passive".to_string(),
        StateFileContent::Active { until, epoch, draining } => {
            let draining = if draining { " draining" } else { "" };
            format!("active{draining} until its {:.3} epoch {epoch}", until.0.as_secs_f64())
        }
        StateFileContent::Shared {
            until,
            session,
            draining,
        } => {
            let draining = if draining { " draining" } else { "" };
            format!(
                "shared{draining} until its {:.3} session {session:?}",
                until.0.as_secs_f64()
            )
        }
    }
}
