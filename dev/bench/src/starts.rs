//! The time from the start of a process to its end.

use crate::Result;
use crate::fixture::{Fixture, SHELL, Server, TRUE, find};
use crate::log::Count;
use crate::statistics::{microseconds, quantile};
use crate::table::{self, NONE};
use crate::wait;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const ACTIVE: &str = "rcron, active, `/bin/true`";
const RECORDED: &str = "the same, with a journal";

struct Case {
    name: &'static str,
    target: &'static str,
    command: Command,
    /// The exit status; another one means that something else was measured.
    status: i32,
    /// The log lines of one run.
    lines: Count,
    times: Vec<Duration>,
}

/// The cases take turns, so that a temporary load of the machine slows all of them equally. (hyperfine runs one case after the other.)
pub(crate) fn measure(fixture: &Fixture, rounds: usize) -> Result<()> {
    let mut cases = cases(fixture);
    let warm_up = rounds.div_ceil(20);
    let before = fixture.log.count()?;
    for round in 0..warm_up + rounds {
        for turn in order(round, cases.len()) {
            let time = cases[turn].run(fixture)?;
            if round >= warm_up {
                cases[turn].times.push(time);
            }
        }
    }
    let received = fixture.log.count()?.since(before);
    print(&cases);
    print_journal(&cases, fixture, warm_up + rounds)?;
    print_lines(&cases, warm_up + rounds, received);
    Ok(())
}

/// Each round begins with another case, and every second one is reversed, so that no case always follows the same one.
fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |turn| {
        let turn = if round % 2 == 0 { turn } else { count - 1 - turn };
        (round / 2 + turn) % count
    })
}

impl Case {
    fn new(name: &'static str, command: Command) -> Self {
        Self {
            name,
            target: NONE,
            command,
            status: 0,
            lines: Count::default(),
            times: Vec::new(),
        }
    }

    fn run(&mut self, fixture: &Fixture) -> Result<Duration> {
        let began = Instant::now();
        let status = fixture.watchdog.wait(&mut self.command.spawn()?)?;
        let time = began.elapsed();
        if status.code() != Some(self.status) {
            return Err(format!("{}: {status}", self.name).into());
        }
        Ok(time)
    }

    /// The time below which this percentage of the times is.
    fn at(&self, percent: usize) -> Duration {
        quantile(&self.times, percent)
    }
}

fn cases(fixture: &Fixture) -> Vec<Case> {
    let mut cases = vec![
        Case::new("`/bin/true`", Fixture::command(TRUE, [""; 0])),
        Case {
            target: "≤ 1.05",
            lines: ignored(),
            ..Case::new("rcron, passive", fixture.rcron(Server::Passive, &[TRUE]))
        },
        Case::new(
            "rcron, passive, no log daemon",
            fixture.rcron(Server::PassiveUnheard, &[TRUE]),
        ),
        Case {
            target: "≤ 2.2",
            lines: run(),
            ..Case::new(ACTIVE, fixture.rcron(Server::Active, &[TRUE]))
        },
        Case {
            lines: run(),
            ..Case::new(RECORDED, fixture.rcron(Server::ActiveRecorded, &[TRUE]))
        },
        Case {
            lines: run(),
            ..Case::new(
                "rcron, active, on_demotion = terminate, `/bin/true`",
                fixture.rcron(Server::ActiveGuarded, &[TRUE]),
            )
        },
        Case {
            lines: run(),
            ..Case::new(
                "rcron, active, `'true \\| true'`",
                fixture.rcron(Server::Active, &["true | true"]),
            )
        },
        Case::new("`sh -c 'true \\| true'`", shell("true | true")),
        Case::new("`sh -c /bin/true`", shell(TRUE)),
        Case {
            status: 1,
            ..Case::new(
                "`sh -c '[ \"$(cat STATE)\" = active ] && …'`, passive",
                by_hand(fixture, Server::Passive),
            )
        },
        Case::new(
            "`sh -c '[ \"$(cat STATE)\" = active ] && …'`, active",
            by_hand(fixture, Server::Active),
        ),
    ];
    if let Some(flock) = find("flock") {
        let command = Fixture::command(flock, [PathBuf::from("-n"), fixture.path("lock"), TRUE.into()]);
        cases.push(Case::new("`flock -n LOCK /bin/true`", command));
    }
    cases
}

fn ignored() -> Count {
    Count {
        ignored: 1,
        ..Count::default()
    }
}

fn run() -> Count {
    Count {
        started: 1,
        ended: 1,
        ..Count::default()
    }
}

fn shell(line: &str) -> Command {
    Fixture::command(SHELL, ["-c", line])
}

/// What people write in a crontab without rcron.
fn by_hand(fixture: &Fixture, server: Server) -> Command {
    let state = fixture.state(server);
    shell(&format!("[ \"$(cat {})\" = active ] && exec {TRUE}", state.display()))
}

/// The quickest tenth is for busy machines: other load has disturbed it least.
fn print(cases: &[Case]) {
    let (middle, quick) = (cases[0].at(50), cases[0].at(10));
    let ratio = |time: Duration, base: Duration| format!("{:.2}", time.as_secs_f64() / base.as_secs_f64());
    let rows = cases.iter().map(|case| {
        [
            case.name.to_owned(),
            microseconds(case.at(50)),
            ratio(case.at(50), middle),
            case.target.to_owned(),
            microseconds(case.at(10)),
            ratio(case.at(10), quick),
        ]
    });
    table::print(
        "Time from start to end",
        [
            "case",
            "median",
            "to `/bin/true`",
            "target",
            "quickest tenth below",
            "to `/bin/true`",
        ],
        &rows.collect::<Vec<_>>(),
    );
}

fn print_lines(cases: &[Case], rounds: usize, received: Count) {
    let sum = |lines: fn(&Count) -> usize| rounds * cases.iter().map(|case| lines(&case.lines)).sum::<usize>();
    println!("\nLog lines received, of those expected:");
    println!("{} of {} passive,", received.ignored, sum(|lines| lines.ignored));
    println!("{} of {} at the start,", received.started, sum(|lines| lines.started));
    println!("{} of {} at the end.", received.ended, sum(|lines| lines.ended));
}

/// The cost of the journal, and a check that every run was recorded.
fn print_journal(cases: &[Case], fixture: &Fixture, rounds: usize) -> Result<()> {
    let time = |name, percent| {
        cases
            .iter()
            .find(|case| case.name == name)
            .map(|case| case.at(percent).as_secs_f64())
    };
    for (what, percent) in [("median", 50), ("quickest tenth", 10)] {
        if let (Some(with), Some(without)) = (time(RECORDED, percent), time(ACTIVE, percent)) {
            println!(
                "\nWith a journal, to without, {what}: {:.2} (target ≤ 1.10)",
                with / without
            );
        }
    }
    let expected = 2 * rounds;
    let records = wait::until("the journal's records", || {
        Ok(Some(records(fixture)?).filter(|records| *records >= expected))
    })?;
    println!("\nRecords in the journal: {records} of {expected}");
    Ok(())
}

/// The number of lines in all files of the journal.
fn records(fixture: &Fixture) -> Result<usize> {
    let mut count = 0;
    for file in std::fs::read_dir(fixture.journal.path())? {
        count += std::fs::read_to_string(file?.path())?.lines().count();
    }
    Ok(count)
}
