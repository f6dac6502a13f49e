//! `rcronctl set`: writing the state file by hand.

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::json;
use crate::state_file::StateFile;
use crate::when;
use inputs::state_file::{self, Owner, WriteError, Written};
use inputs::{clusters, observe, words};
use policy::config::Config;
use policy::decide::Decision;
use policy::state::{Lease, State, Word};
use serde::Serialize;
use std::process::ExitCode;
use sys::output::error_text;
use sys::{environment, output};

/// Longer than any user's: useradd(8).
const LONGEST_NAME: usize = 64;

#[derive(Serialize)]
struct Document {
    cluster: String,
    state: &'static str,
    before: Option<&'static str>,
    file: String,
}

/// Writes it, whole.
pub(crate) fn run(options: &cli::Set, common: &Common) -> Result<ExitCode, Failure> {
    let config = clusters::one(&common.conf)?.config;
    let file = StateFile::find(&config, options.force)?;
    let word = match options.state {
        cli::State::Active => Word::Active,
        cli::State::Passive => Word::Passive,
    };
    let before = file.state().map(|state| state.word);
    match state_file::write(&file.path, &state(word, &file), Owner::Unchanged) {
        Ok(Written::Replaced) => {}
        Ok(Written::PassiveInPlace(error)) => {
            let wrong = error_text(&error);
            let warning = format!(
                "rcronctl: warning: cannot write {} anew: {wrong}; it was made passive in place\n",
                file.path.display()
            );
            output::to_stderr(warning.as_bytes());
        }
        Err(error) => return Err(failure(word, &file, &config, &error)),
    }
    if config.require_lease && word == Word::Active {
        let warning = "rcronctl: warning: require_lease is set: an active without a lease counts as passive\n";
        output::to_stderr(warning.as_bytes());
    }
    let cluster = words::text_of(&config.cluster_name);
    let path = file.path.display().to_string();
    if common.json {
        json::print(&Document {
            cluster,
            state: word.as_str(),
            before: before.map(Word::as_str),
            file: path,
        })?;
    } else {
        let was = before.map_or("nothing", Word::as_str);
        json::say(&format!("{cluster}: {} (was {was}) in {path}\n", word.as_str()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The word, by whom, and since when, which stays where nothing changes.
fn state(word: Word, file: &StateFile) -> State {
    let unchanged = file.state().filter(|state| state.word == word);
    let since = unchanged.and_then(|state| state.since.clone());
    State {
        word,
        lease: Lease::None,
        draining: false,
        epoch: None,
        by: Some(author()),
        since: Some(since.unwrap_or_else(|| when::utc().into_bytes())),
    }
}

/// `alice@server1`: who has called, also by sudo.
fn author() -> Vec<u8> {
    let names = ["SUDO_USER", "LOGNAME", "USER"];
    let name = names
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    let name = name.unwrap_or_else(|| format!("uid{}", sys::environment::effective_user()));
    // A line that is too long is no state.
    let name = &name.as_bytes()[..name.len().min(LONGEST_NAME)];
    [name, b"@", environment::node_name().as_slice()].concat()
}

fn failure(word: Word, file: &StateFile, config: &Config, error: &WriteError) -> Failure {
    let wrong = format!("cannot write {}: {error}", file.path.display());
    match (word, observe::observe(config).decision) {
        (Word::Active, _) => Failure::new(wrong),
        (Word::Passive, Decision::Skip(_)) => Failure::new(format!(
            "{wrong}; jobs are not run anyway: this server is already passive"
        )),
        (Word::Passive, Decision::Run(_)) => Failure::new(format!("{wrong}; THIS SERVER STAYS ACTIVE")),
    }
}
