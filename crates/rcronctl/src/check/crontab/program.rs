//! Whether cron finds rcron, and rcron the job's program. Nothing is run.

use super::entry::Job;
use super::lookup::{Lookup, look_up};
use crate::check::finding::Finding;
use crate::check::kind::Kind;
use crate::check::report::Report;
use ::crontab::call::Call;
use ::crontab::shell;
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

pub(super) fn check_job(job: &Job, call: &Call, words: &command::Job, report: &mut Report) {
    const QUOTE: &str = "if a shell is to read them, quote the whole line as one word: rcron 'a && b'";
    let Some(program) = program(words) else { return };
    if job.rights.is_none() || (call.is_behind && !program.contains(&b'/')) {
        return;
    }
    let (place, path, name) = (
        job.place(call.words[0].offset),
        job.line.entry.path(),
        escaped(&program),
    );
    let finding = match (look_up(job.root, &program, path), words.looks_like_shell()) {
        (Lookup::Unsure, _) | (Lookup::Found, false) => return,
        (Lookup::Found, true) => {
            let what = format!("{name} gets shell syntax as arguments, and no shell reads it");
            Finding::doubtful(Kind::ShellWords, &place, what, QUOTE)
        }
        (_, true) => {
            let what = "rcron executes these words without a shell, but they are written for one";
            Finding::wrong(Kind::ShellWords, &place, what, QUOTE)
        }
        (lookup, false) => {
            let what = match lookup {
                Lookup::NotExecutable => format!("the job's program {name} is not an executable file"),
                _ if program.contains(&b'/') => format!("the job's program {name} does not exist"),
                _ => format!("the job's program {name} is not in {}", shown_path(path)),
            };
            let remedy = "install it on every server of the cluster, or write its full path";
            Finding::wrong(Kind::JobNotFound, &place, what, remedy)
        }
    };
    report.add(finding);
}

fn shown_path(path: &[u8]) -> String {
    let hint = if path.contains(&b'$') {
        " (cron does not expand `$`)"
    } else {
        ""
    };
    format!("PATH={}{hint}", escaped(path))
}

/// The name of the program that a job executes, if it is certain.
fn program(job: &command::Job) -> Option<Vec<u8>> {
    if job.assignments().iter().any(|word| word.starts_with(b"PATH=")) {
        return None;
    }
    let argv = job.argv();
    match job.mode {
        Mode::Direct => argv.first().map(|name| name.to_vec()),
        Mode::Shell => {
            let commands = shell::parse(argv.last()?).ok()?;
            commands.first()?.program().map(<[u8]>::to_vec)
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
            assert_eq!(program(&job).as_deref(), expected.map(str::as_bytes), "{words:?}");
        }
    }
}
