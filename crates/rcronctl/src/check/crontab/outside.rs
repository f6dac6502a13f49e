//! The parts of a line that passive servers execute too, because they are outside rcron's own command.

use super::job::Job;
use crate::check::finding::Finding;
use crate::check::kind::Kind;
use crate::check::report::Report;
use ::crontab::flow::{Construct, Judgement, Unjudged};
use ::crontab::outside::{Act, Effect};
use policy::display::escaped;

pub(super) fn check(job: &Job, judgement: &Judgement, report: &mut Report) {
    for effect in &judgement.effects {
        report.add(describe(job, effect));
    }
    if let Some(unjudged) = &judgement.unjudged {
        report.add(not_judged(job, unjudged));
    }
}

fn describe(job: &Job, effect: &Effect) -> Finding {
    let (place, object) = (job.place(effect.offset), escaped(&effect.object));
    match effect.act {
        Act::Runs(operator @ ("&&" | ";" | "&" | "||")) => {
            let what = format!("`{operator}` is outside rcron's command: passive servers run {object} too");
            let remedy = format!("quote the whole line: rcron '… {operator} {object} …'");
            Finding::wrong(Kind::OutsideRuns, &place, what, remedy)
        }
        Act::Runs(keyword) => {
            let what = format!("passive servers run {object} too: after `{keyword}`, which is outside rcron's command");
            let remedy = "give the whole line to rcron as one word, or put it into a script: rcron '…'";
            let finding = Finding::wrong(Kind::OutsideRuns, &place, what, remedy);
            finding.because("on a passive server, rcron runs nothing and exits with 0")
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

fn not_judged(job: &Job, unjudged: &Unjudged) -> Finding {
    let what = match unjudged.construct {
        Construct::Expansion => "this line is not judged: rcron is inside `$(…)` or backquotes",
        Construct::Compound => "this line is not judged: its shell grammar is not followed from here on",
        Construct::Script => "this line is not judged: a quote in this script is not closed",
    };
    let remedy = "give the whole line to rcron as one word, or put it into a script: rcron '…'";
    let finding = Finding::doubtful(Kind::NotJudged, &job.place(unjudged.offset), what, remedy);
    finding.because("passive servers execute everything that is outside of rcron's words")
}
