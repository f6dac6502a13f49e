//! The store: whether it answers, what it warns of, and what must be created in it.

use super::report::Report;
use crate::config::{self, Config};
use ::store::{Error, Store};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use sys::output::{to_stderr, to_stdout};

/// How long the store may take for everything that is asked here.
const PATIENCE: Duration = Duration::from_secs(5);

/// One connection, one read, and what the server should be told of.
pub(super) fn check(config: &Config, report: &mut Report) {
    let key = format!("session/{}", config.node.as_str());
    let found = config::open(&config.store).and_then(|store| wait(ask(store.as_ref(), key)));
    tell(found, report);
}

fn tell(found: Result<Vec<String>, Error>, report: &mut Report) {
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
        .unwrap_or("see that it runs, that this host may reach it, and that servers, user and tls are right")
}

async fn ask(store: &dyn Store, key: String) -> Result<Vec<String>, Error> {
    let mut connection = store.connect().await?;
    connection.read(&[key]).await?;
    connection.warnings().await
}

/// `rcrond --init-store`: creates what must be there; exit status 1 if it is not there then.
pub(crate) fn init_store(path: &Path) -> ExitCode {
    match init(path) {
        Ok(text) => ExitCode::from(u8::from(to_stdout(text.as_bytes()).is_err())),
        Err(text) => {
            to_stderr(format!("rcrond: {text}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// What is there now, or why not.
fn init(path: &Path) -> Result<String, String> {
    let config = config::load(path).map_err(|diagnostic| diagnostic.full)?.config;
    let made = config::open(&config.store).and_then(|store| wait(async move { store.init().await }));
    match made {
        Ok(()) => Ok(format!("{}\n", config.store.kind.prepared())),
        Err(error) => Err(format!("{}; {}", error.what(), remedy(&error))),
    }
}

/// Waits for an answer of the store, but not for ever.
fn wait<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    wait_for(PATIENCE, answer)
}

fn wait_for<T>(patience: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Local {
            act: "start the runtime",
            cause: error.to_string(),
        })?;
    let answer = runtime.block_on(async { tokio::time::timeout(patience, answer).await });
    // Not waiting for a name that is still being looked up.
    runtime.shutdown_background();
    answer.unwrap_or(Err(Error::Late(patience)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::store::memory::Memory;

    fn told(store: &dyn Store) -> String {
        let mut report = Report::new();
        tell(wait(ask(store, "session/n".into())), &mut report);
        report.text().to_owned()
    }

    #[test]
    fn a_store_that_answers_is_fine_and_one_that_is_gone_is_wrong() {
        let store = Memory::default();
        let warning = "  hint      this store ends with its process\n";
        assert_eq!(told(&store), format!("  fine      it answers\n{warning}"));
        store.set_down(true);
        assert_eq!(
            told(&store),
            format!(
                "  wrong     memory: the connection broke: cut off\n            -> {}\n",
                remedy(&Error::Silent)
            )
        );
    }

    #[test]
    fn warnings_are_hints_and_help_is_the_remedy() {
        let mut report = Report::new();
        tell(Ok(vec!["it forgets".into()]), &mut report);
        let error = Error::Settings {
            setting: "a:1".into(),
            problem: "no table".into(),
            help: Some("make one"),
        };
        tell(Err(error), &mut report);
        let expected =
            "  fine      it answers\n  hint      it forgets\n  wrong     a:1: no table\n            -> make one\n";
        assert_eq!(report.text(), expected);
    }

    #[test]
    fn a_store_that_says_nothing_is_not_waited_for_longer_than_that() {
        let answer = wait_for(Duration::from_millis(20), std::future::pending::<Result<(), Error>>());
        let error = answer.expect_err("no answer");
        assert_eq!(error.to_string(), "no answer within 20 ms");
    }
}
