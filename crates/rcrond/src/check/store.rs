//! The store: whether it answers, what it warns of, and what must be created in it.

use super::report::Report;
use crate::config::{self, Config, StoreConfig};
use ::store::{Failure, Store};
use inputs::words::seconds;
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

fn tell(found: Result<Vec<String>, Failure>, report: &mut Report) {
    match found {
        Ok(concerns) => {
            report.fine("it answers");
            for concern in concerns {
                report.hint(&concern, None);
            }
        }
        Err(failure) => {
            let remedy = failure.help.clone().unwrap_or_else(|| UNREACHED.into());
            let told = Failure { help: None, ..failure };
            report.wrong(&told.to_string(), &remedy);
        }
    }
}

const UNREACHED: &str = "see that it runs, that this host may reach it, and that servers, user and tls are right";

async fn ask(store: &dyn Store, key: String) -> Result<Vec<String>, Failure> {
    let mut connection = store.connect().await?;
    connection.read(&[key]).await?;
    connection.concerns().await
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
    let store = config::open(&config.store).map_err(|failure| failure.to_string())?;
    wait(async { store.init().await }).map_err(|failure| failure.to_string())?;
    Ok(match config.store {
        StoreConfig::PostgreSql(settings) => {
            format!("database {}: table {} is there\n", settings.database, settings.table)
        }
        StoreConfig::Etcd(_) => "etcd needs nothing that must be created\n".into(),
        StoreConfig::Redis(_) => "Redis needs nothing that must be created\n".into(),
    })
}

/// Waits for an answer of the store, but not for ever.
fn wait<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    wait_for(PATIENCE, answer)
}

fn wait_for<T>(patience: Duration, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("", error))?;
    let answer = runtime.block_on(async { tokio::time::timeout(patience, answer).await });
    // Not waiting for a name that is still being looked up.
    runtime.shutdown_background();
    answer.unwrap_or_else(|_| {
        let what = format!("no answer within {}", seconds(patience));
        Err(Failure::new("", what).with_help(UNREACHED))
    })
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
        let concern = "  hint      this store ends with its process\n";
        assert_eq!(told(&store), format!("  fine      it answers\n{concern}"));
        store.set_down(true);
        assert_eq!(
            told(&store),
            format!("  wrong     memory: cut off\n            -> {UNREACHED}\n")
        );
    }

    #[test]
    fn concerns_are_hints_and_help_is_the_remedy() {
        let mut report = Report::new();
        tell(Ok(vec!["it forgets".into()]), &mut report);
        tell(Err(Failure::new("a:1", "no table").with_help("make one")), &mut report);
        let expected =
            "  fine      it answers\n  hint      it forgets\n  wrong     a:1: no table\n            -> make one\n";
        assert_eq!(report.text(), expected);
    }

    #[test]
    fn a_store_that_says_nothing_is_not_waited_for_longer_than_that() {
        let answer = wait_for(Duration::from_millis(20), std::future::pending::<Result<(), Failure>>());
        let failure = answer.expect_err("no answer");
        assert_eq!(failure.to_string(), format!("no answer within 0.0 s; {UNREACHED}"));
    }
}
