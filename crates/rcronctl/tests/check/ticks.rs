//! Debian's cron itself over changes of summer time and with clocks that are set: each job that it starts gets the name of the minute
//! that cron meant.

use ::crontab::tick::{TickMinute, Ticks};
use ::crontab::{Crontab, Kind, schedule::Dialect};
use policy::moment::WallTime;
use policy::time_zone::Zone;
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use testing::cron::faketime;
use testing::process::Running;
use testing::wait::until;

/// In the mount and pid namespaces, cron sees only these jobs. The jobs see the real time; `$DIR/start` says when cron was started.
/// cron's time is the real one plus the offset in `$DIR/clock`, and passes faster.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs none /run
mount -t tmpfs none /var/spool/cron/crontabs
mount -t tmpfs none /etc/cron.d
mount --bind /dev/null /etc/crontab
cp "$DIR/crontab" /etc/cron.d/jobs
date +%s.%N >"$DIR/start"
TZ=$ZONE FAKETIME_TIMESTAMP_FILE=$DIR/clock FAKETIME_NO_CACHE=1 LD_PRELOAD=$FAKETIME_LIBRARY exec cron -f
"#;

/// How much faster than the real time cron's time passes.
const SPEED: u32 = 120;
/// The job whose run ends a scenario.
const END: &str = "end";
/// The job whose run sets the clock.
const STEP: &str = "step";

struct Scenario {
    name: &'static str,
    zone: &'static str,
    /// Minutes since 1970-01-01 UTC.
    from: TickMinute,
    /// How many minutes the clock is set forward, or back, when the job [`STEP`] runs.
    step: i64,
    start_within: Duration,
    /// The schedule of each job and the names of all its runs, in UTC, in their order.
    jobs: &'static [(&'static str, &'static str)],
    /// The schedules of [`END`] and [`STEP`].
    end: &'static str,
    marker: Option<&'static str>,
}

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
const SPRING: &[(&str, &str)] = &[
    ("55 1 * * *", "00:55"),
    ("0 2 * * *", "01:00"),
    ("30 2 * * *", "01:00"),
    ("10,50 2 * * *", "01:00 01:00"), // twice, in a row
    ("0 3 * * *", "01:00"),
    ("15 3 * * *", "01:15"),
    ("*/30 * * * *", "01:00 01:30"),
    ("30 * * * *", "01:30"),
    ("* 2 * * *", ""),
    ("@hourly", "01:00"),
];
const AUTUMN: &[(&str, &str)] = &[
    ("30 2 * * *", "00:30"),
    ("20,45 2 * * *", "00:45"),
    ("0 3 * * *", "02:00"),
    ("0,30 2-3 * * *", "00:30 02:00"),
    ("30 * * * *", "00:30 01:30"),
    ("*/15 2 * * *", "00:30 00:45 01:00 01:15 01:30 01:45"),
    ("@hourly", "01:00 02:00"),
];
/// cron was started in the second of the two hours, and does not know what has run in the first.
const SECOND_HOUR: &[(&str, &str)] = &[
    ("30 2 * * *", "00:30"),
    ("*/30 2 * * *", "01:30"),
    ("30 * * * *", "01:30"),
];
/// At 10:00, the clock is set to 11:00.
const FORWARD: &[(&str, &str)] = &[
    ("30 10 * * *", "10:30"),
    ("50 10 * * *", "10:50"),
    ("30 11 * * *", "11:30"),
    ("30 * * * *", "11:30"),
];
/// At 10:35, it is set to 9:35. What runs again gets the name that it had.
const BACK: &[(&str, &str)] = &[
    ("30 10 * * *", "10:30"),
    ("30 * * * *", "10:30 10:30"),
    ("45 * * * *", "09:45 10:45"),
    ("50 9 * * *", ""),
    ("45 10 * * *", "10:45"),
];
/// At 10:00, it is set to 14:00.
const FAR_FORWARD: &[(&str, &str)] = &[
    ("30 10 * * *", ""),
    ("30 12 * * *", ""),
    ("15 14 * * *", "14:15"),
    ("15 * * * *", "14:15"),
];
/// At 10:35, it is set to 6:35.
const FAR_BACK: &[(&str, &str)] = &[
    ("30 10 * * *", "10:30"),
    ("50 6 * * *", "06:50"),
    ("50 * * * *", "06:50"),
];

/// `from` is in minutes since the beginning of a day, which is in days since 1970.
fn scenario(
    name: &'static str,
    day: i64,
    from: i64,
    jobs: &'static [(&'static str, &'static str)],
    end: &'static str,
) -> Scenario {
    Scenario {
        name,
        zone: BERLIN,
        from: TickMinute::of_minutes(day * 1440 + from),
        step: 0,
        start_within: Duration::from_secs(14 * 60),
        jobs,
        end,
        marker: None,
    }
}

fn scenarios() -> Vec<Scenario> {
    const MARCH_29: i64 = 20_541;
    const OCTOBER_25: i64 = 20_751;
    const JUNE_10: i64 = 20_614;
    let long = Duration::from_secs(2 * 3600);
    let set = |name, from, step, jobs, marker, end| Scenario {
        zone: "UTC0",
        step,
        start_within: long,
        marker: Some(marker),
        ..scenario(name, JUNE_10, from, jobs, end)
    };
    vec![
        scenario("spring", MARCH_29, 50, SPRING, "40 3 * * *"),
        scenario("autumn", OCTOBER_25, 25, AUTUMN, "10 3 * * *"),
        Scenario {
            start_within: long,
            ..scenario("second hour", OCTOBER_25, 80, SECOND_HOUR, "40 * * * *")
        },
        set("forward", 595, 60, FORWARD, "0 10 * * *", "40 11 * * *"),
        set("back", 620, -60, BACK, "35 10 * * *", "55 10 * * *"),
        set("far forward", 595, 240, FAR_FORWARD, "0 10 * * *", "25 14 * * *"),
        set("far back", 620, -240, FAR_BACK, "35 10 * * *", "0 7 * * *"),
    ]
}

