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

/// Waits at stdin, then becomes rcron, whose job waits at what was stdout: so each one is started beforehand, and all go
/// on at the same moment, harder than cron does it.
const STARTER: &str = "read gate; exec \"$0\" \"$@\" <&1 >/dev/null";
/// rcron gives a line up after 200 ms.
const LATE_LINES: Duration = Duration::from_secs(2);

struct Crowd {
    all: Vec<Running>,
    /// Open as long as the jobs are to wait.
    jobs_wait: Gate,
    began: Instant,
}

pub(crate) fn measure(scene: &Scene, size: usize) -> Result<()> {
    let before = scene.log.count()?;
    let crowd = Crowd::start(scene, size)?;
    let started = || scene.log.now().since(before).started;
    within(LATE_LINES, || Ok((started() == size).then_some(())))?;
    let until_started = crowd.began.elapsed();
    let memory = crowd.memory()?;
    let release = Instant::now();
    let failed = crowd.end()?;
    let until_ended = release.elapsed();
    let lines = scene.log.count()?.since(before);
    print(size, failed, lines, memory, (until_started, until_ended));
    Ok(())
}

impl Crowd {
    /// Returns when every job runs.
    fn start(scene: &Scene, size: usize) -> Result<Self> {
        let gate = Gate::new()?;
        let jobs_wait = Gate::new()?;
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
        let began = Instant::now();
        drop(gate);
        let crowd = Self { all, jobs_wait, began };
        let name = program_name(scene)?;
        for one in &crowd.all {
            until("a job", || Ok(proc::waits_for(one.pid(), &name, JOB).then_some(())))?;
        }
        Ok(crowd)
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

fn print(size: usize, failed: usize, lines: Count, kilobytes: u32, (started, ended): (Duration, Duration)) {
    let row = |name: &str, figure: String, target: &str| [name.to_owned(), figure, target.to_owned()];
    let rows = [
        row("failures", failed.to_string(), "0"),
        row("lines at the start", lines.started.to_string(), &size.to_string()),
        row("lines at the end", lines.ended.to_string(), &size.to_string()),
        row("lines told as lost", lines.lost.to_string(), "0"),
        row(
            "private dirty memory of all",
            format!("{} kB", grouped(kilobytes.into())),
            "≤ 150,000 kB for 1,000",
        ),
        row("until all jobs run and are logged", milliseconds(started), NONE),
        row("until all have ended, once they may", milliseconds(ended), NONE),
    ];
    table::print(
        &format!("{} at once", grouped(size as u64)),
        ["", "figure", "target"],
        &rows,
    );
}
