//! The runs that were found, each in 16 bytes.

use super::files::Place;
use super::limits::MOST_RUNS;
use std::collections::BTreeMap;

/// Bits of a position in a file.
const AT_BITS: u32 = 40;
/// Bits of an index of a file, of which there are fewer than `limits::MOST_FILES`.
const FILE_BITS: u32 = 21;

/// A run: when it was started, where its record is, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Microseconds since 1970.
    pub(super) started: i64,
    packed: u64,
}

/// What is known of a run without reading its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ended,
    Running,
    Unwatched,
    Interrupted,
    /// It may be running on this machine, in another container.
    Hidden,
    /// Another server's.
    Unknown,
}

const STATES: [State; 6] = [
    State::Ended,
    State::Running,
    State::Unwatched,
    State::Interrupted,
    State::Hidden,
    State::Unknown,
];

impl State {
    /// The word for a run without an end in an export.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Running => "running",
            Self::Unwatched => "unwatched",
            Self::Interrupted => "interrupted",
            Self::Hidden => "hidden",
            Self::Unknown => "unknown",
        }
    }

    /// The state that an export gives a run without an end. A word of a later version says nothing.
    pub(super) fn of_unfinished(word: Option<&str>) -> Self {
        let unfinished = STATES.into_iter().filter(|state| *state != Self::Ended);
        let known = |state: &Self| Some(state.word()) == word;
        unfinished.into_iter().find(known).unwrap_or(Self::Unknown)
    }
}

impl Entry {
    /// `None` for a place that does not fit: a file of a terabyte.
    pub(super) fn new(started: i64, place: Place, state: State) -> Option<Self> {
        let file = u64::from(place.file);
        (place.at < 1 << AT_BITS && file < 1 << FILE_BITS).then_some(Self {
            started,
            packed: (file << AT_BITS | place.at) << 3 | state as u64,
        })
    }

    pub(super) fn place(self) -> Place {
        let place = self.packed >> 3;
        Place {
            file: u32::try_from(place >> AT_BITS).unwrap_or(u32::MAX),
            at: place & ((1 << AT_BITS) - 1),
        }
    }

    pub(super) fn state(self) -> State {
        STATES[(self.packed & 7) as usize]
    }
}

/// Keeps the newest runs of each owner.
#[derive(Default)]
pub(super) struct Entries {
    list: Vec<Entry>,
    /// Where those of the present group begin.
    group_begins: usize,
    /// How many each group may have, if there is a limit.
    limit: Option<usize>,
    /// Whether `limit` left some out.
    pub(super) more: bool,
    /// How many were dropped because there are too many, by the group's number.
    pub(super) dropped: BTreeMap<u32, u64>,
}

impl Entries {
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Adds a run of the present group.
    pub(super) fn push(&mut self, entry: Entry) {
        self.list.push(entry);
        let own = self.list.len() - self.group_begins;
        if self
            .limit
            .is_some_and(|limit| own > limit.saturating_mul(2).saturating_add(1024))
        {
            self.cut_group();
        }
    }

    /// Drops runs if there are too many. To be called after each file. `group` is the number of a file's group.
    pub(super) fn shed_if_full(&mut self, group: impl Fn(u32) -> u32) {
        if self.list.len() > MOST_RUNS {
            self.shed(group);
        }
    }

    /// All runs of a group have been added.
    pub(super) fn end_group(&mut self) {
        self.cut_group();
        // The newest of all groups are among the newest of each group.
        self.group_begins = 0;
        self.cut_group();
        self.group_begins = self.list.len();
    }

    /// All runs, the newest start first.
    pub(super) fn into_sorted(mut self) -> (Vec<Entry>, bool) {
        self.list
            .sort_unstable_by_key(|entry| (std::cmp::Reverse(entry.started), entry.packed));
        (self.list, self.more)
    }

