//! Runs many histories, or one with its trace; or counts what many nodes cost one store.
//!
//! usage: rcron-simulation [--ticks [--without RULE]] [--all] [--from SEED] [--histories N] | [--ticks …] --trace SEED | --cost
//!
//! `--ticks` runs the claims machine beside the lease machine. `--without RULE` leaves a rule of `claims::Mutation` out. `--all` goes
//! on after a failure, and prints one line for each.

use simulation::history;
use simulation::ticks;
use simulation::workload::{Size, count_calls};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

enum Command {
    Histories {
        world: Worlds,
        from: u64,
        count: u64,
        all: bool,
    },
    Trace(Worlds, u64),
    Cost,
}

/// What is simulated.
#[derive(Clone, Copy)]
enum Worlds {
    Lease,
    Ticks(Option<claims::Mutation>),
}

/// The result of a history of either world.
struct Outcome {
    violation: Option<String>,
    events: u64,
    starts: u64,
    trace: Vec<String>,
}

impl Worlds {
    fn run_history(self, seed: u64, trace: bool) -> Outcome {
        match self {
            Self::Lease => {
                let outcome = history::run_history(seed, None, trace);
                Outcome {
                    violation: outcome.violation.map(|violation| violation.to_string()),
                    events: outcome.events,
                    starts: 0,
                    trace: outcome.trace,
                }
            }
            Self::Ticks(mutation) => {
                let outcome = ticks::history::run_history(seed, mutation, trace);
                Outcome {
                    violation: outcome.violation.map(|violation| violation.to_string()),
                    events: outcome.events,
                    starts: outcome.starts,
                    trace: outcome.trace,
                }
            }
        }
    }

    const fn option(self) -> &'static str {
        match self {
            Self::Lease => "",
            Self::Ticks(_) => "--ticks ",
        }
    }
}

/// How many lines of a failing history's trace are printed.
const TRACE_END: usize = 60;

fn parse_command() -> Result<Command, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut from, mut count, mut command, mut world) = (0, 100_000, None, Worlds::Lease);
    let (mut trace, mut all) = (None, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("from") => from = parser.value()?.parse()?,
            Long("histories") => count = parser.value()?.parse()?,
            Long("cost") => command = Some(Command::Cost),
            Long("trace") => trace = Some(parser.value()?.parse()?),
            Long("all") => all = true,
            Long("ticks") => world = Worlds::Ticks(None),
            Long("without") => {
                let name = parser.value()?.string()?;
                let mutation = ticks::mutations::named(&name).ok_or("there is no such rule")?;
                world = Worlds::Ticks(Some(mutation));
            }
            _ => return Err(argument.unexpected()),
        }
    }
    let command = command.or(trace.map(|seed| Command::Trace(world, seed)));
    Ok(command.unwrap_or(Command::Histories {
        world,
        from,
        count,
        all,
    }))
}

fn main() -> ExitCode {
    match parse_command() {
        Err(error) => {
            eprintln!("rcron-simulation: {error}");
            ExitCode::from(2)
        }
        Ok(Command::Trace(world, seed)) => print_trace(seed, &world.run_history(seed, true), 0),
        Ok(Command::Cost) => print_costs(),
        Ok(Command::Histories {
            world,
            from,
            count,
            all,
        }) => run_histories(world, from, count, all),
    }
}

/// A table of calls a second.
fn print_costs() -> ExitCode {
    println!("lease 10 s; calls a second of all nodes together:");
    println!(
        "{:>6} {:>9} {:>6} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "nodes", "clusters", "watch", "reads", "records", "changes", "hints", "watched"
    );
    for (group, groups, clusters) in [(3, 1, 1), (3, 1, 100), (3, 333, 1), (10, 100, 10), (1000, 1, 1)] {
        for watch in [true, false] {
            let counts = count_calls(Size {
                group,
                groups,
                clusters,
                lease: Duration::from_secs(10),
                watch,
            });
            let (nodes, all) = (group * groups, groups * clusters);
            #[expect(clippy::cast_precision_loss, reason = "a rounded number for people")]
            let rate = |count: u64| count as f64 / counts.seconds as f64;
            let word = if watch { "yes" } else { "no" };
            let (reads, keys) = (rate(counts.reads), rate(counts.keys));
            let (changes, hints) = (rate(counts.changes), rate(counts.hints));
            println!(
                "{nodes:>6} {all:>9} {word:>6} {reads:>8.1} {keys:>8.1} {changes:>9.1} {hints:>8.1} {:>8}",
                counts.watched
            );
            if counts.active != all {
                println!("only {} of {all} clusters have an active node", counts.active);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Prints what happened, without the first lines.
fn print_trace(seed: u64, outcome: &Outcome, skip: usize) -> ExitCode {
    outcome.trace.iter().skip(skip).for_each(|line| println!("{line}"));
    match &outcome.violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("history {seed}, {violation}");
            ExitCode::FAILURE
        }
    }
}

/// Runs histories on all cores, until one fails.
fn run_histories(world: Worlds, from: u64, count: u64, all: bool) -> ExitCode {
    let begun = Instant::now();
    let (next, failed) = (AtomicU64::new(from), AtomicU64::new(u64::MAX));
    let (events, starts) = (AtomicU64::new(0), AtomicU64::new(0));
    let end = from.saturating_add(count);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // A history with a smaller seed than the failed one may fail too.
            if seed >= end || (!all && failed.load(Ordering::Relaxed) < seed) {
                return;
            }
            let outcome = world.run_history(seed, false);
            events.fetch_add(outcome.events, Ordering::Relaxed);
            starts.fetch_add(outcome.starts, Ordering::Relaxed);
            if let Some(violation) = outcome.violation {
                failed.fetch_min(seed, Ordering::Relaxed);
                if all {
                    println!("history {seed}, {violation}");
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (0..cores).for_each(|_| {
            scope.spawn(work);
        });
    });
    match failed.load(Ordering::Relaxed) {
        u64::MAX => {
            let (events, seconds) = (events.load(Ordering::Relaxed), begun.elapsed().as_secs_f64());
            let kept = match world {
                Worlds::Lease => "never two active nodes".to_owned(),
                Worlds::Ticks(_) => format!("{} ticks started, none twice", starts.load(Ordering::Relaxed)),
            };
            println!("{count} histories, {events} events, {seconds:.1} s: {kept}");
            ExitCode::SUCCESS
        }
        _ if all => ExitCode::FAILURE,
        seed => {
            let outcome = world.run_history(seed, true);
            let result = print_trace(seed, &outcome, outcome.trace.len().saturating_sub(TRACE_END));
            println!(
                "the whole trace: cargo run --release -p rcron-simulation -- {}--trace {seed}",
                world.option()
            );
            result
        }
    }
}
