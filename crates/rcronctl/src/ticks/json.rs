//! The ticks for programs: rcronctl-ticks(8), "JSON".

use super::Found;
use super::shown::Tick;
use crate::failure::Failure;
use crate::output::print_json;
use control::{AheadReport, TickResult};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct TicksJson<'a> {
    ticks: Vec<TickJson<'a>>,
    more: bool,
    ahead: Vec<AheadJson<'a>>,
    unseen: &'a [String],
}

#[derive(Serialize)]
struct TickJson<'a> {
    cluster: &'a str,
    user: &'a str,
    job: &'a str,
    tick: &'a str,
    last_tick: &'a str,
    count: u32,
    attempt: u32,
    node: Option<&'a str>,
    /// Of a tick that was not started.
    recorded_by: Option<&'a str>,
    started: Option<&'a str>,
    late: Option<Seconds>,
    duration: Option<Seconds>,
    result: TickResult,
    exit: Option<u8>,
    signal: Option<String>,
    reason: Option<&'a str>,
    run: Option<&'a str>,
    reruns_left: u32,
}

#[derive(Serialize)]
struct AheadJson<'a> {
    cluster: &'a str,
    user: Option<&'a str>,
    job: Option<&'a str>,
    closed: &'a str,
    ahead: Seconds,
}

/// Milliseconds, written as seconds.
struct Seconds(i64);

impl Serialize for Seconds {
    #[expect(clippy::cast_precision_loss, reason = "2^52 milliseconds are 140,000 years")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1e3)
    }
}

impl From<u64> for Seconds {
    fn from(milliseconds: u64) -> Self {
        Self(i64::try_from(milliseconds).unwrap_or(i64::MAX))
    }
}

pub(super) fn print(found: &Found) -> Result<(), Failure> {
    print_json(&TicksJson {
        ticks: found.ticks.iter().map(tick_json).collect(),
        more: found.is_limited || found.is_cut,
        ahead: found.ahead.iter().map(ahead_json).collect(),
        unseen: &found.unseen,
    })
}

fn tick_json(tick: &Tick) -> TickJson<'_> {
    let report = &tick.report;
    let node = tick.node();
    TickJson {
        cluster: &report.cluster,
        user: &report.user,
        job: &report.job,
        tick: &report.tick,
        last_tick: &report.last_tick,
        count: report.count,
        attempt: report.attempt,
        node,
        recorded_by: node.is_none().then_some(&report.node),
        started: report.started.as_deref(),
        late: report.late_ms.map(Seconds),
        duration: report.lasted_ms.map(Seconds::from),
        result: report.result,
        exit: report.code,
        signal: report.signal.map(sys::signal::name),
        reason: report.reason.as_deref(),
        run: report.run.as_deref(),
        reruns_left: report.reruns_left,
    }
}

fn ahead_json(ahead: &AheadReport) -> AheadJson<'_> {
    AheadJson {
        cluster: &ahead.cluster,
        user: ahead.user.as_deref(),
        job: ahead.job.as_deref(),
        closed: &ahead.closed,
        ahead: ahead.ahead_ms.into(),
    }
}
