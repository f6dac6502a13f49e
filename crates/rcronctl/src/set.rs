//! `rcronctl set`: writes the state file by hand.

use crate::cli::{self, Common};
use crate::clusters;
use crate::failure::Failure;
use crate::output::{print_json, print_text, warn};
use crate::state_file::StateFile;
use crate::when;
use inputs::{observe, words};
use policy::config::Config;
use policy::decide::Decision;
use policy::state::{Lease, State, Word};
use serde::Serialize;
use std::process::ExitCode;
use sys::output::error_text;
use sys::{environment, replace};

/// Bytes; no user's name is longer: useradd(8).
const LONGEST_NAME: usize = 64;
/// The jobs of all users read the file.
const MODE: u32 = 0o644;

#[derive(Serialize)]
struct SetJson {
    cluster: String,
    state: &'static str,
    before: Option<&'static str>,
    file: String,
}

pub(crate) fn set_state(options: &cli::Set, common: &Common) -> Result<ExitCode, Failure> {
    let config = clusters::one(&common.conf)?.config;
    let file = StateFile::find(&config, options.force)?;
    let word = match options.state {
        cli::State::Active => Word::Active,
        cli::State::Passive => Word::Passive,
    };
    let before = file.state().map(|state| state.word);
    if let Err(error) = replace::replace_keeping_owner(&file.path, &state_line(word, &file), MODE) {
        if word == Word::Active {
            return Err(Failure::of(format!("write {}", file.path.display()), &error));
        }
        make_passive_in_place(&file, &config, &error)?;
    }
    if config.require_lease && word == Word::Active {
        warn("require_lease is set: `active` without a lease counts as passive");
    }
    let cluster = words::text_of(&config.cluster_name);
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
fn state_line(word: Word, file: &StateFile) -> Vec<u8> {
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
    .line()
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

/// The file could not be replaced. A server that stays active is worse than a state without an author, and even a full disk has
/// room for eight bytes in place of those that are there.
fn make_passive_in_place(file: &StateFile, config: &Config, error: &std::io::Error) -> Result<(), Failure> {
    let overwritten = replace::overwrite(&file.path, b"passive\n");
    let wrong = format!("cannot replace {}: {}", file.path.display(), error_text(error));
    match (overwritten, observe::observe(config).decision) {
        (Ok(()), _) => {
            warn(format_args!("{wrong}; its first word was overwritten with `passive`"));
            Ok(())
        }
        (Err(_), Decision::Skip(_)) => Err(Failure::new(format!("{wrong}; this server runs no jobs anyway"))),
        (Err(_), Decision::Run(_)) => Err(Failure::new(format!("{wrong}; THIS SERVER STAYS ACTIVE"))),
    }
}
