//! `rcronctl history`.
