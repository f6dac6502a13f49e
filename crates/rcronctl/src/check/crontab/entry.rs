//! The checks of one job of a crontab.

use super::Survey;
use super::job::Job;
use super::{arguments, outside, program};
use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::report::Report;
use ::crontab::shell::Unclosed;
use ::crontab::{Entry, UserField};
use policy::display::escaped;
use std::rc::Rc;

pub(super) fn check(job: &Job, survey: &mut Survey, report: &mut Report) {
    let entry = job.line.entry;
    if let Some(field) = job.line.misplaced_user(job.file.kind()) {
        report.add(misplaced_user(&job.place(0), field));
        return;
    }
    let unjudged = job.line.judgement.unjudged;
    if !job.line.is_wrapped() && unjudged.is_none() {
        return;
    }
    if let Some(shell) = entry.other_shell() {
        let what = format!(
            "this job is not judged: its SHELL, {}, has another grammar",
            escaped(shell)
        );
        let remedy = "check by hand that nothing outside of rcron's words runs on passive servers";
        report.add(Finding::doubtful(Kind::NotJudged, &job.place(0), what, remedy));
        return;
    }
    survey.usage.has_ordinary_users |= entry.user != b"root";
    if job.rights.is_none() {
        survey.add_stranger(job.file, entry.user, report);
    }
    if let Some(finding) = cut_command(job) {
        report.add(finding);
    }
    check_ends(job, survey, report);
    for call in &job.line.judgement.calls {
        program::check_rcron(job, call, report);
        arguments::check(job, call, survey, report);
    }
    outside::check(job, &job.line.judgement, report);
}

/// What cron reads without complaint, but not as it is meant.
fn check_ends(job: &Job, survey: &mut Survey, report: &mut Report) {
    let entry = job.line.entry;
    if entry.when.is_some_and(|when| when.is_never()) {
        let what = format!(
            "no minute of any year matches this schedule: {}",
            escaped(entry.schedule)
        );
        let remedy = "correct the schedule: days must exist in the month, and no range may end before it begins";
        let place = job.at_column(1);
        report.add(Finding::wrong(Kind::ScheduleNever, &place, what, remedy).because("the job never runs"));
    }
    let end = job.at_column(entry.end_column());
    if entry.has_last_backslash() {
        let what = "cron does not continue lines: it passes this backslash to the command";
        let remedy = "write the job in one line, or into a script";
        report.add(Finding::wrong(Kind::CrontabContinuation, &end, what, remedy));
    }
    if entry.has_carriage_return && survey.carriage_returns.insert(Rc::clone(&job.file.place.file)) {
        let what = "the lines end with CR LF: cron passes the CR to the command";
        let remedy = format!("sed -i 's/\\r$//' {}", job.file.place);
        let finding = Finding::wrong(Kind::CrontabCarriageReturn, &end, what, remedy);
        report.add(
            finding.because("the last word of each command ends with the CR: a program of this name does not exist"),
        );
    }
}

/// A command that ends too early: at a `%`, or within a quote.
fn cut_command(job: &Job) -> Option<Finding> {
    let Entry { percent, .. } = job.line.entry;
    match (&job.line.commands, percent) {
        (Ok(_), None) => None,
        (Ok(_), Some(column)) => {
            let what = "the command ends at this `%`; the rest of the line is its input";
            let remedy = "write `\\%` if a percent sign is meant";
            Some(Finding::doubtful(Kind::Percent, &job.at_column(*column), what, remedy))
        }
        (Err(Unclosed { offset }), None) => {
            let what = "a quote or bracket is not closed";
            let remedy = "close it in the same line";
            Some(Finding::wrong(Kind::OpenQuote, &job.place(*offset), what, remedy))
        }
        (Err(Unclosed { .. }), Some(column)) => {
            let what = "the command ends at this `%`, inside quotes or brackets";
            let finding = Finding::wrong(Kind::Percent, &job.at_column(*column), what, "write `\\%`");
            Some(finding.because("a crontab passes everything after the first bare `%` to the command as input"))
        }
    }
}

/// System crontabs name the user of each job, a user's own crontab does not. One is easily written as the other.
fn misplaced_user(place: &Place, field: UserField) -> Finding {
    let (what, remedy) = match field {
        UserField::Missing(word) => (
            format!("cron takes `{}` as the name of the user", escaped(word)),
            "write the user before the command, as in: … root rcron …",
        ),
        UserField::Superfluous(word) => (
            format!("cron executes `{}` as a command", escaped(word)),
            "remove the user: a user's own crontab does not name it",
        ),
    };
    Finding::wrong(Kind::CrontabUser, place, what, remedy)
}
