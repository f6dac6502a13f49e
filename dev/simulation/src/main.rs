//! Runs many histories, or one with its trace; or counts what many nodes cost one store.
//!
//! usage: rcron-simulation [--from SEED] [--histories N] | --trace SEED | --cost

use simulation::crowd::{self, Size};
use simulation::history;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

struct Options {
    from: u64,
    histories: u64,
    trace: Option<u64>,
    cost: bool,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        from: 0,
        histories: 100_000,
        trace: None,
        cost: false,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("from") => options.from = parser.value()?.parse()?,
            Long("histories") => options.histories = parser.value()?.parse()?,
            Long("cost") => options.cost = true,
            Long("trace") => options.trace = Some(parser.value()?.parse()?),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options() {
        Err(error) => {
            eprintln!("rcron-simulation: {error}");
            ExitCode::from(2)
        }
        Ok(Options { trace: Some(seed), .. }) => tell(seed),
        Ok(Options { cost: true, .. }) => show_costs(),
        Ok(options) => run(&options),
    }
}

/// A table of what nodes cost, in calls a second.
fn show_costs() -> ExitCode {
    println!("lease 10 s; a second, all nodes together:");
    println!(
        "{:>6} {:>9} {:>6} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "nodes", "clusters", "watch", "reads", "records", "changes", "hints", "watched"
    );
    for (group, groups, clusters) in [(3, 1, 1), (3, 1, 100), (3, 333, 1), (10, 100, 10), (1000, 1, 1)] {
        for watch in [true, false] {
            let size = Size {
                group,
                groups,
                clusters,
                lease: Duration::from_secs(10),
                watch,
            };
            let bill = crowd::count(size);
            let (nodes, all) = (group * groups, groups * clusters);
            #[expect(clippy::cast_precision_loss, reason = "to be read by people")]
            let rate = |count: u64| count as f64 / bill.seconds as f64;
            let word = if watch { "yes" } else { "no" };
            let (reads, keys, changes, hints) =
                (rate(bill.reads), rate(bill.keys), rate(bill.changes), rate(bill.hints));
            println!(
                "{nodes:>6} {all:>9} {word:>6} {reads:>8.1} {keys:>8.1} {changes:>9.1} {hints:>8.1} {:>8}",
                bill.watched
            );
            if bill.active != all {
                println!("only {} of {all} clusters have an active node", bill.active);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// One history, with everything that happens.
fn tell(seed: u64) -> ExitCode {
    let outcome = history::run(seed, None, true);
    outcome.trace.iter().for_each(|line| println!("{line}"));
    match outcome.violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("history {seed}, {violation}");
            ExitCode::FAILURE
        }
    }
}

/// Histories on all cores, until one fails.
fn run(options: &Options) -> ExitCode {
    let begun = Instant::now();
    let (next, events, failed) = (
        AtomicU64::new(options.from),
        AtomicU64::new(0),
        AtomicU64::new(u64::MAX),
    );
    let end = options.from.saturating_add(options.histories);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || failed.load(Ordering::Relaxed) < seed {
                return;
            }
            let outcome = history::run(seed, None, false);
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
            let (count, seconds) = (events.load(Ordering::Relaxed), begun.elapsed().as_secs_f64());
            println!(
                "{} histories, {count} events, {seconds:.1} s: never two active",
                options.histories
            );
            ExitCode::SUCCESS
        }
        seed => report(seed),
    }
}

/// The end of a failing history, and how to see all of it.
fn report(seed: u64) -> ExitCode {
    let outcome = history::run(seed, None, true);
    let from = outcome.trace.len().saturating_sub(60);
    outcome.trace[from..].iter().for_each(|line| println!("{line}"));
    if let Some(violation) = outcome.violation {
        println!("history {seed}, {violation}");
    }
    println!("all of it: cargo run --release -p rcron-simulation -- --trace {seed}");
    ExitCode::FAILURE
}
