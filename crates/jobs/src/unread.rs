//! What could not be read.

use std::io;
use std::path::PathBuf;
use sys::file::Unreadable;

/// A part of the system that was not read: the jobs in it are not known. Paths are those in this system.
#[derive(Debug)]
pub enum Unread {
    /// This file, for this reason.
    File(PathBuf, Unreadable),
    /// This directory, for this reason.
    Directory(PathBuf, io::Error),
    /// The files of this directory after the first so many.
    Files(PathBuf, usize),
    /// This crontab from this line on.
    Lines(PathBuf, usize),
}
