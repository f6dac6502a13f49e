//! rcron while its job runs: memory, threads and children.

use crate::Result;
use crate::fixture::{Fixture, SHELL, Server, find};
use crate::proc::{self, Memory};
use crate::running::{Gate, Running};
use crate::statistics::median;
use crate::table::{self, NONE};
use crate::wait::until;
use nix::unistd::sync;
use std::process::Command;

/// At least two, so that the pages of a program's file count as shared.
const AT_ONCE: usize = 3;
/// Waits for its stdin to end.
pub(crate) const JOB: &str = "cat";

struct Case {
    name: &'static str,
    program: String,
    command: Command,
}

pub(crate) fn measure(fixture: &Fixture) -> Result<()> {
    // Pages of a new binary that is not yet on the disk would count as private and dirty.
    sync();
    let mut rows = vec![[
        "target for rcron".into(),
        "≤ 1,200 kB".into(),
        NONE.into(),
        "≤ 150 kB".into(),
        "≤ 150 kB".into(),
        "1".into(),
        "1".into(),
    ]];
    for mut case in cases(fixture)? {
        rows.push(case.row()?);
    }
    rows.rotate_left(1); // the targets last
    table::print(
        "Memory while the job runs",
        [
            "case",
            "resident",
            "its share",
            "private dirty",
            "anonymous",
            "threads",
            "children",
        ],
        &rows,
    );
    Ok(())
}

fn cases(fixture: &Fixture) -> Result<Vec<Case>> {
    let rcron = program_name(fixture)?;
    let mut cases = vec![
        Case {
            name: "rcron",
            program: rcron.clone(),
            command: fixture.rcron(Server::Active, &[JOB]),
        },
        Case {
            name: "rcron, on_demotion = terminate",
            program: rcron,
            command: fixture.rcron(Server::ActiveGuarded, &[JOB]),
        },
        Case {
            name: "`sh -c 'cat; exit'`",
            program: "sh".into(),
            command: Fixture::command(SHELL, ["-c", "cat; exit"]),
        },
    ];
    if let Some(flock) = find("flock") {
        cases.push(Case {
            name: "`flock --shared LOCK cat`",
            program: "flock".into(),
            command: Fixture::command(flock, ["--shared".into(), fixture.path("lock"), JOB.into()]),
        });
    }
    Ok(cases)
}

/// The name of rcron's process in proc(5): the first 15 bytes of the file's name.
pub(crate) fn program_name(fixture: &Fixture) -> Result<String> {
    let name = fixture.binary.file_name().ok_or("the binary has no name")?;
    Ok(name.to_string_lossy().chars().take(15).collect())
}

impl Case {
    fn row(&mut self) -> Result<[String; 7]> {
        let gate = Gate::new()?;
        let mut all = Vec::new();
        for _ in 0..AT_ONCE {
            all.push(Running::start(self.command.stdin(gate.reader()?))?);
        }
        let mut memories = Vec::new();
        for running in &all {
            until(self.name, || {
                Ok(proc::waits_for(running.pid(), &self.program, JOB).then_some(()))
            })?;
        }
        for running in &all {
            memories.push(proc::memory(running.pid())?);
        }
        let kilobytes = |of: fn(&Memory) -> u32| format!("{} kB", median(&memories.iter().map(of).collect::<Vec<_>>()));
        let row = [
            self.name.to_owned(),
            kilobytes(|memory| memory.resident),
            kilobytes(|memory| memory.proportional),
            kilobytes(|memory| memory.private_dirty),
            kilobytes(|memory| memory.anonymous),
            proc::threads(all[0].pid())?.to_string(),
            proc::children(all[0].pid()).len().to_string(),
        ];
        drop(gate);
        for running in &mut all {
            running.wait()?;
        }
        Ok(row)
    }
}
