//! Which tick a claim is for, until when it may be started, and whether the claim is one that can be granted at all.
//!
//! docs/design/ticks.md, "Which tick is it?".

use super::crontabs::{JobLine, LineSchedule, Lines};
use super::line_ticks::LineTicks;
use ::crontab::tick::LONGEST_DEFAULT;
use claims::Now;
use policy::claim::Claim;
use policy::moment::BootTime;
use policy::tick::TickTime;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// `start_within` if it is not configured and the schedule is not known.
const DEFAULT_WITHOUT_SCHEDULE: Duration = Duration::from_secs(30);

/// What the claim is for.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) tick: TickTime,
    /// When `start_within` is over.
    pub(super) deadline: BootTime,
    /// The tick is not claimed if the job's last tick is less than this before it: a cron that is late names another minute.
    pub(super) spacing: Duration,
    /// `None` if the schedule is not known.
    pub(super) ticks: Option<Arc<LineTicks>>,
}

/// Why there is nothing to claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotNamed {
    /// rcron was started later than `start_within` after the tick; `None` if the schedule has no tick so short before.
    TooLate(Option<TickTime>),
    /// The claim is wrong.
    Refused(Refusal),
}

/// What is wrong with a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `--tick` names a time that is further ahead than `max_skew`.
    TickAhead { tick: TickTime, max_skew: Duration },
    /// `@reboot`
    Reboot,
    /// Several lines of the user's crontabs have this name.
    Several,
    /// `rerun` without `on_demotion = terminate`.
    RerunWithoutTermination,
    /// Another server would start the job again while it may still be killed here.
    GraceTooShort { kill_after: Duration, grace: Duration },
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = inputs::words::seconds;
        match self {
            Self::TickAhead { tick, max_skew } => write!(
                out,
                "the tick {} is further ahead than {} by this server's clock, so it is not started: correct --tick, or the clock",
                tick.rfc3339(),
                seconds(*max_skew)
            ),
            Self::Reboot => out.write_str(
                "a line with @reboot has no ticks, so once_per_tick cannot start it: omit once_per_tick, or add -o once_per_tick=no",
            ),
            Self::Several => out.write_str(
                "several lines of the user's crontabs have this name of a job, so their ticks cannot be told apart: give each line \
                 a --job of its own",
            ),
            Self::RerunWithoutTermination => {
                out.write_str("rerun needs on_demotion = terminate: otherwise the job could run on two servers at once")
            }
            Self::GraceTooShort { kill_after, grace } => write!(
                out,
                "rerun needs a grace in rcrond.toml that is at least as long as kill_after: grace is {}, kill_after is {}",
                seconds(*grace),
                seconds(*kill_after)
            ),
        }
    }
}

/// What this server's configuration says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Of the cluster.
    pub(super) grace: Duration,
    pub(super) max_skew: Duration,
}

/// Names the claim's tick. `lines` is what the crontabs say; `None` if they do not have the job.
///
/// # Errors
/// [`NotNamed`].
pub(super) fn name(claim: &Claim, lines: Option<&Lines>, terms: Terms, now: Now) -> Result<Named, NotNamed> {
    check(claim, lines, terms, now).map_err(NotNamed::Refused)?;
    let line = match lines {
        Some(Lines::One(line)) => Some(line),
        Some(Lines::Several) | None => None,
    };
    let ticks = line.and_then(|line| match &line.schedule {
        LineSchedule::Known(ticks) => Some(ticks),
        LineSchedule::Unknown | LineSchedule::Reboot => None,
    });
    let start = claim.started_wall;
    let (tick, spacing) = match (claim.tick, ticks) {
        (Some(tick), _) => (tick, Duration::ZERO),
        (None, Some(ticks)) => {
            let longest = claim.start_within.unwrap_or(LONGEST_DEFAULT);
            let tick = ticks.name(start, longest).ok_or(NotNamed::TooLate(None))?;
            (tick, Duration::ZERO)
        }
        (None, None) => {
            let minute = TickTime(start.0.as_secs() / 60 * 60);
            (minute, claim.start_within.unwrap_or(DEFAULT_WITHOUT_SCHEDULE))
        }
    };
    let within = claim.start_within.unwrap_or_else(|| match ticks {
        Some(ticks) => ticks.default_start_within(tick),
        None => DEFAULT_WITHOUT_SCHEDULE,
    });
    let latest_start = tick.wall().0.saturating_add(within);
    let Some(left) = latest_start.checked_sub(start.0) else {
        return Err(NotNamed::TooLate(Some(tick)));
    };
    // A client can send any time; the boot clock cannot be ahead.
    let started = claim.started_boot.min(now.boot);
    Ok(Named {
        tick,
        deadline: started.after(left),
        spacing,
        ticks: ticks.cloned(),
    })
}

