//! From the moment the server stops being the active one to the end of its job, and to that of rcron.

use crate::Result;
use crate::memory::{JOB, program_name};
use crate::proc;
use crate::running::{Gate, Running};
use crate::scene::{Scene, Server};
use crate::statistics::{median, milliseconds};
use crate::table;
use crate::wait::until;
use nix::errno::Errno;
use nix::sys::inotify::{InitFlags, Inotify};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// rcron looks every 80 ms where it has no inotify. The changes come at moments spread over a little more than that, for
/// the start of the job would always be the same moment between two looks.
const SPREAD: Duration = Duration::from_millis(100);

/// From the change of the state.
#[derive(Clone, Copy)]
struct Delay {
    /// To the job's end.
    job: Duration,
    /// To the end of rcron, which also logs it and gives back what it holds.
    rcron: Duration,
}

pub(crate) fn measure(scene: &Scene, rounds: usize) -> Result<()> {
    let mut rows = vec![row("with inotify", &delays(scene, rounds, true)?)];
    let instances = fs::read_to_string("/proc/sys/fs/inotify/max_user_instances")?;
    let can_exhaust = room_for(instances.trim_end().parse()?)?;
    if can_exhaust {
        rows.push(row("inotify refused", &delays(scene, rounds, false)?));
    }
    table::print(
        "From the change of the state",
        [
            "case",
            "to the job's end: median",
            "longest",
            "target",
            "to rcron's end: median",
            "longest",
            "rounds",
        ],
        &rows,
    );
    if !can_exhaust {
        println!("\nNot measured without inotify: there are too many instances to use up.");
    }
    Ok(())
}

fn row(name: &str, delays: &[Delay]) -> [String; 7] {
    let jobs: Vec<_> = delays.iter().map(|delay| delay.job).collect();
    let rcrons: Vec<_> = delays.iter().map(|delay| delay.rcron).collect();
    let longest = |delays: &[Duration]| milliseconds(delays.iter().copied().max().unwrap_or_default());
    [
        name.to_owned(),
        milliseconds(median(&jobs)),
        longest(&jobs),
        "≤ 100 ms".into(),
        milliseconds(median(&rcrons)),
        longest(&rcrons),
        delays.len().to_string(),
    ]
}

fn delays(scene: &Scene, rounds: usize, inotify: bool) -> Result<Vec<Delay>> {
    let mut delays = Vec::new();
    for round in 0..rounds {
        let Guarded { running, gate, used_up } = guarded(scene, inotify)?;
        let fraction = u32::try_from(round)? * SPREAD / u32::try_from(rounds)?;
        thread::sleep(fraction);
        delays.push(demote(scene, running)?);
        drop((gate, used_up)); // only now: the job was to end by SIGTERM
    }
    Ok(delays)
}

/// A guarded job that waits.
struct Guarded {
    running: Running,
    gate: Gate,
    /// Every instance of inotify that was left, where rcron is to have none.
    used_up: Vec<Inotify>,
}

/// Starts one under an rcron that has inotify, which it wants only after a while, or that is refused it to the end.
fn guarded(scene: &Scene, inotify: bool) -> Result<Guarded> {
    let name = program_name(scene)?;
    scene.prepare_state(Server::ActiveGuarded, "active\n")?()?;
    let gate = Gate::new()?;
    let mut command = scene.rcron(Server::ActiveGuarded, &[JOB]);
    command.stdin(gate.reader()?);
    let used_up = if inotify { Vec::new() } else { use_up_inotify()? };
    let running = Running::start(&mut command)?;
    until("a guarded job", || {
        Ok(proc::waits_for(running.pid(), &name, JOB).then_some(()))
    })?;
    if inotify {
        until(
            "rcron's inotify",
            || Ok(proc::has_inotify(running.pid())?.then_some(())),
        )?;
    }
    Ok(Guarded { running, gate, used_up })
}

/// Takes every instance that this user may still have.
fn use_up_inotify() -> Result<Vec<Inotify>> {
    let mut instances = Vec::new();
    loop {
        match Inotify::init(InitFlags::IN_CLOEXEC) {
            Ok(instance) => instances.push(instance),
            Err(Errno::EMFILE) => return Ok(instances),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether so many more descriptors can be had, and some are left.
fn room_for(instances: u64) -> Result<bool> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = instances + 100;
    if soft < wanted && hard >= wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(hard >= wanted)
}

/// Makes the server passive, and waits for what comes of it.
fn demote(scene: &Scene, mut running: Running) -> Result<Delay> {
    let before = scene.log.count()?;
    let job = *proc::children(running.pid()).first().ok_or("the job is gone")?;
    let change = scene.prepare_state(Server::ActiveGuarded, "passive\n")?;
    let began = Instant::now();
    change()?;
    // To a millisecond: it is no child of ours.
    until("the job's end", || Ok(proc::has_ended(job).then_some(())))?;
    let job = began.elapsed();
    let status = scene.watchdog.wait(&mut running.0)?;
    let rcron = began.elapsed();
    let demoted = scene.log.count()?.since(before).demoted;
    if status.signal() != Some(15) || demoted != 1 {
        return Err(format!("no demotion: {status}, {demoted} log lines of it").into());
    }
    Ok(Delay { job, rcron })
}
