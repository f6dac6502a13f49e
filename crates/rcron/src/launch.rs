//! The job's environment, and the program file that its `PATH` leads to.

use policy::command::Job;
use std::ffi::{CStr, CString, NulError};
use std::path::PathBuf;
use sys::{environment, spawn};

/// The environment that a job gets: rcron's own, overridden by the job's assignments, then by rcron's additions.
pub(crate) struct Environment {
    added: Vec<CString>,
    kept: Vec<&'static CStr>,
}

/// Variables that describe the run. `None` removes the variable: the epoch of an outer rcron is not ours.
pub(crate) type Additions<'a> = [(&'static str, Option<&'a [u8]>)];

impl Environment {
    pub(crate) fn new(job: &Job, additions: &Additions) -> Result<Self, NulError> {
        let assigned = last_of_each(job.assignments());
        let ours = |name: &[u8]| additions.iter().any(|(ours, _)| ours.as_bytes() == name);
        let is_replaced = |entry: &[u8]| {
            entry.contains(&b'=') && (ours(name(entry)) || assigned.iter().any(|word| name(word) == name(entry)))
        };
        let kept = environment::entries()
            .into_iter()
            .filter(|entry| !is_replaced(entry.to_bytes()))
            .collect();
        let assigned = assigned
            .iter()
            .filter(|word| !ours(name(word)))
            .map(|word| CString::new(*word));
        let added = additions.iter().filter_map(|(name, value)| Some((name, (*value)?)));
        let added = added.map(|(name, value)| CString::new([name.as_bytes(), b"=", value].concat()));
        Ok(Self {
            added: assigned.chain(added).collect::<Result<_, _>>()?,
            kept,
        })
    }

    /// The entries for execve(2).
    pub(crate) fn entries(&self) -> Vec<&CStr> {
        self.kept
            .iter()
            .copied()
            .chain(self.added.iter().map(CString::as_c_str))
            .collect()
    }
}

/// The file that the job's program name leads to with the `PATH` that the job gets; `None` if there is no executable one.
pub(crate) fn program(job: &Job) -> Option<PathBuf> {
    let environment = Environment::new(job, &[]).ok()?;
    spawn::lookup(job.argv()[0], &environment.entries())
}

fn name(entry: &[u8]) -> &[u8] {
    entry.split(|byte| *byte == b'=').next().unwrap_or_default()
}

/// Of several assignments to a variable the last one counts, as with env(1).
fn last_of_each(words: &[Vec<u8>]) -> Vec<&[u8]> {
    let is_last = |(index, word): &(usize, &Vec<u8>)| !words[index + 1..].iter().any(|later| name(later) == name(word));
    words
        .iter()
        .enumerate()
        .filter(is_last)
        .map(|(_, word)| word.as_slice())
        .collect()
}
