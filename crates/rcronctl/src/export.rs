//! `rcronctl export`: the runs of this server, for rcronctl on another one (docs/design/hosts.md).

mod header;
pub(crate) mod percent;
mod restricted;

pub(crate) use header::{FORMAT, Header};

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::marks::{Mark, Marks};
use crate::output::{json_line, print_bytes, warn};
use crate::runs::{self, Selected};
use inputs::clock;
use jiff::Timestamp;
use journal::run::Run;
use journal::{Query, States};
use std::process::ExitCode;
use sys::environment;

/// Writes the header and the records, the newest start first. The exit status is 2 if records disappeared meanwhile.
pub(crate) fn export_runs(options: &cli::Export, common: &Common) -> Result<ExitCode, Failure> {
    let mut options = if options.restricted {
        restricted::options()?
    } else {
        options.clone()
    };
    if options.percent {
        decode(&mut options.selection)?;
    }
    let query = Query {
        failed: options.failed,
        states: if options.unfinished {
            States::Unfinished
        } else {
            States::All
        },
        limit: options.limit.filter(|limit| *limit > 0),
        ..Query::default()
    };
    let mut found = Selected::read(&options.selection, None, common, query)?;
    let marks = read_marks(&options.selection, common);
    let known = found.unseen();
    let header = header(&found);
    print_bytes(|out| {
        let line = json_line(&header)? + "\n";
        out.write_all(line.as_bytes())?;
        // The reader compares the clocks, and waits for the first line.
        out.flush()?;
        found
            .runs
            .export(|run| is_seen(run, &marks), |record| out.write_all(record))
    })?;
    let now_unseen = found.unseen();
    now_unseen.iter().for_each(warn);
    Ok(ExitCode::from(if now_unseen == known { 0 } else { FAILED }))
}

fn decode(selection: &mut cli::Selection) -> Result<(), Failure> {
    for (option, text) in [("--job", &mut selection.job), ("--cluster", &mut selection.cluster)] {
        if let Some(encoded) = text {
            *encoded = percent::decode(encoded)
                .ok_or_else(|| Failure::new(format!("the value of {option} is not percent-encoded UTF-8")))?;
        }
    }
    Ok(())
}

fn header(found: &Selected) -> Header {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Header {
        rcron_export: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: text(environment::node_name()),
        boot: clock::boot_id().map(text),
        time: Timestamp::now(),
        only_own: found.runs.is_only_own,
        more: found.runs.more,
        unseen: found.unseen(),
    }
}

/// Without marks, a run is reported once more, which is better than not at all.
fn read_marks(selection: &cli::Selection, common: &Common) -> Option<Marks> {
    if !selection.journal.is_empty() {
        return None;
    }
    let marks = runs::own_directories(common).and_then(|directories| Marks::read_all(&directories));
    marks.map_err(warn).ok()
}

fn is_seen(run: &Run, marks: &Option<Marks>) -> bool {
    let mark = marks.as_ref().and_then(|marks| marks.of_run((run.uid, run.number())));
    mark == Some(Mark::Seen)
}
