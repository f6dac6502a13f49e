//! `rcronctl set`: writing the state file by hand.

use crate::cli::{self, Common};
use crate::clusters;
use crate::failure::Failure;
use crate::json;
use crate::state_file::StateFile;
use crate::when;
use inputs::{observe, words};
use policy::config::Config;
use policy::decide::Decision;
use policy::state::{Lease, State, Word};
use serde::Serialize;
use std::process::ExitCode;
use sys::{environment, output, replace};

/// Longer than any user's: useradd(8).
const LONGEST_NAME: usize = 64;
/// Jobs of every user read it.
const MODE: u32 = 0o644;

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
    if let Err(error) = replace::replace_keeping_owner(&file.path, &line(word, &file), MODE) {
        if word == Word::Active {
            return Err(Failure::of(format!("write {}", file.path.display()), &error));
        }
        make_passive_in_place(&file, &config, &error)?;
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
fn line(word: Word, file: &StateFile) -> Vec<u8> {
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

/// It could not be replaced. A server that stays active would be worse than a state without author: a full disk still takes
/// eight bytes in place of those that are there.
fn make_passive_in_place(file: &StateFile, config: &Config, error: &std::io::Error) -> Result<(), Failure> {
    let overwritten = replace::overwrite(&file.path, b"passive\n");
    let wrong = format!(
        "cannot write {} anew: {}",
        file.path.display(),
        output::error_text(error)
    );
    match (overwritten, observe::observe(config).decision) {
        (Ok(()), _) => {
            let warning = format!("rcronctl: warning: {wrong}; it was made passive in place\n");
            output::to_stderr(warning.as_bytes());
            Ok(())
        }
        (Err(_), Decision::Skip(_)) => Err(Failure::new(format!("{wrong}; no job is run all the same"))),
        (Err(_), Decision::Run(_)) => Err(Failure::new(format!("{wrong}; THIS SERVER STAYS ACTIVE"))),
    }
}