/// cron under a clock of its own.
struct Cron {
    directory: tempfile::TempDir,
    /// In seconds, from the real time to cron's when it was started.
    offset: i64,
    _namespaces: Running,
}

impl Cron {
    fn start(scenario: &Scenario) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("chmod");
        let file = |name: &str| directory.path().join(name);
        let mut crontab = String::new();
        let markers = scenario.marker.map(|schedule| (STEP.to_owned(), schedule));
        let numbered = scenario.jobs.iter().enumerate();
        let jobs = numbered.map(|(index, (schedule, _))| (index.to_string(), *schedule));
        for (name, schedule) in jobs.chain(markers).chain([(END.to_owned(), scenario.end)]) {
            let runs = file("runs").display().to_string();
            let _ = writeln!(crontab, "{schedule} root echo {name} $(date +\\%s.\\%N) >>{runs}");
        }
        fs::write(file("crontab"), crontab).expect("written");
        let wanted = i64::try_from(scenario.from.seconds()).expect("small");
        let offset = wanted - i64::try_from(now().as_secs()).expect("small");
        set_clock(directory.path(), offset);
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-c",
                SCRIPT,
            ])
            .env("DIR", directory.path())
            .env("ZONE", scenario.zone)
            .env("FAKETIME_LIBRARY", faketime())
            .stdin(Stdio::null());
        Self {
            _namespaces: Running::start(&mut command),
            directory,
            offset,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Each run: the name of the job and the real time.
    fn runs(&self) -> Vec<(String, Duration)> {
        let text = fs::read_to_string(self.path("runs")).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let run = |line: &str| {
            let (name, time) = line.split_once(' ').expect("two words");
            (name.to_owned(), seconds(time))
        };
        whole.lines().map(run).collect()
    }

    fn wait_for(&self, job: &str, scenario: &Scenario) {
        let what = format!("{}: {job}", scenario.name);
        until(&what, || self.runs().iter().any(|(name, _)| name == job).then_some(()));
    }
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970")
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs_f64(text.trim().parse().expect("seconds"))
}

/// With rename(2): cron reads the file at any time.
fn set_clock(directory: &Path, offset: i64) {
    fs::write(directory.join("new"), format!("{offset:+} x{SPEED}\n")).expect("written");
    fs::rename(directory.join("new"), directory.join("clock")).expect("renamed");
}

/// The names of each job's runs.
fn names(scenario: &Scenario, cron: &Cron, stepped: Option<Duration>) -> Vec<Vec<String>> {
    let start = seconds(&fs::read_to_string(cron.path("start")).expect("the start"));
    let zone = Zone::Rule(scenario.zone.as_bytes().to_vec());
    let mut names = vec![Vec::new(); scenario.jobs.len()];
    for (job, real) in cron.runs() {
        let Ok(index) = job.parse::<usize>() else { continue };
        let step = if stepped.is_some_and(|at| real > at) {
            scenario.step * 60
        } else {
            0
        };
        let passed = start + real.saturating_sub(start) * SPEED;
        let time = passed
            .as_secs()
            .checked_add_signed(cron.offset + step)
            .expect("after 1970");
        let line = format!("{} root true\n", scenario.jobs[index].0);
        let crontab = Crontab::parse(line.as_bytes(), Kind::System, Dialect::Debian);
        let schedule = crontab.entries[0].when.expect("a schedule");
        let ticks = Ticks::new(&schedule, &zone, None).expect("modelled");
        let name = ticks.name(
            WallTime(Duration::new(time, passed.subsec_nanos())),
            scenario.start_within,
        );
        names[index].push(match name {
            Some(tick) => tick.to_string()[11..16].to_owned(),
            None => format!("too late at {}", WallTime(Duration::from_secs(time)).rfc3339()),
        });
    }
    names
}

fn play(scenario: &Scenario) {
    let cron = Cron::start(scenario);
    let stepped = scenario.marker.map(|_| {
        cron.wait_for(STEP, scenario);
        set_clock(cron.directory.path(), cron.offset + scenario.step * 60);
        now()
    });
    cron.wait_for(END, scenario);
    let expected: Vec<Vec<String>> = scenario
        .jobs
        .iter()
        .map(|(_, names)| names.split_whitespace().map(str::to_owned).collect())
        .collect();
    // A job that cron has started may not have run yet.
    let deadline = Instant::now() + Duration::from_secs(20);
    while names(scenario, &cron, stepped) != expected && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let found = names(scenario, &cron, stepped);
    let schedules = scenario.jobs.iter().map(|(schedule, _)| schedule);
    let shown = |names: &[Vec<String>]| -> Vec<String> {
        let lines = schedules.clone().zip(names);
        lines
            .map(|(schedule, names)| format!("{schedule}: {}", names.join(" ")))
            .collect()
    };
    assert_eq!(shown(&found), shown(&expected), "{}", scenario.name);
    println!(
        "{}: {} runs of cron have the names of the minutes that it meant",
        scenario.name,
        found.iter().flatten().count()
    );
}

#[test]
#[ignore = "needs root, Debian's cron and libfaketime: `make test` installs them and runs it"]
fn runs_of_debians_cron_get_the_names_of_the_minutes_that_it_meant() {
    let scenarios = scenarios();
    std::thread::scope(|scope| {
        for scenario in &scenarios {
            scope.spawn(move || play(scenario));
        }
    });
}
