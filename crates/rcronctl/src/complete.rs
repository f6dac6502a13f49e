//! `rcronctl completions`: for the shells' completion directories.

use crate::cli::{Cli, Shell};
use crate::failure::Failure;
use crate::json::say;
use clap::CommandFactory;
use std::process::ExitCode;

/// Prints the completions for a shell.
pub(crate) fn print(shell: Shell) -> Result<ExitCode, Failure> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "rcronctl", &mut text);
    say(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}
