//! `rcronctl set`.
