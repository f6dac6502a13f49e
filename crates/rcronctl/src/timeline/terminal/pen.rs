//! How names, servers and marks look on a terminal.

use super::super::model::letter;
use super::super::plot::{Cell, Mark};
use crate::screen::Screen;
use crate::text::fit;
use policy::display::escaped;

const BOLD: &str = "1";
const BOLD_RED: &str = "1;31";
const DIM: &str = "2";
/// Blue, yellow, magenta, cyan, green, white. Most eyes can distinguish them; the letters do not depend on colours.
const SERVER_COLOURS: [&str; 6] = ["34", "33", "35", "36", "32", "37"];

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

    /// A name in exactly so many columns.
    pub(super) fn fitted_name(self, name: &str, columns: usize) -> String {
        fit(&self.name(name), columns, if self.0.is_utf8 { '…' } else { '~' })
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
        let code = match mark {
            Mark::Running | Mark::Unknown => BOLD,
            _ => BOLD_RED,
        };
        self.0.paint(code, &mark.character().to_string())
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.0.paint(BOLD, text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.0.paint(DIM, text)
    }

    fn of_server(self, server: usize, text: &str) -> String {
        self.0.paint(SERVER_COLOURS[server % SERVER_COLOURS.len()], text)
    }
}
