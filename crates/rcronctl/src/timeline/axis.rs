//! The time axis: round local times, as far apart as their labels need.

use super::picture::Window;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Steps between labels, in seconds.
const STEPS: [i64; 16] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    28 * DAY,
    364 * DAY,
];
/// All offsets of local times from UTC are multiples of it.
const QUARTER: i64 = 15 * MINUTE;
/// A label is five cells; some room makes it readable.
const CELLS_EACH: i64 = 9;

/// A label and the time it stands at.
pub(super) type Tick = (Timestamp, String);

/// The labels for a picture of so many cells.
pub(super) fn ticks(window: Window, cells: usize, zone: &TimeZone) -> Vec<Tick> {
    let (first, last) = (window.since.as_second(), window.now.as_second());
    let most = (i64::try_from(cells).unwrap_or(i64::MAX) / CELLS_EACH).max(1);
    let apart = (last - first) / most;
    let step = STEPS.into_iter().find(|step| *step >= apart).unwrap_or(364 * DAY);
    let fine = step.min(QUARTER);
    let mut ticks = Vec::new();
    // Round by the wall clock, also on the day it is put on or back.
    let mut second = first - first.rem_euclid(fine) + fine;
    while second <= last {
        ticks.extend(tick(second, step, zone));
        second += fine;
    }
    ticks
}

fn tick(second: i64, step: i64, zone: &TimeZone) -> Option<Tick> {
    let time = Timestamp::from_second(second).ok()?;
    let wall = second + i64::from(zone.to_offset(time).seconds());
    if wall.rem_euclid(step) != 0 {
        return None;
    }
    let format = if wall.rem_euclid(DAY) == 0 { "%m-%d" } else { "%H:%M" };
    Some((time, time.to_zoned(zone.clone()).strftime(format).to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::example::seconds;
    use super::*;

    fn labels(hours: i64, cells: usize, zone: &str) -> Vec<String> {
        let window = Window {
            since: seconds(-hours * HOUR + 60),
            now: seconds(60),
        };
        let zone = TimeZone::posix(zone).expect("a zone");
        ticks(window, cells, &zone).into_iter().map(|tick| tick.1).collect()
    }

    #[test]
    fn labels_are_round_local_times() {
        for (hours, cells, zone, expected) in [
            (1, 40, "UTC0", vec!["23:15", "23:30", "23:45", "11-24"]),
            (6, 40, "UTC0", vec!["20:00", "22:00", "11-24"]),
            (
                6,
                60,
                "IST-5:30",
                vec!["11-24", "01:00", "02:00", "03:00", "04:00", "05:00"],
            ),
            (96, 40, "CET-1", vec!["11-21", "11-22", "11-23", "11-24"]),
        ] {
            assert_eq!(
                labels(hours, cells, zone),
                expected,
                "{hours} h in {cells} cells of {zone}"
            );
        }
    }
}
