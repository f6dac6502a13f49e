//! `rcronctl interrupted`.
