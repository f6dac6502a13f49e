//! What waits beside a job: its memory, threads and children.

use crate::Result;
use crate::proc::{self, Memory};
use crate::running::{Gate, Running};
use crate::scene::{SHELL, Scene, Server, find};
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

pub(crate) fn measure(scene: &Scene) -> Result<()> {
    // The pages of a file just built, not yet on the disk, would count as private and dirty.
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
    for mut case in cases(scene)? {
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

fn cases(scene: &Scene) -> Result<Vec<Case>> {
    let rcron = program_name(scene)?;
    let mut cases = vec![
        Case {
            name: "rcron",
            program: rcron.clone(),
            command: scene.rcron(Server::Active, &[JOB]),
        },
        Case {
            name: "rcron, on_demotion = terminate",
            program: rcron,
            command: scene.rcron(Server::ActiveGuarded, &[JOB]),
        },
        Case {
            name: "`sh -c 'cat; exit'`",
            program: "sh".into(),
            command: Scene::command(SHELL, ["-c", "cat; exit"]),
        },
    ];
    if let Some(flock) = find("flock") {
        cases.push(Case {
            name: "`flock --shared LOCK cat`",
            program: "flock".into(),
            command: Scene::command(flock, ["--shared".into(), scene.path("lock"), JOB.into()]),
        });
    }
    Ok(cases)
}

/// What the kernel calls the process of rcron: the first 15 bytes of the file's name.
pub(crate) fn program_name(scene: &Scene) -> Result<String> {
    let name = scene.binary.file_name().ok_or("the binary has no name")?;
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
