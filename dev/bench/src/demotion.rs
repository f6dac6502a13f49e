//! The delay of a demotion: from the change of the state to the end of the job, and to the end of rcron.

use crate::Result;
use crate::fixture::{Fixture, Server};
use crate::memory::{JOB, program_name};
use crate::proc;
use crate::running::{Gate, Running};
use crate::statistics::{median, milliseconds};
use crate::table;
use crate::wait::until;
use nix::errno::Errno;
use nix::sys::inotify::{InitFlags, Inotify};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Without inotify, rcron reads the state every 80 ms. The changes are spread over a little more than that; otherwise each would come
/// at the same time after a reading.
const SPREAD: Duration = Duration::from_millis(100);

/// Delays after the change of the state.
#[derive(Clone, Copy)]
struct Delay {
    /// Until the job's end.
    job: Duration,
    /// Until the end of rcron, which also logs the end and closes its descriptors.
    rcron: Duration,
}

pub(crate) fn measure(fixture: &Fixture, rounds: usize) -> Result<()> {
    let mut rows = vec![row("with inotify", &delays(fixture, rounds, true)?)];
    let instances = fs::read_to_string("/proc/sys/fs/inotify/max_user_instances")?;
    let can_exhaust = room_for(instances.trim_end().parse()?)?;
    if can_exhaust {
        rows.push(row("inotify refused", &delays(fixture, rounds, false)?));
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
        println!("\nNot measured without inotify: this user has too many instances to use them up.");
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

fn delays(fixture: &Fixture, rounds: usize, inotify: bool) -> Result<Vec<Delay>> {
    let mut delays = Vec::new();
    for round in 0..rounds {
        let Guarded { running, gate, used_up } = guarded(fixture, inotify)?;
        let fraction = u32::try_from(round)? * SPREAD / u32::try_from(rounds)?;
        thread::sleep(fraction);
        delays.push(demote(fixture, running)?);
        drop((gate, used_up)); // not before, so that the job ends by SIGTERM
    }
    Ok(delays)
}

/// A guarded job that waits.
struct Guarded {
    running: Running,
    gate: Gate,
    /// Every inotify instance that was available, if rcron must not get one.
    used_up: Vec<Inotify>,
}

/// Starts a guarded job, and waits until rcron uses inotify, which it does after a while; or leaves no inotify instance for rcron.
fn guarded(fixture: &Fixture, inotify: bool) -> Result<Guarded> {
    let name = program_name(fixture)?;
    fixture.prepare_state(Server::ActiveGuarded, "active\n")?()?;
    let gate = Gate::new()?;
    let mut command = fixture.rcron(Server::ActiveGuarded, &[JOB]);
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

/// Opens every inotify instance that this user may still have.
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

/// Raises the limit of descriptors if necessary. Returns whether so many instances, and some other files, can be open.
fn room_for(instances: u64) -> Result<bool> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = instances + 100;
    if soft < wanted && hard >= wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(hard >= wanted)
}

/// Makes the server passive, and waits for the ends of the job and of rcron.
fn demote(fixture: &Fixture, mut running: Running) -> Result<Delay> {
    let before = fixture.log.count()?;
    let job = *proc::children(running.pid()).first().ok_or("the job is gone")?;
    let change = fixture.prepare_state(Server::ActiveGuarded, "passive\n")?;
    let began = Instant::now();
    change()?;
    // Exact to a millisecond only, because the job is not our child.
    until("the job's end", || Ok(proc::has_ended(job).then_some(())))?;
    let job = began.elapsed();
    let status = fixture.watchdog.wait(&mut running.0)?;
    let rcron = began.elapsed();
    let demoted = fixture.log.count()?.since(before).demoted;
    if status.signal() != Some(15) || demoted != 1 {
        return Err(format!("no demotion: {status}, {demoted} log lines about it").into());
    }
    Ok(Delay { job, rcron })
}
