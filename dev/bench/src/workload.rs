//! A thousand runs at once, as in a minute at which every crontab starts jobs.

use crate::Result;
use crate::fixture::{Fixture, SHELL, Server};
use crate::log::Count;
use crate::memory::{JOB, program_name};
use crate::proc;
use crate::running::{Gate, Running};
use crate::statistics::{grouped, milliseconds};
use crate::table::{self, NONE};
use crate::wait::{until, within};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Waits for stdin, then becomes rcron, whose job waits for what was stdout.
const STARTER: &str = "read gate; exec \"$0\" \"$@\" <&1 >/dev/null";
/// More than the 200 ms after which rcron drops a log line.
const LATE_LINES: Duration = Duration::from_secs(2);

/// How the runs are started.
#[derive(Clone, Copy)]
enum Start {
    /// One after the other without a pause, as cron starts them.
    InTurn,
    /// Each as a waiting shell first; then all become rcron at the same moment. No cron is so fast.
    Together,
}

struct Workload {
    all: Vec<Running>,
    /// The jobs wait while it is open.
    jobs_wait: Gate,
    began: Instant,
}

struct Figures {
    failed: usize,
    lines: Count,
    kilobytes: u32,
    until_started: Duration,
    until_ended: Duration,
}

pub(crate) fn measure(fixture: &Fixture, size: usize) -> Result<()> {
    let in_turn = figures(fixture, size, Start::InTurn)?;
    let together = figures(fixture, size, Start::Together)?;
    print(size, &in_turn, &together);
    Ok(())
}

fn figures(fixture: &Fixture, size: usize, start: Start) -> Result<Figures> {
    let before = fixture.log.count()?;
    let workload = Workload::start(fixture, size, start)?;
    within(LATE_LINES, || {
        let started = fixture.log.count()?.since(before).started;
        Ok((started == size).then_some(()))
    })?;
    let until_started = workload.began.elapsed();
    let kilobytes = workload.memory()?;
    let release = Instant::now();
    let failed = workload.end()?;
    let until_ended = release.elapsed();
    Ok(Figures {
        failed,
        lines: fixture.log.count()?.since(before),
        kilobytes,
        until_started,
        until_ended,
    })
}

impl Workload {
    /// Returns when every job runs.
    fn start(fixture: &Fixture, size: usize, start: Start) -> Result<Self> {
        let jobs_wait = Gate::new()?;
        let (all, began) = match start {
            Start::InTurn => start_in_turn(fixture, size, &jobs_wait)?,
            Start::Together => start_together(fixture, size, &jobs_wait)?,
        };
        let name = program_name(fixture)?;
        for one in &all {
            until("a job", || Ok(proc::waits_for(one.pid(), &name, JOB).then_some(())))?;
        }
        Ok(Self { all, jobs_wait, began })
    }

    /// The private memory of all rcron processes, in kB.
    fn memory(&self) -> Result<u32> {
        let mut sum = 0;
        for one in &self.all {
            sum += proc::memory(one.pid())?.private_dirty;
        }
        Ok(sum)
    }

    /// Lets all jobs end. Returns how many rcron processes did not exit with 0.
    fn end(mut self) -> Result<usize> {
        drop(self.jobs_wait);
        let mut failed = 0;
        for one in &mut self.all {
            failed += usize::from(!one.wait()?.success());
        }
        Ok(failed)
    }
}

fn start_in_turn(fixture: &Fixture, size: usize, jobs_wait: &Gate) -> Result<(Vec<Running>, Instant)> {
    let mut command = fixture.rcron(Server::Active, &[JOB]);
    let began = Instant::now();
    let mut all = Vec::new();
    for _ in 0..size {
        all.push(Running::start(command.stdin(jobs_wait.reader()?))?);
    }
    Ok((all, began))
}

fn start_together(fixture: &Fixture, size: usize, jobs_wait: &Gate) -> Result<(Vec<Running>, Instant)> {
    let gate = Gate::new()?;
    let arguments = fixture.arguments(Server::Active, &[JOB]);
    let words = [PathBuf::from("-c"), STARTER.into(), fixture.binary.clone()];
    let mut command = Fixture::command(SHELL, words.into_iter().chain(arguments));
    let mut all = Vec::new();
    for _ in 0..size {
        command.stdin(gate.reader()?).stdout(jobs_wait.reader()?);
        all.push(Running::start(&mut command)?);
    }
    for one in &all {
        until("a starter", || Ok(proc::sleeps_as(one.pid(), "sh").then_some(())))?;
    }
    Ok((all, Instant::now())) // the gate opens when it is dropped
}

fn print(size: usize, in_turn: &Figures, together: &Figures) {
    let row = |name: &str, figure: fn(&Figures) -> String, target: &str| {
        [name.to_owned(), figure(in_turn), figure(together), target.to_owned()]
    };
    let all = size.to_string();
    let rows = [
        row("failures", |figures| figures.failed.to_string(), "0"),
        row("lines at the start", |figures| figures.lines.started.to_string(), &all),
        row("lines at the end", |figures| figures.lines.ended.to_string(), &all),
        row("lines reported as lost", |figures| figures.lines.lost.to_string(), "0"),
        row(
            "private dirty memory of all",
            |figures| format!("{} kB", grouped(figures.kilobytes.into())),
            "≤ 150,000 kB for 1,000",
        ),
        row(
            "until all jobs run and are logged",
            |figures| milliseconds(figures.until_started),
            NONE,
        ),
        row(
            "until all have ended, after the jobs may",
            |figures| milliseconds(figures.until_ended),
            NONE,
        ),
    ];
    table::print(
        &format!("{} at once", grouped(size as u64)),
        ["", "started in turn", "in the same moment", "target"],
        &rows,
    );
}
