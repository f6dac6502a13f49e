//! `rcronctl set`: writes the state file by hand.

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::output::{print_json, print_text, warn};
use crate::state_file::StateFile;
use inputs::state_file::{self, Owner, WriteError, Written};
use inputs::{clock, clusters, observe};
use policy::config::Config;
use policy::decide::Decision;
use policy::display::escaped;
use policy::state::{State, Word};
use serde::Serialize;
use std::process::ExitCode;
use sys::environment;
use sys::output::error_text;

/// Bytes; no user's name is longer: useradd(8).
const LONGEST_NAME: usize = 64;

#[derive(Serialize)]
struct SetJson {
    cluster: String,
    state: &'static str,
    before: Option<&'static str>,
    file: String,
}

pub(crate) fn set_state(options: &cli::Set, common: &Common) -> Result<ExitCode, Failure> {
    let config = clusters::one(&common.conf)?.config;
    let file = StateFile::find(&config, options.socket.path(), options.force)?;
    let word = match options.state {
        cli::State::Active => Word::Active,
        cli::State::Passive => Word::Passive,
    };
    let before = file.state().map(|state| state.word);
    match state_file::write(&file.path, &new_state(word, &file), Owner::Unchanged) {
        Ok(Written::Replaced) => {}
        Ok(Written::PassiveInPlace(error)) => warn(format_args!(
            "cannot replace {}: {}; its first line was overwritten with `passive`",
            file.path.display(),
            error_text(&error)
        )),
        Err(error) => return Err(not_written(word, &file, &config, &error)),
    }
    if config.require_lease && word == Word::Active {
        warn("require_lease is set: `active` without a lease counts as passive");
    }
    let cluster = escaped(&config.cluster_name).into_owned();
    let path = file.path.display().to_string();
    if common.json {
        print_json(&SetJson {
            cluster,
            state: word.as_str(),
            before: before.map(Word::as_str),
            file: path,
        })?;
    } else {
        let was = before.map_or("nothing", Word::as_str);
        print_text(&format!("{cluster}: {} (was {was}) in {path}\n", word.as_str()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The word, who wrote it, and since when it holds: a time that stays if the word does not change.
fn new_state(word: Word, file: &StateFile) -> State {
    let unchanged = file.state().filter(|state| state.word == word);
    let since = unchanged.and_then(|state| state.since.clone());
    State {
        by: Some(author()),
        since: Some(since.unwrap_or_else(|| clock::wall_time().rfc3339_seconds().into_bytes())),
        ..State::new(word)
    }
}

/// `alice@server1`: the caller, also behind sudo.
fn author() -> Vec<u8> {
    let names = ["SUDO_USER", "LOGNAME", "USER"];
    let name = names
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    let name = name.unwrap_or_else(|| format!("uid{}", environment::effective_user()));
    // A first line that is too long is not a state.
    let name = &name.as_bytes()[..name.len().min(LONGEST_NAME)];
    [name, b"@", environment::node_name().as_slice()].concat()
}

fn not_written(word: Word, file: &StateFile, config: &Config, error: &WriteError) -> Failure {
    let wrong = format!("cannot write {}: {error}", file.path.display());
    let effect = match (word, observe::observe(config).decision) {
        (Word::Active, _) => "",
        (Word::Passive, Decision::Skip(_)) => "; this server runs no jobs anyway",
        (Word::Passive, Decision::Run(_)) => "; THIS SERVER STAYS ACTIVE",
    };
    Failure::new(wrong + effect)
}
