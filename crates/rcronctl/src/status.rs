//! `rcronctl status`.
