//! Runs many histories, or one with its trace; or counts what many nodes cost one store.
//!
//! usage: rcron-simulation [--from SEED] [--histories N] | --trace SEED | --cost

use simulation::history::{self, Outcome};
use simulation::workload::{Size, count_calls};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

enum Command {
    Histories { from: u64, count: u64 },
    Trace(u64),
    Cost,
}

/// How many lines of a failing history's trace are printed.
const TRACE_END: usize = 60;

fn parse_command() -> Result<Command, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut from, mut count, mut command) = (0, 100_000, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("from") => from = parser.value()?.parse()?,
            Long("histories") => count = parser.value()?.parse()?,
            Long("cost") => command = Some(Command::Cost),
            Long("trace") => command = Some(Command::Trace(parser.value()?.parse()?)),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(command.unwrap_or(Command::Histories { from, count }))
}

fn main() -> ExitCode {
    match parse_command() {
        Err(error) => {
            eprintln!("rcron-simulation: {error}");
            ExitCode::from(2)
        }
        Ok(Command::Trace(seed)) => print_trace(seed, &history::run_history(seed, None, true), 0),
        Ok(Command::Cost) => print_costs(),
        Ok(Command::Histories { from, count }) => run_histories(from, count),
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
fn run_histories(from: u64, count: u64) -> ExitCode {
    let begun = Instant::now();
    let (next, events, failed) = (AtomicU64::new(from), AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let end = from.saturating_add(count);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // A history with a smaller seed than the failed one may fail too.
            if seed >= end || failed.load(Ordering::Relaxed) < seed {
                return;
            }
            let outcome = history::run_history(seed, None, false);
            events.fetch_add(outcome.events, Ordering::Relaxed);
            if outcome.violation.is_some() {
                failed.fetch_min(seed, Ordering::Relaxed);
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
            println!("{count} histories, {events} events, {seconds:.1} s: never two active nodes");
            ExitCode::SUCCESS
        }
        seed => {
            let outcome = history::run_history(seed, None, true);
            let result = print_trace(seed, &outcome, outcome.trace.len().saturating_sub(TRACE_END));
            println!("the whole trace: cargo run --release -p rcron-simulation -- --trace {seed}");
            result
        }
    }
}
