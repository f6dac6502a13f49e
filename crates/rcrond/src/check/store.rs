//! Checks whether the store answers, reads its warnings, and creates what rcrond needs in it.

use super::report::Report;
use crate::config::{self, Config};
use ::store::{Error, Store};
use inputs::diagnostic::Diagnostic;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use sys::output::{to_stderr, to_stdout};

/// For all calls to the store together.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Connects once, reads one record, and reports the warnings about the server.
pub(super) fn check(config: &Config, report: &mut Report) {
    let key = format!("session/{}", config.node.as_str());
    let found = config::open(&config.store).and_then(|store| wait(ask(store.as_ref(), key)));
    report_result(found, report);
}

fn report_result(found: Result<Vec<String>, Error>, report: &mut Report) {
    match found {
        Ok(warnings) => {
            report.fine("it answers");
            for warning in warnings {
                report.hint(&warning, None);
            }
        }
        Err(error) => report.wrong(&error.what(), remedy(&error)),
    }
}

fn remedy(error: &Error) -> &'static str {
    error
        .help()
        .unwrap_or("check that it runs, that this host can reach it, and that `servers`, `user` and `tls` are correct")
}

async fn ask(store: &dyn Store, key: String) -> Result<Vec<String>, Error> {
    let mut connection = store.connect().await?;
    connection.read(&[key]).await?;
    connection.warnings().await
}

/// Why the store was not prepared.
enum InitError {
    Config(Diagnostic),
    Store(Error),
}

impl fmt::Display for InitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(diagnostic) => out.write_str(&diagnostic.full),
            Self::Store(error) => write!(out, "{}; {}", error.what(), remedy(error)),
        }
    }
}

/// `rcrond --init-store`: creates what rcrond needs in the store. The exit status is 1 if that is not possible.
pub(crate) fn init_store(path: &Path) -> ExitCode {
    match init(path) {
        Ok(config) => {
            let text = format!("{}\n", config.store.kind.prepared());
            ExitCode::from(u8::from(to_stdout(text.as_bytes()).is_err()))
        }
        Err(error) => {
            to_stderr(format!("rcrond: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn init(path: &Path) -> Result<Config, InitError> {
    let config = config::load(path).map_err(InitError::Config)?.config;
    let store = config::open(&config.store).map_err(InitError::Store)?;
    wait(async { store.init().await }).map_err(InitError::Store)?;
    Ok(config)
}

/// Waits for an answer of the store, with a time limit.
fn wait<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    wait_for(TIME_LIMIT, answer)
}

fn wait_for<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Local {
            act: "start the runtime",
            cause: error.to_string(),
        })?;
    let answer = runtime.block_on(async { tokio::time::timeout(limit, answer).await });
    // Dropping the runtime would wait for the look-up of a name.
    runtime.shutdown_background();
    answer.unwrap_or(Err(Error::Late(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::store::memory::Memory;

    fn report_of(store: &dyn Store) -> String {
        let mut report = Report::new();
        report_result(wait(ask(store, "session/n".into())), &mut report);
        report.text().to_owned()
    }

    #[test]
    fn a_store_that_answers_is_fine_and_a_missing_one_is_wrong() {
        let store = Memory::default();
        let warning = "  hint      this store ends with its process\n";
        assert_eq!(report_of(&store), format!("  fine      it answers\n{warning}"));
        store.set_down(true);
        assert_eq!(
            report_of(&store),
            format!(
                "  wrong     memory: the connection broke: cut off\n            -> {}\n",
                remedy(&Error::Silent)
            )
        );
    }

    #[test]
    fn warnings_are_hints_and_help_is_the_remedy() {
        let mut report = Report::new();
        report_result(Ok(vec!["it forgets".into()]), &mut report);
        let error = Error::Settings {
            setting: "a:1".into(),
            problem: "no table".into(),
            help: Some("make one"),
        };
        report_result(Err(error), &mut report);
        let expected =
            "  fine      it answers\n  hint      it forgets\n  wrong     a:1: no table\n            -> make one\n";
        assert_eq!(report.text(), expected);
    }

    #[test]
    fn a_store_that_does_not_answer_is_waited_for_only_until_the_limit() {
        let answer = wait_for(Duration::from_millis(20), std::future::pending::<Result<(), Error>>());
        let error = answer.expect_err("no answer");
        assert_eq!(error.to_string(), "no answer within 20 ms");
    }
}
