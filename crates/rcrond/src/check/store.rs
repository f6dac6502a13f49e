//! Checks whether the store answers, reads its warnings, and creates what rcrond needs in it.

use super::report::Report;
use crate::cli;
use crate::config::{self, Config};
use ::store::{Change, Error, Settings, Store};
use inputs::diagnostic::Diagnostic;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use sys::output::to_stderr;
use tokio::task::JoinSet;

/// For all calls over one connection. All servers are asked at the same time.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// What one server has answered: its warnings.
type Found = Result<Vec<String>, Error>;

/// Connects to each server, reads a record, and tries a change that the server must refuse because of its condition. The change
/// shows what would keep rcrond from writing: missing rights, or a store that is full. Then it tries to watch the record.
pub(super) fn check(config: &Config, report: &mut Report) {
    let key = format!("check/{}", config.node.as_str());
    report_results(ask_each(&config.store, &key), report);
}

/// In the order of the servers.
fn ask_each(settings: &Settings, key: &str) -> Vec<Found> {
    let stores = settings.servers.iter().map(|server| {
        config::open(&Settings {
            servers: vec![server.clone()],
            ..settings.clone()
        })
    });
    let stores: Vec<_> = stores.collect();
    let count = stores.len();
    let answers = run(async move {
        let mut tasks = JoinSet::new();
        for (number, store) in stores.into_iter().enumerate() {
            let key = key.to_owned();
            tasks.spawn(async move {
                let found = match store {
                    Ok(store) => ask(store.as_ref(), &key).await,
                    Err(error) => Err(error),
                };
                (number, found)
            });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_by_key(|(number, _)| *number);
        answers.into_iter().map(|(_, found)| found).collect()
    });
    let answers: Result<Vec<Found>, Error> = answers;
    let named = |(found, server): (Found, &String)| found.map_err(|error| error.named(server));
    match answers {
        Ok(answers) => answers.into_iter().zip(&settings.servers).map(named).collect(),
        Err(error) => vec![Err(error); count],
    }
}

/// One server that can be used is enough. The others are hints, because the store may be less available than it should be.
fn report_results(found: Vec<Found>, report: &mut Report) {
    let (usable, failed): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_ok);
    let failed: Vec<_> = failed.into_iter().filter_map(Result::err).collect();
    if usable.is_empty() {
        for error in Error::grouped(failed) {
            report.wrong(&error.what(), remedy(&error));
        }
        return;
    }
    report.fine("it answers");
    let mut warnings: Vec<_> = usable.into_iter().flatten().flatten().collect();
    warnings.dedup();
    for warning in warnings {
        report.hint(&warning, None);
    }
    let (standbys, failed): (Vec<_>, Vec<_>) = failed.into_iter().partition(Error::is_standby);
    for standby in Error::grouped(standbys) {
        report.fine(&standby.what());
    }
    for error in Error::grouped(failed) {
        report.hint(&error.what(), Some(remedy(&error)));
    }
}

fn remedy(error: &Error) -> &'static str {
    error
        .help()
        .unwrap_or("check that it runs, that this host can reach it, and that `servers`, `user` and `tls` are correct")
}

async fn ask(store: &dyn Store, key: &str) -> Found {
    let mut warnings = within(TIME_LIMIT, try_change(store, key)).await?;
    warnings.extend(watch_warning(store, key).await);
    Ok(warnings)
}

async fn try_change(store: &dyn Store, key: &str) -> Found {
    let mut connection = store.connect().await?;
    connection.read(&[key.to_owned()]).await?;
    // No server has this record, so that none can meet the condition.
    let change = Change {
        incarnation: None,
        conditions: vec![(key.to_owned(), Some(1))],
        writes: vec![(key.to_owned(), Vec::new())],
    };
    connection.change(&change).await?;
    connection.warnings().await
}

