//! What became of the ticks of each story.

use super::book::{Line, Tally, tally};
use std::fmt::Write;

/// A story, and the seconds whose ticks were due in it.
pub(super) struct Row {
    pub(super) story: String,
    pub(super) first: u64,
    pub(super) end: u64,
}

pub(super) fn table(rows: &[Row], lines: &[Line], jobs: &[(String, u64)]) -> String {
    let mut text = format!(
        "{:<48} {:<6} {:>5} {:>6} {:>6} {:>9} {:>9}\n",
        "story", "job", "once", "missed", "rerun", "median", "latest"
    );
    let mut sums = vec![Tally::default(); jobs.len()];
    for row in rows {
        let mut story = row.story.as_str();
        for ((job, period), sum) in jobs.iter().zip(&mut sums) {
            let found = tally(lines, job, *period, row.first, row.end);
            if found == Tally::default() {
                continue;
            }
            let _ = writeln!(text, "{story:<48} {}", columns(job, &found));
            story = "";
            sum.once += found.once;
            sum.missed += found.missed;
            sum.rerun += found.rerun;
            sum.late_ms.extend(found.late_ms);
        }
    }
    for ((job, _), mut sum) in jobs.iter().zip(sums) {
        sum.late_ms.sort_unstable();
        let _ = writeln!(text, "{:<48} {}", "all stories", columns(job, &sum));
    }
    text
}

fn columns(job: &str, tally: &Tally) -> String {
    let late = |at: usize| {
        tally
            .late_ms
            .get(at)
            .map_or("-".to_owned(), |ms| format!("{:+.1} s", seconds(*ms)))
    };
    format!(
        "{job:<6} {:>5} {:>6} {:>6} {:>9} {:>9}",
        tally.once,
        tally.missed,
        tally.rerun,
        late(tally.late_ms.len() / 2),
        late(tally.late_ms.len().saturating_sub(1))
    )
}

fn seconds(milliseconds: i64) -> f64 {
    i32::try_from(milliseconds).map_or(f64::INFINITY, f64::from) / 1000.0
}
