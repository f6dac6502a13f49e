//! The text for Prometheus. It is valid in both formats: the text format 0.0.4, which node_exporter reads from files, and
//! OpenMetrics 1.0, as long as there is no counter; the two name counters differently.

use crate::table::{LastEnd, Row, Table};
use std::fmt::{Display, Write};

/// What is printed of one kind of metric: the name, the help text, and the value of a job.
type Family<'a> = (&'static str, &'static str, &'a dyn Fn(&Row) -> Option<f64>);

impl Table {
    /// All gauges.
    #[must_use]
    pub fn text(&self) -> String {
        let end = |of: fn(LastEnd) -> Option<f64>| move |row: &Row| row.last_end.and_then(of);
        let families: [Family; 8] = [
            (
                "rcron_job_last_start_timestamp_seconds",
                "When the job was last started on this server",
                &|row| row.last_start.map(seconds),
            ),
            (
                "rcron_job_last_end_timestamp_seconds",
                "When the job last ended on this server",
                &end(|end| Some(seconds(end.at))),
            ),
            (
                "rcron_job_last_success_timestamp_seconds",
                "When the job last ended with exit status 0 on this server",
                &|row| row.last_success.map(seconds),
            ),
            (
                "rcron_job_last_duration_seconds",
                "How long the last run took that has ended",
                &end(|end| Some(end.duration.as_secs_f64())),
            ),
            (
                "rcron_job_last_exit_code",
                "The exit status of the last run that has ended; 128 and the number of the signal that killed it",
                &end(|end| end.exit_code.map(f64::from)),
            ),
            (
                "rcron_job_running",
                "Runs of the job in progress on this server",
                &|row| Some(count(row.running)),
            ),
            (
                "rcron_job_interrupted_runs",
                "Runs of the job that were cut off and are not marked as seen",
                &|row| Some(count(row.interrupted)),
            ),
            (
                "rcron_job_period_seconds",
                "The longest time between two ticks of the job's schedule",
                &|row| row.period.map(|period| period.as_secs_f64()),
            ),
        ];
        let mut text = String::new();
        for (name, help, value) in families {
            head(&mut text, name, help, "gauge");
            for row in &self.rows {
                sample(&mut text, name, row, value(row));
            }
        }
        head(
            &mut text,
            "rcron_jobs_omitted",
            "Jobs without metrics, by the reason",
            "gauge",
        );
        for (reason, jobs) in [("limit", self.omitted), ("unnamed", self.unnamed)] {
            line(
                &mut text,
                format_args!("rcron_jobs_omitted{{reason=\"{reason}\"}} {jobs}"),
            );
        }
        let (name, help) = (
            "rcron_journal_unreadable_files",
            "Files of the journals that cannot be read",
        );
        head(&mut text, name, help, "gauge");
        line(&mut text, format_args!("{name} {}", self.unreadable));
        text
    }

    /// The missed ticks of the jobs whose ticks rcrond grants, in OpenMetrics.
    #[must_use]
    pub fn missed_text(&self, missed: impl Fn(&Row) -> u64) -> String {
        let mut text = String::new();
        let help = "Ticks of the job that this node has recorded as missed: no node has started them";
        head(&mut text, "rcron_job_missed_ticks", help, "counter");
        for row in self.rows.iter().filter(|row| row.once_per_tick) {
            sample(&mut text, "rcron_job_missed_ticks_total", row, Some(missed(row)));
        }
        text
    }
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    line(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
}

fn sample(text: &mut String, name: &str, row: &Row, value: Option<impl Display>) {
    let Some(value) = value else { return };
    let (cluster, user, job) = (label(&row.cluster), label(&row.user), label(&row.job));
    line(
        text,
        format_args!("{name}{{cluster=\"{cluster}\",user=\"{user}\",job_name=\"{job}\"}} {value}"),
    );
}

fn line(text: &mut String, line: impl Display) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// The value of a label between its quotes.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds since 1970 fit for 280 years, and others are not real"
)]
fn seconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "there are at most some thousand")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
