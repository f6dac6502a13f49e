//! `rcronctl set`: writing the state file by hand.

use crate::cli::{self, Common};
use crate::clusters;
use crate::failure::Failure;
use crate::json;
use crate::state_file::StateFile;
use facts::words;
use platform::{clock, environment, output, replace};
use policy::state::{Lease, State, Word};
use serde::Serialize;
use std::process::ExitCode;

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
    if let Err(error) = replace::replace(&file.path, &line(word, &file), MODE) {
        return Err(failed(&file, word, &error));
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
        since: Some(since.unwrap_or_else(|| now().into_bytes())),
    }
    .line()
}

/// To the second: `2026-11-23T09:15:02Z`.
fn now() -> String {
    let text = clock::wall_time().rfc3339();
    format!("{}Z", &text[..text.len() - ".123456Z".len()])
}

/// `alice@server1`: who has called, also by sudo.
fn author() -> Vec<u8> {
    let names = ["SUDO_USER", "LOGNAME", "USER"];
    let name = names
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    let name = name.unwrap_or_else(|| format!("uid{}", platform::journal::effective_user()));
    [name.as_bytes(), b"@", environment::node_name().as_slice()].concat()
}

/// It could not be replaced. A file that goes on saying `active` would be worse than half an error: a full disk still takes
/// eight bytes in place of those that are there.
fn failed(file: &StateFile, word: Word, error: &std::io::Error) -> Failure {
    let act = format!("write {}", file.path.display());
    let is_active = file.state().is_some_and(|state| state.word == Word::Active);
    if word == Word::Active || !is_active {
        return Failure::of(act, error);
    }
    let then = match replace::overwrite(&file.path, b"passive\n") {
        Ok(()) => "it was made passive in place".to_owned(),
        Err(error) => format!(
            "IT STILL SAYS ACTIVE, for it cannot be overwritten either: {}",
            output::error_text(&error)
        ),
    };
    Failure::new(format!("cannot {act} anew: {}; {then}", output::error_text(error)))
}
