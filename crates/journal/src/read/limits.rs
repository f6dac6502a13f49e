//! How much of what users wrote is read and remembered: docs/design/journal.md, "Bounds for readers".

use crate::append::LARGEST;

/// In bytes: the longest record is shorter, because its texts are cut and escaping makes them at most six times as long. A longer
/// line is skipped.
pub const LONGEST_LINE: usize = 64 << 10;
/// In bytes: of a larger file in a directory, only the end is read. rcron rotates a file before it is so large.
pub(super) const MOST_BYTES: u64 = LARGEST + (1 << 20);
/// Files of all owners.
pub(super) const MOST_FILES: usize = 100_000;
/// Runs of all owners.
pub const MOST_RUNS: usize = 1_000_000;
/// Starts without an end of one owner. A hash table of this size is seven eighths full.
pub(super) const MOST_OPEN: usize = 114_000;
/// The same where only running jobs are asked for: rcrond must stay small.
pub(super) const MOST_OPEN_RUNNING: usize = 14_000;
/// Ends of one owner whose start has not been read.
pub(super) const MOST_ENDED: usize = 57_000;
/// Ends that were recorded while the journal was read.
pub(super) const MOST_LATE: usize = 10_000;
/// Files that are kept open between two reads. A process may have few descriptors.
pub(super) const MOST_DESCRIPTORS: usize = 24;
/// What could not be seen is listed in detail only so often, because every user can cause any number of such notes.
pub(super) const MOST_NOTES: usize = 20;
/// In bytes: how much of what is new in the files of root, and of another user, is read at once when journals are followed. Rotation
/// keeps some 80 MiB of each name.
pub(super) const MOST_NEW_OF_ROOT: u64 = 96 << 20;
pub(super) const MOST_NEW_OF_USER: u64 = 32 << 20;
/// The same of all other users together, which share it.
pub(super) const MOST_NEW: u64 = 1 << 30;
