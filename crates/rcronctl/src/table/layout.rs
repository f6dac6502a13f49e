//! Which columns a table has on a terminal of a given width, and how wide they are.

/// Blanks between two columns.
pub(super) const GAP: usize = 2;
/// If nothing else helps, every column is cut, but not below this width.
const NARROWEST: usize = 8;
/// Without a limit, a column is not wider than this, except the last one: one long text would lengthen every line.
pub(super) const WIDEST: usize = 200;

pub(crate) struct Column {
    pub(super) head: &'static str,
    pub(super) fit: Fit,
}

/// What happens to a column if the table is wider than the terminal. The columns with a turn give way in the order of their turns, and
/// only as many as needed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fit {
    /// Is cut only if nothing else helps.
    Whole,
    /// Is cut before any other column gives way, to `least` columns at the least.
    Cut {
        least: usize,
    },
    /// Flows over several lines of `least` columns.
    Wrap {
        turn: u8,
        least: usize,
    },
    /// Moves to lines of its own below each row.
    Below {
        turn: u8,
    },
    Omit {
        turn: u8,
    },
}

impl Column {
    pub(crate) const fn whole(head: &'static str) -> Self {
        Self { head, fit: Fit::Whole }
    }

    pub(crate) const fn cut(head: &'static str, least: usize) -> Self {
        let fit = Fit::Cut { least };
        Self { head, fit }
    }

    pub(crate) const fn wrap(head: &'static str, turn: u8, least: usize) -> Self {
        let fit = Fit::Wrap { turn, least };
        Self { head, fit }
    }

    pub(crate) const fn below(head: &'static str, turn: u8) -> Self {
        let fit = Fit::Below { turn };
        Self { head, fit }
    }

    pub(crate) const fn omit(head: &'static str, turn: u8) -> Self {
        let fit = Fit::Omit { turn };
        Self { head, fit }
    }

    fn turn(&self) -> Option<u8> {
        match self.fit {
            Fit::Wrap { turn, .. } | Fit::Below { turn } | Fit::Omit { turn } => Some(turn),
            Fit::Whole | Fit::Cut { .. } => None,
        }
    }

    pub(super) const fn wraps(&self) -> bool {
        matches!(self.fit, Fit::Wrap { .. })
    }
}

/// Columns are given by their indices.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The columns of the table and their widths, from left to right.
    pub(super) beside: Vec<(usize, usize)>,
    /// The columns whose texts stand below each row, from the top down.
    pub(super) below: Vec<usize>,
}

impl Layout {
    /// `widest` has the width of the widest text of each column, 0 for a column that is not shown. Without `limit`, nothing gives way.
    pub(super) fn new(columns: &[Column], widest: &[usize], limit: Option<usize>) -> Self {
        let shown = widest.iter().copied().enumerate().filter(|(_, width)| *width > 0);
        let mut layout = Self {
            beside: shown.collect(),
            below: Vec::new(),
        };
        let Some(limit) = limit else {
            layout.bound();
            return layout;
        };
        let mut turns: Vec<usize> = (0..columns.len())
            .filter(|index| columns[*index].turn().is_some())
            .collect();
        turns.sort_by_key(|index| columns[*index].turn());
        for index in turns {
            if layout.least_width(columns) <= limit {
                break;
            }
            layout.give_way(index, columns[index].fit);
        }
        layout.below.sort_unstable();
        layout.cut(columns, limit);
        layout
    }

    /// Makes room for wider texts in further rows. The heading is printed already, so no column gives way any more, nor wraps.
    pub(super) fn widen(&mut self, columns: &[Column], widest: &[usize], limit: Option<usize>) {
        for (index, width) in &mut self.beside {
            if !columns[*index].wraps() {
                *width = widest[*index].max(*width);
            }
        }
        match limit {
            Some(limit) => self.cut(columns, limit),
            None => self.bound(),
        }
    }

    fn bound(&mut self) {
        if let Some((_, others)) = self.beside.split_last_mut() {
            for (_, width) in others {
                *width = WIDEST.min(*width);
            }
        }
    }

    fn give_way(&mut self, index: usize, fit: Fit) {
        let Some(at) = self.beside.iter().position(|(column, _)| *column == index) else {
            return;
        };
        match fit {
            Fit::Whole | Fit::Cut { .. } => {}
            Fit::Wrap { least, .. } => self.beside[at].1 = self.beside[at].1.min(least),
            Fit::Below { .. } => self.below.push(self.beside.remove(at).0),
            Fit::Omit { .. } => drop(self.beside.remove(at)),
        }
    }

