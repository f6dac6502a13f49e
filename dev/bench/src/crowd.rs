//! A thousand at once: the minute at which every crontab fires.

use crate::Result;
use crate::log::Count;
use crate::memory::{JOB, program_name};
use crate::proc;
use crate::running::{Gate, Running};
use crate::scene::{SHELL, Scene, Server};
use crate::statistics::{grouped, milliseconds};
use crate::table::{self, NONE};
use crate::wait::{until, within};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Waits at stdin, then becomes rcron, whose job waits at what was stdout.
const STARTER: &str = "read gate; exec \"$0\" \"$@\" <&1 >/dev/null";
/// rcron gives a line up after 200 ms.
const LATE_LINES: Duration = Duration::from_secs(2);

/// How they are started.
#[derive(Clone, Copy)]
enum Start {
    /// One after the other, without a pause, as cron does it.
    InTurn,
    /// Each beforehand, as a shell that waits; all become rcron in the same moment. No cron is so fast.
    Together,
}

struct Crowd {
    all: Vec<Running>,
    /// Open as long as the jobs are to wait.
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

pub(crate) fn measure(scene: &Scene, size: usize) -> Result<()> {
    let in_turn = figures(scene, size, Start::InTurn)?;
    let together = figures(scene, size, Start::Together)?;
    print(size, &in_turn, &together);
    Ok(())
}

fn figures(scene: &Scene, size: usize, start: Start) -> Result<Figures> {
    let before = scene.log.count()?;
    let crowd = Crowd::start(scene, size, start)?;
    within(LATE_LINES, || {
        let started = scene.log.count()?.since(before).started;
        Ok((started == size).then_some(()))
    })?;
    let until_started = crowd.began.elapsed();
    let kilobytes = crowd.memory()?;
    let release = Instant::now();
    let failed = crowd.end()?;
    let until_ended = release.elapsed();
    Ok(Figures {
        failed,
        lines: scene.log.count()?.since(before),
        kilobytes,
        until_started,
        until_ended,
    })
}

impl Crowd {
    /// Returns when every job runs.
    fn start(scene: &Scene, size: usize, start: Start) -> Result<Self> {
        let jobs_wait = Gate::new()?;
        let (all, began) = match start {
            Start::InTurn => start_in_turn(scene, size, &jobs_wait)?,
            Start::Together => start_together(scene, size, &jobs_wait)?,
        };
        let name = program_name(scene)?;
        for one in &all {
            until("a job", || Ok(proc::waits_for(one.pid(), &name, JOB).then_some(())))?;
        }
        Ok(Self { all, jobs_wait, began })
    }

    /// What all rcron have for themselves, in kB.
    fn memory(&self) -> Result<u32> {
        let mut sum = 0;
        for one in &self.all {
            sum += proc::memory(one.pid())?.private_dirty;
        }
        Ok(sum)
    }

    /// Lets all jobs end. How many rcron did not end with 0.
    fn end(mut self) -> Result<usize> {
        drop(self.jobs_wait);
        let mut failed = 0;
        for one in &mut self.all {
            failed += usize::from(!one.wait()?.success());
        }
        Ok(failed)
    }
}

fn start_in_turn(scene: &Scene, size: usize, jobs_wait: &Gate) -> Result<(Vec<Running>, Instant)> {
    let mut command = scene.rcron(Server::Active, &[JOB]);
    let began = Instant::now();
    let mut all = Vec::new();
    for _ in 0..size {
        all.push(Running::start(command.stdin(jobs_wait.reader()?))?);
    }
    Ok((all, began))
}

fn start_together(scene: &Scene, size: usize, jobs_wait: &Gate) -> Result<(Vec<Running>, Instant)> {
    let gate = Gate::new()?;
    let arguments = scene.arguments(Server::Active, &[JOB]);
    let words = [PathBuf::from("-c"), STARTER.into(), scene.binary.clone()];
    let mut command = Scene::command(SHELL, words.into_iter().chain(arguments));
    let mut all = Vec::new();
    for _ in 0..size {
        command.stdin(gate.reader()?).stdout(jobs_wait.reader()?);
        all.push(Running::start(&mut command)?);
    }
    for one in &all {
        until("a starter", || Ok(proc::sleeps_as(one.pid(), "sh").then_some(())))?;
    }
    Ok((all, Instant::now())) // the gate opens
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
        row("lines told as lost", |figures| figures.lines.lost.to_string(), "0"),
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
            "until all have ended, once they may",
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