/// Why the store does not report changes to this node, although it could. A pooler can be the reason, or a missing right.
async fn watch_warning(store: &dyn Store, key: &str) -> Option<String> {
    if !store.reports_changes() {
        return None;
    }
    let watch = within(TIME_LIMIT, store.watch(vec![key.to_owned()])).await;
    let error = watch.err()?;
    Some(format!(
        "the store does not report changes, so a handover takes longer: {error}"
    ))
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
        Ok(config) => cli::print(&format!("{}\n", config.store.kind.prepared())),
        Err(error) => {
            to_stderr(format!("rcrond: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn init(path: &Path) -> Result<Config, InitError> {
    let config = config::load(path).map_err(InitError::Config)?.config;
    let store = config::open(&config.store).map_err(InitError::Store)?;
    run(within(TIME_LIMIT, store.init()))
        .and_then(|done| done)
        .map_err(InitError::Store)?;
    Ok(config)
}

async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let no_answer = |_| Err(Error::Late(limit));
    tokio::time::timeout(limit, answer).await.unwrap_or_else(no_answer)
}

fn run<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Local {
            act: "start the runtime",
            cause: error.to_string(),
        })?;
    Ok(runtime.block_on(work))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::store::memory::Memory;

    fn report_of(found: Vec<Found>) -> String {
        let mut report = Report::default();
        report_results(found, &mut report);
        report.text().to_owned()
    }

    fn answer_of(store: &dyn Store) -> Found {
        run(ask(store, "check/n")).and_then(|found| found)
    }

    fn unreachable(server: &str) -> Error {
        let cause = "refused".to_owned();
        Error::Unreachable { cause, refused: false }.named(server)
    }

    #[test]
    fn a_store_that_answers_is_fine_and_a_missing_one_is_wrong() {
        let store = Memory::default();
        let warning = "  hint      this store ends with its process\n";
        assert_eq!(
            report_of(vec![answer_of(&store)]),
            format!("  fine      it answers\n{warning}")
        );
        let mut connection = run(store.connect()).expect("a runtime").expect("connected");
        let snapshot = run(connection.read(&["check/n".into()]))
            .expect("a runtime")
            .expect("an answer");
        assert_eq!(snapshot.items, [None], "nothing was written");
        store.set_down(true);
        assert_eq!(
            report_of(vec![answer_of(&store)]),
            format!(
                "  wrong     memory: the connection broke: cut off\n            -> {}\n",
                remedy(&Error::Silent)
            )
        );
    }

    #[test]
    fn one_usable_server_is_enough_and_the_others_are_hints() {
        let usable = || Ok(vec!["it forgets".to_owned()]);
        let found = vec![Err(unreachable("a:1")), usable(), usable(), Err(unreachable("b:1"))];
        let remedy = remedy(&Error::Silent);
        assert_eq!(
            report_of(found),
            format!(
                "  fine      it answers\n  hint      it forgets\n  \
                 hint      a:1, b:1: cannot connect: refused\n            -> {remedy}\n"
            )
        );
        let found = vec![Err(unreachable("a:1")), Err(unreachable("b:1"))];
        assert_eq!(
            report_of(found),
            format!("  wrong     a:1, b:1: cannot connect: refused\n            -> {remedy}\n")
        );
    }

    #[test]
    fn warnings_are_hints_and_help_is_the_remedy() {
        let error = Error::Settings {
            setting: "a:1".into(),
            problem: "no table".into(),
            help: Some("make one"),
        };
        let expected = "  wrong     a:1: no table\n            -> make one\n";
        assert_eq!(report_of(vec![Err(error)]), expected);
        let expected = "  fine      it answers\n  hint      it forgets\n";
        assert_eq!(report_of(vec![Ok(vec!["it forgets".into()])]), expected);
    }

    #[test]
    fn a_store_that_does_not_answer_is_waited_for_only_until_the_limit() {
        let limit = Duration::from_millis(20);
        let answer = run(within(limit, std::future::pending::<Result<(), Error>>())).expect("a runtime");
        let error = answer.expect_err("no answer");
        assert_eq!(error.to_string(), "no answer within 20 ms");
    }
}
