//! Whether cron finds rcron, and rcron the job's program. Nothing is run.

use super::job::Job;
use super::lookup::{Lookup, look_up};
use super::shell_words;
use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::report::Report;
use ::crontab::call::Call;
use ::crontab::shell::{self, Word};
use policy::command::{self, Mode};
use policy::display::escaped;

pub(super) fn check_rcron(job: &Job, call: &Call, report: &mut Report) {
    let word = &call.words[0];
    let has_slash = word.text.contains(&b'/');
    let is_certain = word.is_literal && (!call.is_behind || has_slash);
    if !is_certain || job.rights.is_none() {
        return;
    }
    let path = job.line.entry.path();
    match look_up(job.root, &word.text, path) {
        Lookup::Found | Lookup::Unsure => return,
        Lookup::Missing | Lookup::NotExecutable => {}
    }
    let what = if has_slash {
        format!("{} does not exist or is not executable", escaped(&word.text))
    } else {
        format!("cron does not find rcron in {}", shown_path(path))
    };
    let remedy = "write the full path of rcron, or set PATH above the job";
    report.add(Finding::wrong(
        Kind::RcronNotFound,
        &job.place(word.offset),
        what,
        remedy,
    ));
}

/// `words` are those of the job: its program and the arguments, or one command line.
pub(super) fn check_job(job: &Job, call: &Call, parsed: &command::Job, words: &[Word], report: &mut Report) {
    let Some(first) = words.first().filter(|word| word.is_literal) else {
        return;
    };
    if first.text.is_empty() {
        let what = "the job is an empty word";
        let finding = Finding::wrong(
            Kind::JobNotFound,
            &job.place(first.offset),
            what,
            "write the job's command",
        );
        report.add(finding.because("rcron exits with 127"));
        return;
    }
    let Some((program, offset)) = program(parsed) else {
        return;
    };
    if job.rights.is_none() || (call.is_behind && !program.contains(&b'/')) {
        return;
    }
    let offset = if first.is_plain { offset + 1 } else { 0 };
    let place = job.place(first.offset + offset);
    match look_up(job.root, &program, job.line.entry.path()) {
        Lookup::Unsure => {}
        Lookup::Found => shell_words::check(job, &program, words, report),
        Lookup::Missing | Lookup::NotExecutable if parsed.looks_like_shell() => {
            let what = "rcron executes these words without a shell, but they are written for one";
            let place = shell_words::operator(words).map_or(place, |word| job.place(word.offset));
            report.add(Finding::wrong(Kind::ShellWords, &place, what, shell_words::QUOTE));
        }
        lookup => report.add(not_found(job, &place, &program, lookup)),
    }
}

fn not_found(job: &Job, place: &Place, program: &[u8], lookup: Lookup) -> Finding {
    let (name, path) = (escaped(program), job.line.entry.path());
    let (what, remedy) = match lookup {
        Lookup::NotExecutable => (
            format!("the job's program {name} is not an executable file"),
            format!("chmod a+x {name}, or correct the name if it is a directory or another file"),
        ),
        _ if program.contains(&b'/') => (
            format!("the job's program {name} does not exist"),
            "install it on every server of the cluster, or correct its path".to_owned(),
        ),
        _ => (
            format!("the job's program {name} is not in {}", shown_path(path)),
            "install it on every server of the cluster, or write its full path".to_owned(),
        ),
    };
    Finding::wrong(Kind::JobNotFound, place, what, remedy)
}

fn shown_path(path: &[u8]) -> String {
    let hint = if path.contains(&b'$') {
        " (cron does not expand `$`)"
    } else {
        ""
    };
    format!("PATH={}{hint}", escaped(path))
}

/// The name of the program that a job executes, if it is certain, and where it begins in its word.
fn program(job: &command::Job) -> Option<(Vec<u8>, usize)> {
    if job.assignments().iter().any(|word| word.starts_with(b"PATH=")) {
        return None;
    }
    let argv = job.argv();
    match job.mode {
        Mode::Direct => argv.first().map(|name| (name.to_vec(), 0)),
        Mode::Shell => {
            let commands = shell::parse(argv.last()?).ok()?;
            let first = commands.first()?;
            Some((first.program()?.to_vec(), first.command().first()?.offset))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_is_named_where_it_is_certain() {
        for (words, expected) in [
            (&["job", "x"][..], Some("job")),
            (&["A=1", "job"], Some("job")),
            (&["PATH=/x", "job"], None),
            (&["job a && b"], Some("job")),
            (&["/x/job | b"], Some("/x/job")),
            (&["cd /x && job"], None),
            (&["A=1 job x"], None),
            (&["$x y"], None),
            (&["if a; then b; fi"], None),
            (&["(a; b)"], None),
            (&["job 'x"], None),
        ] {
            let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            let job = command::Job::read(words.clone()).expect("a job");
            let found = program(&job).map(|(name, _)| name);
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{words:?}");
        }
    }
}
