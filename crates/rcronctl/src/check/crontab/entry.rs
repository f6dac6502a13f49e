//! One job of a crontab.

use super::Survey;
use super::files::CrontabFile;
use super::{arguments, outside, program};
use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::report::Report;
use crate::check::rights::Rights;
use crate::check::root::Root;
use ::crontab::shell::Unclosed;
use ::crontab::{Entry, Line, UserField};
use policy::display::escaped;
use std::rc::Rc;

/// A job, and where it was found.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) root: &'a Root,
    pub(super) file: &'a CrontabFile,
    pub(super) line: Line<'a, 'a>,
    /// Of the user that the job runs as. `None` if they are not known: nothing that the job names is looked up then.
    pub(super) rights: Option<Rights>,
}

impl Job<'_> {
    /// The place of a byte of the command.
    pub(super) fn place(&self, offset: usize) -> Place {
        self.at_column(self.line.entry.column(offset))
    }

    fn at_column(&self, column: usize) -> Place {
        self.file.place.at(self.line.entry.line, column)
    }

    pub(super) fn check(&self, survey: &mut Survey, report: &mut Report) {
        let entry = self.line.entry;
        if let Some(field) = self.line.misplaced_user(self.file.kind()) {
            report.add(misplaced_user(&self.place(0), field));
            return;
        }
        let unjudged = self.line.judgement.unjudged;
        if !self.line.is_wrapped() && unjudged.is_none() {
            return;
        }
        if let Some(shell) = entry.other_shell() {
            let what = format!(
                "this job is not judged: its SHELL, {}, has another grammar",
                escaped(shell)
            );
            let remedy = "check by hand that nothing outside of rcron's words runs on passive servers";
            report.add(Finding::doubtful(Kind::NotJudged, &self.place(0), what, remedy));
            return;
        }
        survey.usage.has_ordinary_users |= entry.user != b"root";
        if self.rights.is_none() {
            survey.add_stranger(self.file, entry.user, report);
        }
        if let Some(finding) = self.cut_command() {
            report.add(finding);
        }
        self.check_ends(survey, report);
        for call in &self.line.judgement.calls {
            program::check_rcron(self, call, report);
            arguments::check(self, call, survey, report);
        }
        outside::check(self, &self.line.judgement, report);
    }

    /// What cron reads without complaint, but not as it is meant.
    fn check_ends(&self, survey: &mut Survey, report: &mut Report) {
        let entry = self.line.entry;
        if entry.when.is_some_and(|when| when.is_never()) {
            let what = format!(
                "no minute of any year matches this schedule: {}",
                escaped(entry.schedule)
            );
            let remedy = "correct the schedule: days must exist in the month, and no range may end before it begins";
            let place = self.at_column(1);
            report.add(Finding::wrong(Kind::ScheduleNever, &place, what, remedy).because("the job never runs"));
        }
        let end = self.at_column(entry.end_column());
        if entry.has_last_backslash() {
            let what = "cron does not continue lines: it passes this backslash to the command";
            let remedy = "write the job in one line, or into a script";
            report.add(Finding::wrong(Kind::CrontabContinuation, &end, what, remedy));
        }
        if entry.has_carriage_return && survey.carriage_returns.insert(Rc::clone(&self.file.place.file)) {
            let what = "the lines end with CR LF: cron passes the CR to the command";
            let remedy = format!("sed -i 's/\\r$//' {}", self.file.place);
            let finding = Finding::wrong(Kind::CrontabCarriageReturn, &end, what, remedy);
            report.add(
                finding
                    .because("the last word of each command ends with the CR: a program of this name does not exist"),
            );
        }
    }

    /// A command that ends too early: at a `%`, or within a quote.
    fn cut_command(&self) -> Option<Finding> {
        let Entry { percent, .. } = self.line.entry;
        match (&self.line.commands, percent) {
            (Ok(_), None) => None,
            (Ok(_), Some(column)) => {
                let what = "the command ends at this `%`; the rest of the line is its input";
                let remedy = "write `\\%` if a percent sign is meant";
                Some(Finding::doubtful(Kind::Percent, &self.at_column(*column), what, remedy))
            }
            (Err(Unclosed { offset }), None) => {
                let what = "a quote or bracket is not closed";
                let remedy = "close it in the same line";
                Some(Finding::wrong(Kind::OpenQuote, &self.place(*offset), what, remedy))
            }
            (Err(Unclosed { .. }), Some(column)) => {
                let what = "the command ends at this `%`, inside quotes or brackets";
                let finding = Finding::wrong(Kind::Percent, &self.at_column(*column), what, "write `\\%`");
                Some(finding.because("a crontab passes everything after the first bare `%` to the command as input"))
            }
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
