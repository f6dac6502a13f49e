//! The parts of a line that passive servers execute too, because they are outside rcron's own command.

use super::entry::Job;
use crate::check::finding::Finding;
use crate::check::kind::Kind;
use crate::check::report::Report;
use ::crontab::call::Call;
use ::crontab::outside::{self, Act, Effect};
use ::crontab::shell::SimpleCommand;
use policy::display::escaped;

pub(super) fn check(job: &Job, commands: &[SimpleCommand], call: &Call, report: &mut Report) {
    for effect in outside::effects(commands, call) {
        report.add(describe(job, &effect));
    }
}

fn describe(job: &Job, effect: &Effect) -> Finding {
    let (place, object) = (job.place(effect.offset), escaped(&effect.object));
    match effect.act {
        Act::Runs(operator) => {
            let what = format!("`{operator}` is outside rcron's command: passive servers run {object} too");
            let remedy = format!("quote the whole line: rcron '… {operator} {object} …'");
            Finding::wrong(Kind::OutsideRuns, &place, what, remedy)
        }
        Act::Truncates => {
            let what = format!("`>` is outside rcron's command: passive servers truncate {object} too");
            let remedy = format!("quote the whole line, rcron '… > {object}', or append: >> {object}");
            Finding::wrong(Kind::OutsideTruncates, &place, what, remedy)
        }
        Act::Pipes => {
            let what = format!("`|` is outside rcron's command: passive servers run {object} with empty input");
            let remedy = format!("quote the whole line, unless this is intended: rcron '… | {object} …'");
            let finding = Finding::doubtful(Kind::OutsidePipe, &place, what, remedy);
            finding.because("the line also exits with the status of the last command, not of the job")
        }
    }
}
