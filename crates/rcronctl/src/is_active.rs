//! `rcronctl is-active`.
