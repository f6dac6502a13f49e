//! Runs many histories, or one with its trace.
//!
//! usage: rcron-simulation [--from SEED] [--histories N] | --trace SEED

use simulation::history;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

struct Options {
    from: u64,
    histories: u64,
    trace: Option<u64>,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        from: 0,
        histories: 100_000,
        trace: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("from") => options.from = parser.value()?.parse()?,
            Long("histories") => options.histories = parser.value()?.parse()?,
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
        Ok(options) => run(&options),
    }
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
