//! The legend: the letters of the servers, and the marks that occur.

use super::super::model::TimelineModel;
use super::super::plot::Mark;
use super::pen::Pen;
use std::collections::BTreeSet;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Blanks between two items.
const GAP: &str = "   ";
/// Columns of a sign and the blank after it.
const SIGN: usize = 2;

pub(super) fn format_legend(timeline: &TimelineModel, marks: &BTreeSet<Mark>, columns: usize, pen: Pen) -> String {
    let servers = timeline.servers.iter().enumerate();
    let widest_name = columns.saturating_sub(SIGN);
    let servers = servers.map(|(index, name)| (pen.letter(index), pen.cut_name(name, widest_name)));
    let several = (timeline.servers.len() > 1).then(|| (pen.bold("*"), "several servers".to_owned()));
    let marks = Mark::ALL.into_iter().filter(|mark| marks.contains(mark));
    let marks = marks.map(|mark| (pen.mark(mark), mark.meaning().to_owned()));
    fill_lines(servers.chain(several).chain(marks), columns)
}

/// Items of a sign and its meaning, in as many lines as they need.
fn fill_lines(items: impl Iterator<Item = (String, String)>, columns: usize) -> String {
    let (mut text, mut used) = (String::new(), 0);
    for (sign, meaning) in items {
        let width = SIGN + meaning.width();
        if used > 0 && used + GAP.len() + width > columns {
            text.push('\n');
            used = 0;
        }
        let gap = if used > 0 { GAP } else { "" };
        let _ = write!(text, "{gap}{sign} {meaning}");
        used += gap.len() + width;
    }
    text.push('\n');
    text
}
