//! Scenarios with one or two nodes and a store that does what it is told.

mod claims;
mod fixture;
mod losses;
mod records;
