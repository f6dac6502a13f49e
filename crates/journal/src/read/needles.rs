//! Looking for texts in a line before it is parsed, which takes ten times as long.
//!
//! In a line of JSON, a quote within a text is escaped. A name with its quotes that follows a comma is therefore always a field.

use super::fate::Here;
use super::processes::Processes;
use super::{Query, States};
use crate::format::{self, STARTED};
use memchr::memmem::Finder;

/// What a query wants, as texts.
pub(super) struct Needles {
    /// Every line of the wanted job and cluster contains these values, with their quotes.
    values: Vec<Finder<'static>>,
    /// A line that contains these fields has the wanted job and cluster.
    fields: Vec<Finder<'static>>,
    started: Finder<'static>,
    success: [Finder<'static>; 2],
    clock: Finder<'static>,
    interrupted: Finder<'static>,
    /// Where only running jobs are wanted.
    running: Option<Running>,
}

struct Running {
    /// No line of another boot is of a running job.
    boot: Finder<'static>,
    /// This pid namespace.
    namespace: [Finder<'static>; 2],
    pids: [Finder<'static>; 2],
}

impl Needles {
    pub(super) fn new(query: &Query, here: &Here) -> Self {
        let wanted = [("job", &query.job), ("cluster", &query.cluster)];
        let wanted = || wanted.iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        Self {
            values: wanted().filter_map(|(_, text)| Some(finder(&quoted(text)?))).collect(),
            // A text that is not plain is compared after the line was parsed.
            fields: wanted()
                .map(|(name, text)| finder(&format!(",\"{name}\":{}", quoted(text).unwrap_or_default())))
                .collect(),
            started: Finder::new(STARTED).into_owned(),
            success: [finder(",\"exit\":0,"), finder(",\"exit\":0}")],
            clock: finder(",\"clock\":"),
            interrupted: finder(",\"fate\":\"interrupted\""),
            running: Running::new(query, here),
        }
    }

    /// Whether the line may be of the wanted job and cluster.
    pub(super) fn match_values(&self, line: &[u8]) -> bool {
        self.values.iter().all(|value| value.find(line).is_some())
    }

    /// Whether the line certainly is.
    pub(super) fn match_fields(&self, line: &[u8]) -> bool {
        self.fields.iter().all(|field| field.find(line).is_some()) && self.values.len() == self.fields.len()
    }

    /// Whether the record of an end says that the job exited with 0.
    pub(super) fn is_success(&self, line: &[u8]) -> bool {
        self.success.iter().any(|success| success.find(line).is_some())
    }

    /// Whether an export says that the run was interrupted.
    pub(super) fn is_exported_as_interrupted(&self, line: &[u8]) -> bool {
        self.interrupted.find(line).is_some()
    }

    /// The start of the run in the record of an end, in microseconds since 1970.
    pub(super) fn started(&self, line: &[u8]) -> Option<i64> {
        format::started(line, &self.started)
    }

    /// Whether the record of a start may be of a run that the query wants.
    pub(super) fn is_candidate(&self, line: &[u8], processes: &mut Processes) -> bool {
        let Some(running) = &self.running else { return true };
        running.boot.find(line).is_some() && !self.is_certainly_gone(running, line, processes)
    }

    /// Whether the processes of the record do not exist, as far as that is known without parsing the line.
    fn is_certainly_gone(&self, running: &Running, line: &[u8], processes: &mut Processes) -> bool {
        if running.namespace.iter().all(|namespace| namespace.find(line).is_none()) {
            return false;
        }
        let Some(written) = number(line, &self.clock) else {
            return false;
        };
        let mut is_gone = |name: &Finder| {
            number(line, name).is_none_or(|pid: i32| processes.is_certainly_gone(pid, written))
                && (name.find(line).is_none() || number::<i32>(line, name).is_some())
        };
        running.pids.iter().all(&mut is_gone)
    }
}

impl Running {
    fn new(query: &Query, here: &Here) -> Option<Self> {
        let boot = here.boot.as_deref().and_then(quoted).unwrap_or_default();
        let namespace = here.namespace.unwrap_or_default();
        (query.states == States::Running).then(|| Self {
            boot: finder(&boot),
            namespace: [
                finder(&format!(",\"pidns\":{namespace},")),
                finder(&format!(",\"pidns\":{namespace}}}")),
            ],
            pids: [finder(",\"pid\":"), finder(",\"job_pid\":")],
        })
    }
}

fn finder(text: &str) -> Finder<'static> {
    Finder::new(text.as_bytes()).into_owned()
}

/// The number that follows a text.
fn number<T: std::str::FromStr>(line: &[u8], name: &Finder) -> Option<T> {
    let rest = &line[name.find(line)? + name.needle().len()..];
    let end = rest.iter().position(|byte| matches!(byte, b',' | b'}'))?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

/// A text as it is in a record, with its quotes; `None` if rcron and other programs may escape it differently.
fn quoted(text: &str) -> Option<String> {
    let is_plain = text.chars().all(policy::display::is_printable);
    serde_json::to_string(text).ok().filter(|_| is_plain)
}
