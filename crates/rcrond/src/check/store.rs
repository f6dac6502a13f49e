//! The store: whether it answers, what it warns of, and what must be created in it.

use super::report::Report;
use crate::config::{self, Config, Loaded};
use ::store::{Failure, Store};
use facts::complaint::shown;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How long the store may take for everything that is asked here.
const PATIENCE: Duration = Duration::from_secs(5);

/// One connection, one read, and what the server should be told of.
pub(super) fn check(config: &Config, report: &mut Report) {
    let key = format!("session/{}", config.node.as_str());
    let found = config::open(&config.store).and_then(|store| wait(ask(store.as_ref(), key)));
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

/// `rcrond --init-store`: creates what must be there; exit status 1 if that failed, 2 if the configuration is refused.
pub(crate) fn init_store(path: &Path) -> ExitCode {
    let Loaded { config, .. } = match config::load(path) {
        Ok(loaded) => loaded,
        Err(complaint) => return failed(&complaint.full, 2),
    };
    let done = config::open(&config.store).and_then(|store| wait(async move { store.init().await }));
    match done {
        Ok(()) => {
            let text = format!("{}: the store is ready\n", shown(path.as_os_str()));
            ExitCode::from(u8::from(platform::output::to_stdout(text.as_bytes()).is_err()))
        }
        Err(failure) => failed(&failure.to_string(), 1),
    }
}

fn failed(text: &str, status: u8) -> ExitCode {
    platform::output::to_stderr(format!("rcrond: {text}\n").as_bytes());
    ExitCode::from(status)
}

/// Waits for an answer of the store, but not for ever.
fn wait<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("", error))?;
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, answer).await });
    // Not waiting for a name that is still being looked up.
    runtime.shutdown_background();
    answer.unwrap_or_else(|_| {
        let what = format!("no answer within {} s", PATIENCE.as_secs());
        Err(Failure::new("", what).with_help(UNREACHED))
    })
}
