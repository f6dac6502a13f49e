//! `rcronctl touch`.
