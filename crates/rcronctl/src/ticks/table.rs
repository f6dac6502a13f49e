//! Ticks as a table: one row for each attempt, and one for ticks in a row that no server started.

use super::shown::Tick;
use crate::screen::Screen;
use crate::table::{Cell, Column, Tone, format_table};
use crate::text;
use crate::when;
use control::{TickReport, TickResult};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::Duration;

/// RESULT flows over several lines, but not of fewer columns than this.
const NARROWEST_RESULT: usize = 20;
/// The place of RESULT, which is the last column.
const RESULT: usize = 7;
/// User and cluster: columns that are shown only if they differ.
const OPTIONAL: [usize; 2] = [2, 3];
/// Blanks between two columns.
const GAP: usize = 2;

/// The table. A further attempt has no text in the columns that it shares with the first one.
pub(super) fn format_ticks(ticks: &[Tick], now: Timestamp, screen: Screen) -> String {
    let zone = TimeZone::system();
    let mut rows: Vec<[String; RESULT]> = ticks.iter().map(|tick| cells(tick, now, &zone)).collect();
    for column in OPTIONAL {
        if rows.windows(2).all(|pair| pair[0][column] == pair[1][column]) {
            for row in &mut rows {
                row[column].clear();
            }
        }
    }
    for at in (1..rows.len()).filter(|at| ticks[*at].is_same_tick(&ticks[at - 1])) {
        for cell in &mut rows[at][..4] {
            cell.clear();
        }
    }
    let columns = columns(&rows, screen);
    let rows: Vec<Vec<Cell>> = rows
        .into_iter()
        .zip(ticks)
        .map(|(row, tick)| {
            let (text, tone) = result(tick, &zone);
            row.into_iter().map(Cell::from).chain([Cell::new(text, tone)]).collect()
        })
        .collect();
    format_table(&columns, &rows, screen)
}

/// RESULT gets the room that the others leave.
fn columns(rows: &[[String; RESULT]], screen: Screen) -> [Column; RESULT + 1] {
    const HEADS: [&str; RESULT] = ["TICK", "JOB", "USER", "CLUSTER", "SERVER", "STARTED", "LASTED"];
    let width = |column: usize| {
        let widest = rows.iter().map(|row| text::columns(&row[column])).max().unwrap_or(0);
        let head = if widest > 0 { HEADS[column].len() + GAP } else { 0 };
        head.max(if widest > 0 { widest + GAP } else { 0 })
    };
    let others: usize = (0..RESULT).map(width).sum();
    let room = screen.columns.unwrap_or(0).saturating_sub(others);
    [
        Column::whole("TICK"),
        Column::cut("JOB", 14),
        Column::omit("USER", 2),
        Column::omit("CLUSTER", 3),
        Column::cut("SERVER", 12),
        Column::whole("STARTED"),
        Column::omit("LASTED", 1),
        Column::wrap("RESULT", 0, room.max(NARROWEST_RESULT)),
    ]
}

fn cells(tick: &Tick, now: Timestamp, zone: &TimeZone) -> [String; RESULT] {
    let report = &tick.report;
    [
        minute(tick.first, zone, "%Y-%m-%d %H:%M"),
        report.job.clone(),
        report.user.clone(),
        report.cluster.clone(),
        tick.node().unwrap_or("-").to_owned(),
        report.late_ms.map(late).unwrap_or_default(),
        lasted(tick, now),
    ]
}

/// A local time in this format; seconds only if there are any, which other schedulers than cron may name.
fn minute(moment: Timestamp, zone: &TimeZone, format: &str) -> String {
    let with_seconds = format!("{format}:%S");
    let has_seconds = moment.as_second() % 60 != 0;
    when::local_in(moment, zone, if has_seconds { &with_seconds } else { format })
}

/// `+0.2 s`: how long after the scheduled time the attempt was granted, to a tenth of a second.
fn late(milliseconds: i64) -> String {
    let tenths = milliseconds.unsigned_abs().saturating_add(50) / 100;
    let sign = if milliseconds < 0 && tenths > 0 { '-' } else { '+' };
    format!("{sign}{}", when::duration(Duration::from_millis(tenths * 100)))
}

fn lasted(tick: &Tick, now: Timestamp) -> String {
    match (tick.report.lasted_ms, tick.started) {
        (Some(lasted), _) => when::duration(Duration::from_millis(lasted)),
        (None, Some(started)) if tick.report.result == TickResult::Running => {
            let lasts = now.duration_since(started).as_secs();
            format!(
                "{} …",
                when::duration(Duration::from_secs(u64::try_from(lasts).unwrap_or(0)))
            )
        }
        _ => String::new(),
    }
}

fn result(tick: &Tick, zone: &TimeZone) -> (String, Tone) {
    let report = &tick.report;
    let (text, tone) = match report.result {
        TickResult::Running => ("running".to_owned(), Tone::Busy),
        TickResult::Open => ("given back, waits for a server".to_owned(), Tone::Busy),
        TickResult::Ok => ("ok".to_owned(), Tone::Good),
        TickResult::Failed => (exit_status(report), Tone::Bad),
        TickResult::Killed => (signal(report), Tone::Bad),
        TickResult::Interrupted => ("interrupted".to_owned(), Tone::Bad),
        TickResult::Lost => ("lost: its end is not known".to_owned(), Tone::Bad),
        TickResult::Skipped => ("skipped: an earlier tick was still running".to_owned(), Tone::Plain),
        TickResult::Missed => (missed(tick, zone), Tone::Bad),
    };
    match report.attempt {
        0 | 1 => (text, tone),
        attempt => (format!("{text} (attempt {attempt})"), tone),
    }
}

fn exit_status(report: &TickReport) -> String {
    report
        .code
        .map_or_else(|| "failed".to_owned(), |code| format!("exit {code}"))
}

fn signal(report: &TickReport) -> String {
    report.signal.map_or_else(|| "killed".to_owned(), sys::signal::name)
}

/// `missed (60 ticks until 03:59): REASON`.
fn missed(tick: &Tick, zone: &TimeZone) -> String {
    let report = &tick.report;
    let is_one_day = tick.first.to_zoned(zone.clone()).date() == tick.last.to_zoned(zone.clone()).date();
    let format = if is_one_day { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    let until = minute(tick.last, zone, format);
    let count = match report.count {
        0 | 1 => String::new(),
        u32::MAX => format!(" (more than {} ticks until {until})", u32::MAX),
        count => format!(" ({count} ticks until {until})"),
    };
    let why = report.explanation.as_ref().or(report.reason.as_ref());
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("missed{count}{why}")
}
