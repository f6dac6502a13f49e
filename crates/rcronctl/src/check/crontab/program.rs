//! Whether a job's program is there, as far as that can be told without running anything.

use super::shell::{self, Simple};
use crate::check::access::Access;
use crate::check::root::Root;
use policy::command::{Job, Mode};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a shell does itself: POSIX.1-2024, "Shell Command Language", 2.15, utilities that shells build in, and bash's own.
const BUILTINS: [&[u8]; 55] = [
    b".",
    b":",
    b"[",
    b"alias",
    b"bg",
    b"break",
    b"builtin",
    b"cd",
    b"command",
    b"continue",
    b"declare",
    b"dirs",
    b"echo",
    b"eval",
    b"exec",
    b"exit",
    b"export",
    b"false",
    b"fc",
    b"fg",
    b"getopts",
    b"hash",
    b"jobs",
    b"kill",
    b"let",
    b"local",
    b"popd",
    b"printf",
    b"pushd",
    b"pwd",
    b"read",
    b"readonly",
    b"return",
    b"set",
    b"shift",
    b"shopt",
    b"source",
    b"test",
    b"time",
    b"times",
    b"trap",
    b"true",
    b"type",
    b"typeset",
    b"ulimit",
    b"umask",
    b"unalias",
    b"unset",
    b"wait",
    b"case",
    b"if",
    b"for",
    b"while",
    b"until",
    b"[[",
];

/// Whether a program is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It is there and may be executed.
    Found,
    Missing,
    NotExecutable,
    /// It depends on what cannot be seen here.
    Unsure,
}

/// The name of the program that a job executes; `None` where that cannot be told.
pub(crate) fn name(job: &Job) -> Option<Vec<u8>> {
    let argv = job.argv();
    match job.mode {
        _ if job.assignments().iter().any(|word| word.starts_with(b"PATH=")) => None,
        Mode::Direct => argv.first().map(|name| name.to_vec()),
        Mode::Shell => {
            let commands = shell::parse(argv.last()?).ok()?;
            let first = commands
                .first()
                .filter(|simple| !simple.is_compound() && has_no_assignment(simple))?;
            let name = first.name().filter(|name| !BUILTINS.contains(name))?;
            Some(name.to_vec())
        }
    }
}

fn has_no_assignment(simple: &Simple) -> bool {
    simple.command().len() == simple.words.len()
}

/// Looks a program up as execvp(3) does.
pub(crate) fn look_up(root: &Root, name: &[u8], path: &[u8]) -> Lookup {
    if name.contains(&b'/') {
        return at(root, Path::new(OsStr::from_bytes(name)));
    }
    let directories = path
        .split(|byte| *byte == b':')
        .map(|directory| Path::new(OsStr::from_bytes(directory)));
    let found: Vec<Lookup> = directories
        .map(|directory| at(root, &directory.join(OsStr::from_bytes(name))))
        .collect();
    let order = [Lookup::Found, Lookup::Unsure, Lookup::NotExecutable];
    order
        .into_iter()
        .find(|outcome| found.contains(outcome))
        .unwrap_or(Lookup::Missing)
}

fn at(root: &Root, file: &Path) -> Lookup {
    if file.as_os_str().as_bytes().starts_with(b"$") {
        return Lookup::Missing; // PATH=$PATH:/x, which cron does not expand
    }
    if !file.is_absolute() {
        return Lookup::Unsure; // from the user's home
    }
    let Ok(located) = root.locate(file) else {
        return Lookup::Unsure;
    };
    match fs::metadata(&located.outside) {
        Ok(metadata) if metadata.is_file() && Access::from(&metadata).is_executable() => Lookup::Found,
        Ok(_) => Lookup::NotExecutable,
        Err(error) if matches!(error.raw_os_error(), Some(nix::libc::ENOENT | nix::libc::ENOTDIR)) => Lookup::Missing,
        Err(_) => Lookup::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_named_where_it_is_certain() {
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
            let job = Job::read(words.iter().map(|word| word.as_bytes().to_vec()).collect()).expect("a job");
            assert_eq!(name(&job).as_deref(), expected.map(str::as_bytes), "{words:?}");
        }
    }
}
