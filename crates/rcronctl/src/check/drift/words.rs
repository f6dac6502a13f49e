//! A difference in words.

use crate::when::duration;
use control::{Difference, DifferenceKind, DriftValue};
use policy::display::escaped;
use std::time::Duration;

/// How many nodes, and how many values, a finding names.
const MOST: usize = 4;

/// The parts of a finding.
pub(super) struct Words {
    pub(super) what: String,
    pub(super) why: String,
    pub(super) remedy: String,
}

impl Words {
    fn new(what: String, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what,
            why: why.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn of(difference: &Difference) -> Self {
        let (odd, value) = (nodes(&difference.odd), first_value(difference));
        match difference.kind {
            DifferenceKind::JobMissing => missing(difference),
            DifferenceKind::Schedule => attribute(difference, "schedule", "it runs at other times there"),
            DifferenceKind::JobZone => attribute(difference, "time zone", "it runs at other times there"),
            DifferenceKind::OncePerTick => attribute(
                difference,
                "value of once_per_tick",
                "rcrond records its ticks only where it is yes",
            ),
            DifferenceKind::Command => command(difference),
            DifferenceKind::RcronKey => key(difference, "rcron.conf"),
            DifferenceKind::RcrondKey => key(difference, "rcrond.toml"),
            DifferenceKind::RcronVersion => version(difference, "rcron"),
            DifferenceKind::RcrondVersion => version(difference, "rcrond"),
            DifferenceKind::CronZone => Self::new(
                differs(difference, "cron", "time zone"),
                "schedules mean other times there",
                "set the same time zone on all servers (timedatectl set-timezone, TZ in /etc/default/cron), and restart cron",
            ),
            DifferenceKind::CronStopped => Self::new(
                format!("cron does not run on {odd}"),
                "no job runs there, even while the server is active",
                "there: systemctl enable --now cron (or cronie, crond)",
            ),
            DifferenceKind::Clock => Self::new(
                clock(difference),
                "jobs start at the wrong time there, and the log's times do not fit together",
                "let an NTP client set the clock of each server (chrony, systemd-timesyncd): see timedatectl",
            ),
            DifferenceKind::Unreadable => Self::new(
                format!("what {odd} publishes cannot be read"),
                "another version of rcrond, or another program, has written it; the server is not compared",
                "install the same version of rcrond on all servers",
            ),
            DifferenceKind::NotPublished => Self::new(
                format!("rcrond on {odd} does not publish what is on its server"),
                "it is an older version, or was started a moment ago; the server is not compared",
                "upgrade the package rcrond there",
            ),
            DifferenceKind::Incomplete => Self::new(
                format!("{odd} does not publish all of its jobs: {value}"),
                "the others are not compared",
                "see rcronctl check there; if there are too many lines, use fewer jobs, or one that runs several commands",
            ),
            DifferenceKind::NoSession => Self::new(
                format!("{odd} has no session in the store"),
                "it is switched off, or its rcrond does not run or does not reach the store; the server is not compared",
                format!(
                    "start it and its rcrond; if it is gone for good, delete its records node/{odd} and node-jobs/{odd} in the store"
                ),
            ),
            DifferenceKind::Unknown => Self::new(String::new(), "", ""),
        }
    }
}

fn missing(difference: &Difference) -> Words {
    let with = |word: &str| {
        let found = difference.values.iter().find(|value| value.value == word);
        found.map(|value| value.nodes.clone()).unwrap_or_default()
    };
    let (present, missing) = (with("present"), with("missing"));
    let subject = job(difference);
    let (here, there) = (nodes(&present), nodes(&missing));
    let what = match &difference.odd {
        odd if *odd == missing => format!("{subject} is missing on {there}"),
        odd if *odd == present => format!("{subject} is only on {here}"),
        _ => format!("{subject} is on {here}, but not on {there}"),
    };
    let remedy = format!("add it on {there}, or remove it on {here}");
    let why = "it does not run while a server is active that does not have it";
    Words::new(what, why, remedy)
}

fn attribute(difference: &Difference, noun: &str, effect: &str) -> Words {
    let what = differs(difference, &job(difference), noun);
    Words::new(what, effect, "install the same crontab on all servers")
}

fn command(difference: &Difference) -> Words {
    let subject = job(difference);
    let what = if difference.odd.is_empty() {
        let mut all: Vec<String> = difference.values.iter().flat_map(|value| value.nodes.clone()).collect();
        all.sort();
        format!("{subject} does not have the same command on {}", nodes(&all))
    } else {
        format!("{subject} has another command on {}", nodes(&difference.odd))
    };
    let why = "rcrond knows only a hash of the whole command, with rcron and its options";
    Words::new(
        what,
        why,
        "compare the crontabs, and install the same one on all servers",
    )
}

fn key(difference: &Difference, file: &str) -> Words {
    let key = escaped(difference.key.as_deref().unwrap_or_default());
    let what = differs(difference, file, &format!("value of {key}"));
    let remedy = format!("set the same value of {key} in {file} on all servers");
    Words::new(what, "the servers treat the same job differently", remedy)
}

fn version(difference: &Difference, program: &str) -> Words {
    let remedy = format!("install the same version of the package {program} on all servers");
    let why = "this is as it should be only while the servers are upgraded";
    Words::new(differs(difference, program, "version"), why, remedy)
}

/// `SUBJECT has another NOUN on NODES`, with all values.
fn differs(difference: &Difference, subject: &str, noun: &str) -> String {
    let values = values(&difference.values);
    if difference.odd.is_empty() {
        format!("{subject} does not have the same {noun} on all servers: {values}")
    } else {
        format!("{subject} has another {noun} on {}: {values}", nodes(&difference.odd))
    }
}

/// The values are bounds: the clocks differ at least so much.
fn clock(difference: &Difference) -> String {
    let offset = |value: &DriftValue| value.value.parse::<i64>().unwrap_or_default();
    let time = |milliseconds: u64| duration(Duration::from_secs(milliseconds / 1000));
    let parts: Vec<String> = match (&difference.values[..], &difference.odd[..]) {
        ([one, other], []) => {
            let apart = time(offset(one).abs_diff(offset(other)));
            let (one, other) = (nodes(&one.nodes), nodes(&other.nodes));
            return format!("the clocks of {one} and {other} differ by at least {apart}");
        }
        (values, _) => values
            .iter()
            .filter(|value| offset(value) != 0)
            .take(MOST)
            .map(|value| {
                let side = if offset(value) > 0 { "ahead" } else { "behind" };
                format!(
                    "{} is at least {} {side}",
                    nodes(&value.nodes),
                    time(offset(value).unsigned_abs())
                )
            })
            .collect(),
    };
    format!("the clocks differ: {}", parts.join("; "))
}

/// A job as its administrator knows it.
fn job(difference: &Difference) -> String {
    let user = escaped(difference.user.as_deref().unwrap_or_default());
    match (&difference.job, &difference.schedule) {
        (Some(job), _) => format!("job {} of {user}", escaped(job)),
        (None, Some(schedule)) => format!("a job of {user} without a name ({})", escaped(schedule)),
        (None, None) => format!("a job of {user} without a name"),
    }
}

fn values(values: &[DriftValue]) -> String {
    let one = |value: &DriftValue| format!("{} on {}", escaped(&value.value), nodes(&value.nodes));
    let text = values.iter().take(MOST).map(one).collect::<Vec<_>>().join("; ");
    match values.len().saturating_sub(MOST) {
        0 => text,
        more => format!("{text}; {more} other values"),
    }
}

/// `n1, n2 and n3`
pub(super) fn nodes(nodes: &[String]) -> String {
    let shown: Vec<_> = nodes.iter().take(MOST).map(|node| escaped(node)).collect();
    match (&shown[..], nodes.len() - shown.len()) {
        ([], _) => "no server".to_owned(),
        ([only], _) => only.to_string(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

fn first_value(difference: &Difference) -> String {
    let first = difference.values.first();
    first.map_or(String::new(), |value| escaped(&value.value).into_owned())
}