fn check(claim: &Claim, lines: Option<&Lines>, terms: Terms, now: Now) -> Result<(), Refusal> {
    if claim.rerun > 0 {
        let kill_after = claim.kill_after.ok_or(Refusal::RerunWithoutTermination)?;
        let grace = terms.grace;
        if kill_after > grace {
            return Err(Refusal::GraceTooShort { kill_after, grace });
        }
    }
    if let Some(tick) = claim.tick {
        let max_skew = terms.max_skew;
        if tick.wall().0 > now.wall.0.saturating_add(max_skew) {
            return Err(Refusal::TickAhead { tick, max_skew });
        }
        return Ok(());
    }
    match lines {
        Some(Lines::Several) => Err(Refusal::Several),
        Some(Lines::One(JobLine {
            schedule: LineSchedule::Reboot,
            ..
        })) => Err(Refusal::Reboot),
        Some(Lines::One(_)) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::crontabs::tests::{line, scheduled};
    use super::*;
    use policy::claim::ClaimId;
    use policy::moment::WallTime;

    const TERMS: Terms = Terms {
        grace: Duration::from_secs(10),
        max_skew: Duration::from_secs(10),
    };
    const MINUTELY: &str = "* * * * *";
    const HOURLY: &str = "0 * * * *";
    /// A full hour.
    const HOUR: u64 = 1_764_550_800;

    /// rcron was started a second ago, so long after the full hour.
    fn claim(after_hour_ms: i64) -> (Claim, Now) {
        let wall = Duration::from_millis((HOUR * 1000).saturating_add_signed(after_hour_ms));
        let boot = Duration::from_secs(5000);
        let claim = Claim {
            run: ClaimId::new(b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f").expect("a UUID"),
            started_wall: WallTime(wall),
            started_boot: BootTime(boot),
            start_within: None,
            rerun: 0,
            skips_overlap: false,
            kill_after: None,
            tick: None,
            job: "backup".to_owned(),
            state_file: b"/run/rcron/state".to_vec(),
        };
        let second = Duration::from_secs(1);
        let now = Now {
            boot: BootTime(boot + second),
            wall: WallTime(wall + second),
        };
        (claim, now)
    }

    fn named(claim: &Claim, line: Option<JobLine>, now: Now) -> Result<(u64, u64), NotNamed> {
        let lines = line.map(Lines::One);
        let named = name(claim, lines.as_ref(), TERMS, now)?;
        // In milliseconds after rcron's start.
        let left = named.deadline.since(claim.started_boot).as_millis();
        Ok((named.tick.0 - HOUR, u64::try_from(left).expect("a number")))
    }

    #[test]
    fn the_tick_is_the_latest_one_before_the_start() {
        for (started, schedule, within, expected) in [
            (200, HOURLY, None, Ok((0, 299_800))),
            // cron has fired early.
            (-900, HOURLY, None, Ok((0, 300_900))),
            (-1100, HOURLY, None, Err(NotNamed::TooLate(None))),
            (299_000, HOURLY, None, Ok((0, 1000))),
            (301_000, HOURLY, None, Err(NotNamed::TooLate(None))),
            (301_000, HOURLY, Some(600), Ok((0, 299_000))),
            // Until the next tick.
            (30_000, MINUTELY, None, Ok((0, 30_000))),
            (59_500, MINUTELY, None, Ok((60, 60_500))),
            (61_000, MINUTELY, None, Ok((60, 59_000))),
            (30_000, MINUTELY, Some(90), Ok((0, 60_000))),
            (10_000, HOURLY, Some(5), Err(NotNamed::TooLate(None))),
        ] {
            let (mut claim, now) = claim(started);
            claim.start_within = within.map(Duration::from_secs);
            let found = named(&claim, Some(scheduled(schedule)), now);
            assert_eq!(found, expected, "{started} {schedule} {within:?}");
        }
    }

    #[test]
    fn without_a_schedule_the_tick_is_the_minute_of_the_start() {
        for lines in [None, Some(Lines::One(line(LineSchedule::Unknown)))] {
            let (mut asked, now) = claim(20_000);
            let found = name(&asked, lines.as_ref(), TERMS, now).expect("named");
            assert_eq!(found.tick, TickTime(HOUR));
            assert_eq!(found.spacing, DEFAULT_WITHOUT_SCHEDULE);
            assert_eq!(found.deadline.since(asked.started_boot), Duration::from_secs(10));
            asked.start_within = Some(Duration::from_secs(300));
            let found = name(&asked, lines.as_ref(), TERMS, now).expect("named");
            assert_eq!(found.spacing, Duration::from_secs(300));
            let (late, now) = claim(31_000);
            let found = name(&late, lines.as_ref(), TERMS, now).expect_err("too late");
            assert_eq!(found, NotNamed::TooLate(Some(TickTime(HOUR))));
        }
    }

    #[test]
    fn an_option_names_the_tick_but_not_one_far_ahead() {
        let (mut claim, now) = claim(2000);
        claim.tick = Some(TickTime(HOUR));
        assert_eq!(named(&claim, None, now), Ok((0, 28_000)));
        assert_eq!(named(&claim, Some(scheduled(HOURLY)), now), Ok((0, 298_000)));
        assert_eq!(named(&claim, Some(line(LineSchedule::Reboot)), now), Ok((0, 28_000)));
        claim.tick = Some(TickTime(HOUR - 60));
        assert_eq!(named(&claim, None, now), Err(NotNamed::TooLate(claim.tick)));
        // Now is HOUR + 3 s.
        claim.tick = Some(TickTime(HOUR + 13));
        assert_eq!(named(&claim, None, now), Ok((13, 41_000)));
        let tick = TickTime(HOUR + 14);
        claim.tick = Some(tick);
        let max_skew = TERMS.max_skew;
        let expected = NotNamed::Refused(Refusal::TickAhead { tick, max_skew });
        assert_eq!(named(&claim, None, now), Err(expected));
    }

    #[test]
    fn lines_that_have_no_ticks_of_their_own_are_refused() {
        let (claim, now) = claim(0);
        let several = name(&claim, Some(&Lines::Several), TERMS, now).expect_err("refused");
        assert_eq!(several, NotNamed::Refused(Refusal::Several));
        let reboot = named(&claim, Some(line(LineSchedule::Reboot)), now);
        assert_eq!(reboot, Err(NotNamed::Refused(Refusal::Reboot)));
    }

    #[test]
    fn a_rerun_waits_until_the_first_run_is_killed() {
        let (mut claim, now) = claim(0);
        claim.rerun = 1;
        let refused = |claim: &Claim| named(claim, Some(scheduled(MINUTELY)), now).expect_err("refused");
        assert_eq!(refused(&claim), NotNamed::Refused(Refusal::RerunWithoutTermination));
        let grace = TERMS.grace;
        let kill_after = Duration::from_secs(11);
        claim.kill_after = Some(kill_after);
        let expected = NotNamed::Refused(Refusal::GraceTooShort { kill_after, grace });
        assert_eq!(refused(&claim), expected);
        claim.kill_after = Some(grace);
        assert!(named(&claim, Some(scheduled(MINUTELY)), now).is_ok());
    }

    #[test]
    fn a_start_in_the_future_of_the_boot_clock_counts_as_now() {
        let (mut claim, now) = claim(0);
        claim.started_boot = BootTime(Duration::MAX);
        let found = name(&claim, Some(&Lines::One(scheduled(MINUTELY))), TERMS, now).expect("named");
        assert_eq!(found.deadline, now.boot.after(Duration::from_secs(60)));
    }
}
