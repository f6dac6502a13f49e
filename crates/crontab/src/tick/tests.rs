use super::*;
use crate::schedule::{Dialect, Minute};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use policy::moment::date;
use policy::time_zone::Zone;
use proptest::prelude::*;

fn zone(rule: &str) -> Zone {
    Zone::Rule(rule.as_bytes().to_vec())
}

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
const LORD_HOWE: &str = "LHST-10:30LHDT-11,M10.1.0,M4.1.0/2";

fn schedule(text: &str) -> Schedule {
    let nickname = text.strip_prefix('@').map(str::as_bytes);
    nickname.map_or_else(
        || {
            let fields: Vec<(&[u8], usize)> = text.split(' ').map(|field| (field.as_bytes(), 0)).collect();
            let fields = fields.try_into().expect("five fields");
            Schedule::Times(Times::parse(fields, Dialect::Cronie).expect("a schedule"))
        },
        |name| Schedule::of_nickname(name).expect("a nickname"),
    )
}

/// `2026-03-29 00:50` in UTC.
fn time(text: &str) -> TickMinute {
    let number = |place: core::ops::Range<usize>| text[place].parse::<i64>().expect("a number");
    let (year, month, of_month) = (number(0..4), number(5..7), number(8..10));
    let as_written = |day: &i64| {
        let (y, m, d) = date(u64::try_from(*day).expect("after 1970"));
        (y, m, d) == (year.unsigned_abs(), month.unsigned_abs(), of_month.unsigned_abs())
    };
    let day = (0..100_000).find(as_written).expect("a date");
    TickMinute::of_minutes(day * DAY + number(11..13) * 60 + number(14..16))
}

fn shown(ticks: impl Iterator<Item = TickMinute>) -> Vec<String> {
    ticks
        .map(|tick| tick.to_string().replace('T', " ")[5..16].into())
        .collect()
}