    /// The width of a line after all cuts that do not need a turn.
    fn least_width(&self, columns: &[Column]) -> usize {
        let widths = self.beside.iter().map(|(index, width)| match columns[*index].fit {
            Fit::Cut { least } => least.min(*width),
            _ => *width,
        });
        widths.sum::<usize>() + self.gaps()
    }

    fn gaps(&self) -> usize {
        GAP * self.beside.len().saturating_sub(1)
    }

    /// Cuts the widest columns until the line fits: first those that may be cut, then all.
    fn cut(&mut self, columns: &[Column], limit: usize) {
        let least_of = |index: usize| match columns[index].fit {
            Fit::Cut { least } => least,
            _ => usize::MAX,
        };
        self.shrink(limit, least_of);
        self.shrink(limit, |_| NARROWEST);
    }

    fn shrink(&mut self, limit: usize, least_of: impl Fn(usize) -> usize) {
        let room = limit.saturating_sub(self.gaps());
        while self.beside.iter().map(|(_, width)| width).sum::<usize>() > room {
            let wider = self
                .beside
                .iter_mut()
                .filter(|(index, width)| *width > least_of(*index));
            let Some((_, width)) = wider.max_by_key(|(_, width)| *width) else {
                return;
            };
            *width -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 5] = [
        Column::whole("NAME"),
        Column::below("WHY", 0),
        Column::wrap("SINCE", 2, 10),
        Column::omit("AGE", 1),
        Column::cut("JOB", 12),
    ];
    const TEXTS: [usize; 5] = [6, 30, 20, 5, 40];

    fn widths(limit: usize) -> (Vec<(usize, usize)>, Vec<usize>) {
        let layout = Layout::new(&COLUMNS, &TEXTS, Some(limit));
        (layout.beside, layout.below)
    }

    #[test]
    fn nothing_gives_way_without_a_limit() {
        let layout = Layout::new(&COLUMNS, &TEXTS, None);
        assert_eq!(layout.beside, [(0, 6), (1, 30), (2, 20), (3, 5), (4, 40)]);
        assert!(layout.below.is_empty(), "{layout:?}");
    }

    #[test]
    fn columns_give_way_in_turn_and_only_as_far_as_needed() {
        for (limit, beside, below) in [
            (109, vec![(0, 6), (1, 30), (2, 20), (3, 5), (4, 40)], vec![]),
            (108, vec![(0, 6), (1, 30), (2, 20), (3, 5), (4, 39)], vec![]),
            (81, vec![(0, 6), (1, 30), (2, 20), (3, 5), (4, 12)], vec![]),
            (80, vec![(0, 6), (2, 20), (3, 5), (4, 40)], vec![1]),
            (49, vec![(0, 6), (2, 20), (3, 5), (4, 12)], vec![1]),
            (48, vec![(0, 6), (2, 20), (4, 18)], vec![1]),
            (41, vec![(0, 6), (2, 10), (4, 21)], vec![1]),
            (32, vec![(0, 6), (2, 10), (4, 12)], vec![1]),
            (31, vec![(0, 6), (2, 10), (4, 11)], vec![1]),
            (26, vec![(0, 6), (2, 8), (4, 8)], vec![1]),
            (1, vec![(0, 6), (2, 8), (4, 8)], vec![1]),
        ] {
            assert_eq!(widths(limit), (beside, below), "{limit} columns");
        }
    }

    #[test]
    fn columns_without_texts_are_left_out_and_need_no_turn() {
        let layout = Layout::new(&COLUMNS, &[6, 0, 0, 5, 9], Some(20));
        assert_eq!(layout.beside, [(0, 6), (4, 9)]);
        assert!(layout.below.is_empty(), "{layout:?}");
    }

    #[test]
    fn wider_texts_of_further_rows_change_only_widths() {
        let mut layout = Layout::new(&COLUMNS, &[4, 0, 9, 3, 12], Some(60));
        layout.widen(&COLUMNS, &[9, 0, 20, 4, 80], Some(60));
        assert_eq!(layout.beside, [(0, 9), (2, 9), (3, 4), (4, 32)]);
        layout.widen(&COLUMNS, &[4, 0, 9, 3, 1], Some(60));
        assert_eq!(layout.beside, [(0, 9), (2, 9), (3, 4), (4, 32)]);
    }
}
