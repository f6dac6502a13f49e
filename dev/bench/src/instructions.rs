//! Instructions of a passive run in user space, counted by valgrind: the only figure that other load does not change.

use crate::Result;
use crate::fixture::{Fixture, Server, TRUE, find};
use crate::running::Running;
use crate::statistics::grouped;
use crate::table::{self, NONE};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub(crate) fn measure(fixture: &Fixture) -> Result<()> {
    let Some(valgrind) = find("valgrind") else {
        println!("\n## Instructions\n\nNot counted: valgrind is not installed.");
        return Ok(());
    };
    let passive: Vec<PathBuf> = [fixture.binary.clone()]
        .into_iter()
        .chain(fixture.arguments(Server::Passive, &[TRUE]))
        .collect();
    let before = fixture.log.count()?;
    let base = count(fixture, &valgrind, &[TRUE.into()], Environment::Cron)?;
    let from_cron = count(fixture, &valgrind, &passive, Environment::Cron)?;
    let from_here = count(fixture, &valgrind, &passive, Environment::Callers)?;
    let ignored = fixture.log.count()?.since(before).ignored;
    if ignored != 2 {
        return Err(format!("{ignored} log lines of 2 passive runs under valgrind").into());
    }
    let variables = env::vars_os().count();
    let row = |name: String, count: u32, target: &str| {
        let ratio = f64::from(count) / f64::from(base);
        [name, grouped(count.into()), format!("{ratio:.2}"), target.to_owned()]
    };
    let rows = [
        row("`/bin/true`".into(), base, NONE),
        row("rcron, passive, as from cron".into(), from_cron, "≤ 100,000"),
        row(
            format!("rcron, passive, as from here ({variables} variables)"),
            from_here,
            NONE,
        ),
    ];
    table::print(
        "Instructions",
        ["case", "in user space", "to `/bin/true`", "target"],
        &rows,
    );
    Ok(())
}

#[derive(Clone, Copy)]
enum Environment {
    Cron,
    Callers,
}

fn count(fixture: &Fixture, valgrind: &Path, command: &[PathBuf], environment: Environment) -> Result<u32> {
    let report = fixture.path("valgrind");
    let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"].map(PathBuf::from);
    let mut counted = Fixture::command(valgrind, options.iter().chain(command));
    if matches!(environment, Environment::Callers) {
        counted.envs(env::vars_os());
    }
    counted.stderr(File::create(&report)?);
    let status = Running::start(&mut counted)?.wait()?;
    let text = fs::read_to_string(report)?;
    if !status.success() {
        return Err(format!("valgrind: {status}\n{text}").into());
    }
    collected(&text).ok_or_else(|| format!("valgrind tells no count:\n{text}").into())
}

/// `==PID== Collected : 12345`
fn collected(text: &str) -> Option<u32> {
    let line = text.lines().find(|line| line.contains("Collected"))?;
    line.split_whitespace().last()?.parse().ok()
}