/// The ticks of one day of UTC, up to the next midnight, which is one of its minutes.
fn of_day(text: &str, zone: &Zone, own: Option<&Zone>, day: &str) -> String {
    let ticks = Ticks::new(&schedule(text), zone, own).expect("modelled");
    let from = time(&format!("{day} 00:00")).plus_minutes(-1);
    shown(ticks.between(from, from.plus_minutes(DAY)))
        .iter()
        .map(|tick| &tick[6..])
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn ticks_over_the_beginning_of_summer_time() {
    // At 01:00 UTC, 02:00 becomes 03:00.
    for (text, expected) in [
        ("55 1 * * *", "00:55 23:55"),
        ("0 2 * * *", "01:00"),
        ("30 2 * * *", "01:00"),
        ("10,50 2 * * *", "01:00"),
        ("59 2 * * *", "01:00"),
        ("0 2,3 * * *", "01:00"),
        ("30 2,3 * * *", "01:00 01:30"),
        ("0 3 * * *", "01:00"),
        ("1 3 * * *", "01:01"),
        ("30 2 * * mon", ""),
        ("30 2 29 3 *", "01:00"),
        ("*/30 2 * * *", ""),
        ("*/30 2-3 * * *", "01:00 01:30"),
        (
            "30 */2 * * *",
            "02:30 04:30 06:30 08:30 10:30 12:30 14:30 16:30 18:30 20:30 22:30",
        ),
        ("@daily", "22:00"),
    ] {
        assert_eq!(of_day(text, &zone(BERLIN), None, "2026-03-29"), expected, "{text}");
    }
}

#[test]
fn ticks_over_the_end_of_summer_time() {
    // At 01:00 UTC, 03:00 becomes 02:00.
    for (text, expected) in [
        ("59 1 * * *", ""),
        ("0 2 * * *", "00:00"),
        ("30 2 * * *", "00:30"),
        ("0,30 1-3 * * *", "00:00 00:30 02:00 02:30"),
        ("*/30 2 * * *", "00:00 00:30 01:00 01:30"),
        (
            "30 * 25 * *",
            "00:30 01:30 02:30 03:30 04:30 05:30 06:30 07:30 08:30 09:30 10:30 11:30 12:30 13:30 14:30 \
                         15:30 16:30 17:30 18:30 19:30 20:30 21:30 22:30",
        ),
        ("0 3 * * *", "02:00"),
        ("59 2 * * *", "00:59"),
    ] {
        assert_eq!(of_day(text, &zone(BERLIN), None, "2026-10-25"), expected, "{text}");
    }
}

#[test]
fn a_job_with_its_own_zone_gets_no_allowance_for_its_changes() {
    let (utc, berlin) = (Zone::Utc, zone(BERLIN));
    for (text, day, expected) in [
        ("30 2 * * *", "2026-03-29", ""),
        ("30 2 * * *", "2026-03-30", "00:30"),
        ("30 2 * * *", "2026-10-25", "00:30 01:30"),
    ] {
        assert_eq!(of_day(text, &utc, Some(&berlin), day), expected, "{text}");
    }
    // While cron waits for its own zone, no job of a fixed time runs.
    for (text, expected) in [
        ("30 1 * * *", ""),
        ("30 0 * * *", "00:30"),
        ("*/30 1 * * *", "01:00 01:30"),
    ] {
        assert_eq!(of_day(text, &berlin, Some(&utc), "2026-10-25"), expected, "{text}");
    }
}

#[test]
fn sparse_ticks_are_found_far_away() {
    for (text, after, expected) in [
        ("0 0 29 2 *", "2026-01-01 00:00", "2028-02-29T00:00:00Z"),
        ("0 0 29 2 *", "2096-03-01 00:00", "2104-02-29T00:00:00Z"),
        // Both fields count, since one begins with a star.
        ("0 0 29 2 */7", "2088-03-01 00:00", "2128-02-29T00:00:00Z"),
        ("5 4 * * sun", "2026-12-01 00:00", "2026-12-06T04:05:00Z"),
        ("0 0 31 2 sun", "2026-12-01 00:00", "2027-02-07T00:00:00Z"),
    ] {
        let (schedule, after) = (schedule(text), time(after));
        let ticks = Ticks::new(&schedule, &Zone::Utc, None).expect("modelled");
        let next = ticks.next(after, TickMinute::of_minutes(i64::MAX / 2)).expect("a tick");
        assert_eq!(next.to_string(), expected, "{text}");
        assert_eq!(ticks.latest(TickMinute::of_minutes(0), next), Some(next), "{text}");
        assert!(
            ticks.latest(TickMinute::of_minutes(0), next.plus_minutes(-1)) <= Some(after),
            "{text}"
        );
    }
    let never = schedule("0 0 31 2 *");
    let ticks = Ticks::new(&never, &Zone::Utc, None).expect("modelled");
    assert_eq!(
        ticks.next(time("2026-01-01 00:00"), TickMinute::of_minutes(i64::MAX)),
        None
    );
    assert_eq!(
        ticks.latest(TickMinute::of_minutes(i64::MIN), time("2026-01-01 00:00")),
        None
    );
}

#[test]
fn names() {
    let at = |text: &str, milliseconds: u64| WallTime(time(text).wall_time().0 + Duration::from_millis(milliseconds));
    let five_minutes = Duration::from_secs(300);
    for (text, start, within, expected) in [
        ("0 3 * * *", at("2026-12-01 02:59", 58_999), five_minutes, None),
        (
            "0 3 * * *",
            at("2026-12-01 02:59", 59_000),
            five_minutes,
            Some("2026-12-01T03:00:00Z"),
        ),
        (
            "0 3 * * *",
            at("2026-12-01 03:00", 1_020),
            five_minutes,
            Some("2026-12-01T03:00:00Z"),
        ),
        (
            "0 3 * * *",
            at("2026-12-01 03:05", 0),
            five_minutes,
            Some("2026-12-01T03:00:00Z"),
        ),
        ("0 3 * * *", at("2026-12-01 03:05", 1), five_minutes, None),
        (
            "* * * * *",
            at("2026-12-01 03:05", 58_999),
            five_minutes,
            Some("2026-12-01T03:05:00Z"),
        ),
        (
            "* * * * *",
            at("2026-12-01 03:05", 59_000),
            five_minutes,
            Some("2026-12-01T03:06:00Z"),
        ),
        (
            "* * * * *",
            at("2026-12-01 03:05", 30_000),
            Duration::from_secs(29),
            None,
        ),
        (
            "* * * * *",
            at("2026-12-01 03:05", 59_500),
            Duration::ZERO,
            Some("2026-12-01T03:06:00Z"),
        ),
        (
            "0 3 * * *",
            at("2026-12-02 02:00", 0),
            Duration::MAX,
            Some("2026-12-01T03:00:00Z"),
        ),
    ] {
        let schedule = schedule(text);
        let ticks = Ticks::new(&schedule, &Zone::Utc, None).expect("modelled");
        let name = ticks.name(start, within).map(|tick| tick.to_string());
        assert_eq!(name.as_deref(), expected, "{text} {start:?}");
    }
}

#[test]
fn start_within_reaches_to_the_next_tick_but_not_far() {
    for (text, seconds) in [
        ("* * * * *", 60),
        ("*/3 * * * *", 180),
        ("*/5 * * * *", 300),
        ("0 * * * *", 300),
    ] {
        let schedule = schedule(text);
        let ticks = Ticks::new(&schedule, &Zone::Utc, None).expect("modelled");
        let tick = time("2026-12-01 03:00").wall_time();
        assert_eq!(ticks.default_start_within(tick), Duration::from_secs(seconds), "{text}");
    }
}

#[test]
fn start_within_of_a_time_between_two_minutes_reaches_to_the_next_tick() {
    let schedule = schedule("* * * * *");
    let ticks = Ticks::new(&schedule, &Zone::Utc, None).expect("modelled");
    let tick = WallTime(time("2026-12-01 03:00").wall_time().0 + Duration::from_secs(13));
    assert_eq!(ticks.default_start_within(tick), Duration::from_secs(47));
}

#[test]
fn other_schedules_are_not_modelled() {
    let why = |text| Ticks::new(&schedule(text), &Zone::Utc, None).err();
    assert_eq!(why("@reboot"), Some(Unmodelled::Reboot));
    assert_eq!(why("0~30 3 * * *"), Some(Unmodelled::RandomTime));
    assert_eq!(why("@hourly"), None);
}

/// A zone with changes: each the minute from which on it holds, and the offset in minutes.
#[derive(Clone, Debug)]
struct Changing(Vec<(i64, i64)>);

impl TimeZone for Changing {
    fn offset(&self, utc: i64) -> i64 {
        let begun = self.0.iter().rev().find(|(from, _)| *from * 60 <= utc);
        begun.map_or(60, |(_, offset)| *offset) * 60
    }
}

/// The minutes at which cron runs a job: the loop of Debian's cron and cronie with a clock that nobody sets, minute by minute.
///
/// cron counts local minutes. `virtual_time` is the last one whose jobs have run.
fn runs_of_cron<Z: TimeZone>(times: &Times, system: &Z, own: Option<&Z>, from: i64, end: i64) -> BTreeSet<i64> {
    let is_wild = times.stars.minute || times.stars.hour;
    let matches = |local: i64| {
        let (_, month, day) = date(u64::try_from(local.div_euclid(DAY)).expect("after 1970"));
        let small = |number: i64| u8::try_from(number).expect("small");
        Schedule::Times(*times).matches(Minute {
            minute: small(local.rem_euclid(60)),
            hour: small(local.rem_euclid(DAY) / 60),
            day: u8::try_from(day).expect("small"),
            month: u8::try_from(month).expect("small"),
            weekday: small((local.div_euclid(DAY) + 4) % 7),
        })
    };
    let mut runs = BTreeSet::new();
    let mut virtual_time = from - 1 + offset(system, from - 1);
    for utc in from..end {
        let clock = utc + offset(system, utc);
        // What find_jobs() does for a virtual minute: a job with a zone of its own is looked at only in the present.
        let mut find_jobs = |minute: i64, wild: bool, fixed: bool| {
            let local = own.map_or(minute, |own| utc + offset(own, utc));
            let is_present = own.is_none() || minute == clock;
            if is_present && matches(local) && (if is_wild { wild } else { fixed }) {
                runs.insert(utc);
            }
        };
        match clock - virtual_time {
            1..=5 => {
                for minute in virtual_time + 1..=clock {
                    find_jobs(minute, true, true);
                }
                virtual_time = clock;
            }
            6..=180 => {
                find_jobs(clock, true, false);
                for minute in virtual_time + 1..=clock {
                    find_jobs(minute, false, true);
                }
                virtual_time = clock;
            }
            -179..=0 => find_jobs(clock, true, false),
            _ => {
                virtual_time = clock;
                find_jobs(clock, true, true);
            }
        }
    }
    runs
}

/// Days since 1970 in the years 2026 to 2028.
const DAYS: core::ops::Range<i64> = 20_500..21_500;

fn field(least: u8, most: u8) -> impl Strategy<Value = String> {
    let number = move || least..=most;
    prop_oneof![
        4 => Just("*".to_string()),
        2 => (2..=most).prop_map(|step| format!("*/{step}")),
        2 => number().prop_map(|number| number.to_string()),
        2 => (number(), number()).prop_map(|(one, other)| format!("{one},{other}")),
        1 => (number(), number()).prop_map(|(one, other)| format!("{}-{}", one.min(other), one.max(other))),
    ]
}

fn any_schedule() -> impl Strategy<Value = String> {
    let fields = (
        field(0, 59),
        prop_oneof![field(0, 23), field(0, 4)],
        field(1, 31),
        field(1, 12),
        field(0, 7),
    );
    let often = (field(0, 59), field(0, 4)).prop_map(|(minute, hour)| format!("{minute} {hour} * * *"));
    let all = fields.prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"));
    // At fixed times, and many of them.
    let dense = (1..=30u8, 1..=5u8).prop_map(|(minutes, hours)| format!("0-59/{minutes} 0-23/{hours} * * *"));
    prop_oneof![3 => dense, 2 => often, 1 => all]
}

/// Changes at least two days apart, mostly of an hour.
fn any_zone() -> impl Strategy<Value = Changing> {
    let step = prop_oneof![3 => Just(60), 3 => Just(-60), 4 => (-16..=16i64).prop_map(|quarters| quarters * 15), 1 => Just(1440), 1 => Just(-1440)];
    let change = (2..5i64, 0..DAY, step);
    (DAYS, prop::collection::vec(change, 0..4), -12..=12i64).prop_map(|(day, changes, first)| {
        let (mut day, mut offset) = (day, first * 60);
        let mut all = Vec::from([(0, offset)]);
        for (days, minute, step) in changes {
            offset += step;
            all.push((day * DAY + minute, offset));
            day += days;
        }
        Changing(all)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn ticks_are_the_minutes_at_which_cron_runs(
        text in any_schedule(),
        system in any_zone(),
        own in prop::option::weighted(0.3, any_zone()),
        seed in 0..DAY,
    ) {
        let schedule = schedule(&text);
        let Schedule::Times(times) = schedule else { unreachable!() };
        let middle = system.0.last().map_or(0, |(at, _)| *at).max(DAYS.start * DAY);
        let (from, end) = (middle - 3 * DAY - seed, middle + 2 * DAY + seed);
        let expected = runs_of_cron(&times, &system, own.as_ref(), from - DAY, end);
        let expected: Vec<TickMinute> = expected.range(from..).copied().map(TickMinute::of_minutes).collect();
        let ticks = Ticks::new(&schedule, &system, own.as_ref()).expect("modelled");
        let (first, last) = (TickMinute::of_minutes(from - 1), TickMinute::of_minutes(end - 1));
        let found: Vec<TickMinute> = ticks.between(first, last).collect();
        prop_assert_eq!(&found, &expected);
        for minute in (from..end).step_by(67) {
            let limit = TickMinute::of_minutes(minute);
            let latest = expected.iter().rev().find(|tick| **tick <= limit);
            prop_assert_eq!(ticks.latest(TickMinute::of_minutes(from), limit), latest.copied());
        }
    }
}

#[test]
fn summer_time_that_ends_at_midnight() {
    // 2026-10-24 23:30 UTC: 00:30 becomes 23:30.
    let zone = zone("AAA0BBB,M3.5.0/1,M10.5.0/0:30");
    assert_eq!(of_day("0 0 * * *", &zone, None, "2026-10-24"), "23:00");
    assert_eq!(of_day("0 0 * * *", &zone, None, "2026-10-25"), "");
    assert_eq!(of_day("0 */12 * * *", &zone, None, "2026-10-25"), "00:00 12:00");
}

#[test]
fn half_an_hour_of_summer_time() {
    // 2026-10-03 15:30 UTC: 02:00 becomes 02:30. 2026-04-04 15:00 UTC: 02:00 becomes 01:30.
    let zone = zone(LORD_HOWE);
    assert_eq!(of_day("15 2 * * *", &zone, None, "2026-10-03"), "15:30");
    assert_eq!(of_day("30 2 * * *", &zone, None, "2026-10-03"), "15:30");
    assert_eq!(of_day("45 1 * * *", &zone, None, "2026-04-04"), "14:45");
    assert_eq!(
        of_day("*/15 1 * * *", &zone, None, "2026-04-04"),
        "14:00 14:15 14:30 14:45 15:00 15:15"
    );
}
