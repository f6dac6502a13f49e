//! The time axis in a terminal: which column a time is in, and round local times as labels.

use super::run_span::Window;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Possible distances between two labels, in seconds.
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
/// All local times differ from UTC by a multiple of this, in seconds.
const QUARTER: i64 = 15 * MINUTE;
/// Columns from one label to the next: a label has five characters, the rest is room.
const COLUMNS_EACH: i64 = 9;

/// Maps the window to columns.
pub(super) struct Scale {
    pub(super) window: Window,
    pub(super) columns: usize,
}

impl Scale {
    /// The column of a time; a time outside the window is drawn at its edge.
    pub(super) fn column(&self, time: Timestamp) -> usize {
        let since = self.window.since.as_millisecond();
        let length = (self.window.now.as_millisecond() - since).max(1);
        let into = (time.as_millisecond() - since).clamp(0, length);
        let columns = i64::try_from(self.columns).unwrap_or(1);
        let column = usize::try_from(i128::from(into) * i128::from(columns) / i128::from(length));
        column.unwrap_or(0).min(self.columns.saturating_sub(1))
    }

    /// The line of labels, each with a bar at its time.
    pub(super) fn label_line(&self, zone: &TimeZone) -> String {
        let mut line = vec![' '; self.columns];
        for (time, label) in self.labels(zone) {
            let at = self.column(time);
            let free = line.get_mut(at..=at + label.len());
            for (place, character) in free.into_iter().flatten().zip(format!("|{label}").chars()) {
                *place = character;
            }
        }
        line.into_iter().collect::<String>().trim_end().to_owned()
    }

    fn labels(&self, zone: &TimeZone) -> Vec<(Timestamp, String)> {
        let (first, last) = (self.window.since.as_second(), self.window.now.as_second());
        let most = (i64::try_from(self.columns).unwrap_or(i64::MAX) / COLUMNS_EACH).max(1);
        let apart = (last - first) / most;
        let step = STEPS.into_iter().find(|step| *step >= apart).unwrap_or(364 * DAY);
        let fine = step.min(QUARTER);
        let mut labels = Vec::new();
        // Each candidate is checked against the local time, whose offset from UTC can change within the window.
        let mut second = first - first.rem_euclid(fine) + fine;
        while second <= last {
            labels.extend(label(second, step, zone));
            second += fine;
        }
        labels
    }
}

/// The label of this second, if its local time is a multiple of the step.
fn label(second: i64, step: i64, zone: &TimeZone) -> Option<(Timestamp, String)> {
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

    fn labels(hours: i64, columns: usize, zone: &str) -> Vec<String> {
        let window = Window {
            since: seconds(-hours * HOUR + 60),
            now: seconds(60),
        };
        let zone = TimeZone::posix(zone).expect("a zone");
        let labels = Scale { window, columns }.labels(&zone);
        labels.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn labels_are_round_local_times() {
        for (hours, columns, zone, expected) in [
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
                labels(hours, columns, zone),
                expected,
                "{hours} h in {columns} columns of {zone}"
            );
        }
    }
}
