//! Jobs that look as if somebody forgot to wrap them. Most jobs of a server are its own business, so the rule is a narrow one:
//! the same command is wrapped elsewhere, or the crontab has more wrapped jobs than others.

use super::entry::{Parsed, place};
use super::files::Crontab;
use super::names::Wrapped;
use super::shell::Simple;
use crate::check::finding::{Finding, Kind, Place, Report};
use inputs::words::text_of;

/// A job without rcron.
#[derive(Debug)]
pub(crate) struct Candidate {
    place: Place,
    text: Vec<u8>,
    /// Whether most other jobs of the crontab are wrapped.
    is_exception: bool,
}

/// Of these every server has its own, or they belong to rcron.
const OF_EACH_SERVER: [&str; 6] = [
    "run-parts",
    "anacron",
    "rcronctl",
    "rcrond",
    "logrotate",
    "/etc/init.d/",
];

/// The jobs of a crontab that could be wrapped.
pub(crate) fn candidates(crontab: &Crontab, parsed: &[Parsed]) -> Vec<Candidate> {
    let wrapped = parsed.iter().filter(|parsed| parsed.is_wrapped()).count();
    let is_exception = wrapped > parsed.len() - wrapped;
    let candidate = |parsed: &Parsed| Candidate {
        place: place(crontab, parsed.entry, 0),
        text: text(parsed),
        is_exception,
    };
    parsed
        .iter()
        .filter(|parsed| could_be_wrapped(parsed))
        .map(candidate)
        .collect()
}

fn could_be_wrapped(parsed: &Parsed) -> bool {
    let command = String::from_utf8_lossy(&parsed.entry.command);
    let is_own = OF_EACH_SERVER.iter().any(|known| command.contains(known));
    let is_at_boot = parsed.entry.schedule == b"@reboot";
    !parsed.is_wrapped() && !is_own && !is_at_boot && !command.contains("rcron")
}

/// The words of a plain command, else the whole line.
fn text(parsed: &Parsed) -> Vec<u8> {
    match parsed.commands.as_deref() {
        Ok([Simple { words, .. }]) => words
            .iter()
            .map(|word| word.text.as_slice())
            .collect::<Vec<_>>()
            .join(&b' '),
        _ => parsed.entry.command.clone(),
    }
}

pub(crate) fn check(candidates: &[Candidate], wrapped: &[Wrapped], report: &mut Report) {
    for candidate in candidates {
        let what = match wrapped.iter().find(|job| job.text == candidate.text) {
            Some(job) => format!(
                "{} runs on every server, but is wrapped in {}",
                text_of(&candidate.text),
                job.place
            ),
            None if candidate.is_exception => {
                format!(
                    "{} runs on every server; most jobs of this crontab do not",
                    text_of(&candidate.text)
                )
            }
            None => continue,
        };
        let remedy = "put rcron before it, unless every server is to run it";
        report.add(Finding::doubtful(
            Kind::Unwrapped,
            candidate.place.clone(),
            what,
            remedy,
        ));
    }
}
