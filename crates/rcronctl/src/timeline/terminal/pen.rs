//! How names, servers and marks look on a terminal.

use super::super::model::letter;
use super::super::plot::{Cell, Mark};
use crate::screen::Screen;
use crate::style;
use crate::text::{cut, fit, wrap};
use policy::display::escaped;

#[derive(Clone, Copy)]
pub(super) struct Pen(pub(super) Screen);

impl Pen {
    /// A name as the terminal can show it.
    pub(super) fn name(self, name: &str) -> String {
        let name = escaped(name);
        if self.0.is_utf8 {
            return name.into_owned();
        }
        let shown = |character: char| if character.is_ascii() { character } else { '?' };
        name.chars().map(shown).collect()
    }

    /// A name in at most so many columns.
    pub(super) fn cut_name(self, name: &str, columns: usize) -> String {
        cut(&self.name(name), columns, self.ellipsis()).into_owned()
    }

    /// A name in exactly so many columns.
    pub(super) fn fitted_name(self, name: &str, columns: usize) -> String {
        fit(&self.name(name), columns, self.ellipsis())
    }

    /// A sentence in lines of its own: as many as a terminal needs, and one in a pipe.
    pub(super) fn sentence(self, text: &str) -> String {
        wrap(text, self.0.columns.unwrap_or(usize::MAX)).join("\n") + "\n"
    }

    /// A job's name and what is said about it.
    pub(super) fn finding(self, name: &str, what: &str) -> String {
        let columns = self.0.columns.unwrap_or(usize::MAX);
        let name = self.cut_name(name, columns);
        let text = self.sentence(&format!("{name} {}", self.name(what)));
        match text.strip_prefix(&name) {
            Some(rest) => self.bold(&name) + rest,
            None => text,
        }
    }

    fn ellipsis(self) -> char {
        if self.0.is_utf8 { '…' } else { '~' }
    }

    pub(super) fn edge(self) -> char {
        if self.0.is_utf8 { '│' } else { '|' }
    }

    pub(super) fn letter(self, server: usize) -> String {
        self.of_server(server, &letter(server).to_string())
    }

    pub(super) fn cell(self, cell: Cell) -> String {
        match cell {
            Cell::Empty => " ".to_owned(),
            Cell::Runs(server) => self.of_server(server, if self.0.is_utf8 { "━" } else { "=" }),
            Cell::Starts(server) => self.letter(server),
            Cell::Several => self.bold("*"),
        }
    }

    pub(super) fn mark(self, mark: Mark) -> String {
        let style = match mark {
            Mark::Running | Mark::Unknown | Mark::Again => style::BOLD,
            _ => style::BOLD_RED,
        };
        style.paint(&mark.character().to_string(), self.0)
    }

    pub(super) fn bold(self, text: &str) -> String {
        style::BOLD.paint(text, self.0)
    }

    pub(super) fn dim(self, text: &str) -> String {
        style::DIM.paint(text, self.0)
    }

    fn of_server(self, server: usize, text: &str) -> String {
        style::SERVERS[server % style::SERVERS.len()].paint(text, self.0)
    }
}