    fn cut_group(&mut self) {
        let Some(limit) = self.limit else { return };
        let own = &mut self.list[self.group_begins..];
        if own.len() > limit {
            own.select_nth_unstable_by_key(limit, |entry| std::cmp::Reverse(entry.started));
            self.list.truncate(self.group_begins + limit);
            self.more = true;
        }
    }

    /// Drops the oldest runs of the groups that have the most, until a quarter of the room is free.
    fn shed(&mut self, group: impl Fn(u32) -> u32) {
        let group = |entry: &Entry| group(entry.place().file);
        self.list
            .sort_unstable_by_key(|entry| (group(entry), std::cmp::Reverse(entry.started)));
        let sizes: Vec<usize> = self
            .list
            .chunk_by(|one, other| group(one) == group(other))
            .map(<[Entry]>::len)
            .collect();
        let share = share(&sizes, MOST_RUNS / 4 * 3);
        let (mut present, mut kept) = (None, 0);
        let dropped = &mut self.dropped;
        self.list.retain(|entry| {
            let group = group(entry);
            if present != Some(group) {
                (present, kept) = (Some(group), 0);
            }
            kept += 1;
            if kept > share {
                *dropped.entry(group).or_default() += 1;
            }
            kept <= share
        });
        self.group_begins = self.group_begins.min(self.list.len());
    }
}

/// The largest number that each group may keep so that all together keep at most `total`.
fn share(sizes: &[usize], total: usize) -> usize {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    let (mut left, mut groups) = (total, sizes.len());
    for size in sizes {
        if size * groups > left {
            return left / groups;
        }
        left -= size;
        groups -= 1;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(started: i64, file: u32) -> Entry {
        Entry::new(started, Place { file, at: 5 }, State::Ended).expect("fits")
    }

    #[test]
    fn an_entry_has_what_it_was_made_of() {
        for state in STATES {
            let place = Place {
                file: (1 << FILE_BITS) - 1,
                at: (1 << AT_BITS) - 1,
            };
            let entry = Entry::new(-7, place, state).expect("fits");
            assert_eq!((entry.started, entry.place(), entry.state()), (-7, place, state));
        }
        assert_eq!(size_of::<Entry>(), 16);
    }

    #[test]
    fn the_limit_keeps_the_newest_of_all() {
        let mut entries = Entries::new(Some(3));
        for file in 0..2 {
            for started in 0..5000 {
                entries.push(entry(2 * started + i64::from(file), file));
            }
            entries.end_group();
        }
        let (entries, more) = entries.into_sorted();
        let started: Vec<i64> = entries.iter().map(|entry| entry.started).collect();
        assert_eq!((started, more), (vec![9999, 9998, 9997], true));
    }

    #[test]
    fn too_many_runs_of_one_owner_cost_only_this_owner() {
        let mut entries = Entries::new(None);
        for (file, runs) in [(0, 1000), (1, MOST_RUNS), (2, 1000)] {
            for started in 0..runs {
                entries.push(entry(i64::try_from(started).expect("small"), file));
            }
            entries.shed_if_full(|file| file);
            entries.end_group();
        }
        let dropped: Vec<u32> = entries.dropped.keys().copied().collect();
        assert_eq!(dropped, [1]);
        let lost = usize::try_from(entries.dropped[&1]).expect("small");
        let (entries, _) = entries.into_sorted();
        assert_eq!(entries.len() + lost, MOST_RUNS + 2000);
        for file in [0, 2] {
            assert_eq!(entries.iter().filter(|entry| entry.place().file == file).count(), 1000);
        }
        assert_eq!(entries[0].started, i64::try_from(MOST_RUNS).expect("small") - 1);
    }

    #[test]
    fn small_groups_leave_room_to_large_ones() {
        assert_eq!(share(&[10, 10, 10], 30), usize::MAX);
        assert_eq!(share(&[10, 100, 10], 60), 40);
        assert_eq!(share(&[100, 100], 60), 30);
    }
}
