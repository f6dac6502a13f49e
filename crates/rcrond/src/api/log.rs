//! The log. If stderr is connected to journald (systemd.exec(5), `JOURNAL_STREAM`), messages go to journald with fields;
//! otherwise they are lines on stderr.
//!
//! A thread of its own writes them, because neither a journald that hangs nor a pipe that is not read may delay a lease.
//! Messages that do not fit into its queue are counted, and the number is logged when there is room again.
//!
//! Messages of libraries are dropped, except with `RCROND_LOG=debug`: they are useful only for finding faults.

mod claims_message;
mod message;
mod queue;
mod repeats;
mod sink;

use lease::{NodeName, Notice};
use log::{Level, LevelFilter, Metadata, Record};
use message::Message;
use queue::{Line, Queue};
use repeats::Repeats;
use sink::Sink;
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The environment variable with the lowest level that is logged.
const VARIABLE: &str = "RCROND_LOG";

static NODE: OnceLock<String> = OnceLock::new();
static REPEATS: Mutex<Option<Repeats>> = Mutex::new(None);

/// Starts the log. Must be called once, before the first message.
///
/// # Errors
/// The thread cannot be started, or there is a logger already.
pub(crate) fn start_log() -> io::Result<()> {
    let value = std::env::var(VARIABLE).ok();
    let level: Option<LevelFilter> = value.as_deref().and_then(|value| value.parse().ok());
    let filter = Filter::new(level);
    let mut sink = Sink::for_stderr();
    let logger = Logger {
        filter,
        queue: Queue::start(move |line| sink.write(line))?,
    };
    log::set_boxed_logger(Box::new(logger)).map_err(io::Error::other)?;
    log::set_max_level(filter.own.max(filter.others));
    if let (Some(value), None) = (value, level) {
        log::warn!("{VARIABLE} is {value:?}: not one of off, error, warn, info, debug, trace");
    }
    Ok(())
}

/// Adds the node's name to each further message. Only the first call has an effect.
pub(crate) fn set_node(node: &NodeName) {
    let _ = NODE.set(node.as_str().to_owned());
}

/// Waits at most a second until all messages are written. Must be called before the process exits.
pub(crate) fn flush() {
    log::logger().flush();
}

/// Logs a notice of the lease machine, with its cause if that is known; see [`Message::new`]. A fault that lasts is logged every five minutes.
pub(crate) fn log_notice(notice: &Notice, detail: Option<&str>, full_key: &dyn Fn(&str) -> String) {
    log_message(&Message::new(notice, detail, full_key));
}

/// A notice in the words of the log.
pub(crate) fn notice_text(notice: &Notice, full_key: &dyn Fn(&str) -> String) -> String {
    Message::new(notice, None, full_key).text
}

/// Logs a notice of the claims machine.
pub(crate) fn log_claims_notice(notice: &claims::Notice, full_key: &dyn Fn(&str) -> String) {
    log_message(&Message::about_ticks(notice, full_key));
}

/// Logs another cause of an outage that was logged before.
pub(crate) fn log_store_still_silent(cause: &str) {
    log_message(&Message::store_still_silent(cause));
}

fn log_message(message: &Message) {
    let mut repeats = REPEATS.lock().unwrap_or_else(PoisonError::into_inner);
    let now = inputs::clock::boot_time();
    let Some(suppressed) = repeats.get_or_insert_default().admit(message, now) else {
        return;
    };
    drop(repeats);
    let suffix = if suppressed == 0 {
        String::new()
    } else {
        format!(" (suppressed {suppressed} times since the last such message)")
    };
    log::logger().log(
        &Record::builder()
            .args(format_args!("{}{suffix}", message.text))
            .level(message.level)
            .target(module_path!())
            .key_values(&message.fields)
            .build(),
    );
}

struct Logger {
    filter: Filter,
    queue: Queue,
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.filter.passes(metadata)
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            self.queue.push(Line::new(record, NODE.get()));
        }
    }

    fn flush(&self) {
        self.queue.flush();
    }
}

/// Which messages are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Filter {
    /// Of rcron's crates.
    own: LevelFilter,
    /// Of the libraries.
    others: LevelFilter,
}

impl Filter {
    fn new(level: Option<LevelFilter>) -> Self {
        let own = level.unwrap_or(LevelFilter::Info);
        let others = if own >= Level::Debug { own } else { LevelFilter::Off };
        Self { own, others }
    }

    fn passes(self, metadata: &Metadata) -> bool {
        let source = metadata.target().split("::").next().unwrap_or_default();
        let is_own = source == "rcrond" || source.starts_with("rcron_");
        metadata.level() <= if is_own { self.own } else { self.others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;
    use std::process::{Command, Stdio};
    use testing::run;

    fn passes(level: Option<LevelFilter>, target: &str, of: Level) -> bool {
        Filter::new(level).passes(&Metadata::builder().target(target).level(of).build())
    }

    #[test]
    fn only_messages_of_rcron_pass() {
        assert!(passes(None, "rcrond::api::log", Level::Info));
        assert!(passes(None, "rcron_store::etcd", Level::Warn));
        assert!(!passes(None, "rcrond", Level::Debug));
        assert!(!passes(None, "tokio_postgres::connection", Level::Error));
        assert!(!passes(None, "rcronder", Level::Error));
        assert!(!passes(Some(LevelFilter::Warn), "rcrond", Level::Info));
        assert!(!passes(Some(LevelFilter::Off), "rcrond", Level::Error));
        assert!(passes(Some(LevelFilter::Debug), "rustls::conn", Level::Debug));
        assert!(!passes(Some(LevelFilter::Debug), "h2", Level::Trace));
    }

    #[test]
    #[ignore = "run by other tests, as a process of its own"]
    fn a_process_that_logs() {
        start_log().expect("the first logger");
        set_node(&NodeName::new("server1").expect("a name"));
        log_notice(
            &Notice::StoreSilent,
            Some("10.0.0.1:2379: no answer within 2 s\nnot a second\tline"),
            &str::to_owned,
        );
        log_notice(&Notice::StoreBack, None, &str::to_owned);
        log::error!(target: "h2::client", "not ours");
        log::debug!("for finding faults");
        flush();
    }

    fn logged(variables: &[(&str, &str)]) -> String {
        let mut command = Command::new(env::current_exe().expect("a test's own path"));
        command.args([
            "--exact",
            "api::log::tests::a_process_that_logs",
            "--ignored",
            "--nocapture",
        ]);
        command
            .env_remove("JOURNAL_STREAM")
            .env_remove(VARIABLE)
            .envs(variables.iter().copied());
        let done = run(command.stdin(Stdio::null()));
        assert!(done.stdout().contains("1 passed"), "{}{}", done.stdout(), done.stderr());
        done.stderr()
    }

    /// The lines without their times.
    fn texts(lines: &str) -> Vec<&str> {
        let text = |line: &'_ str| line.find(" rcrond: ").map(|end| end + 1).unwrap_or_default();
        lines.lines().map(|line| &line[text(line)..]).collect()
    }

    #[test]
    fn stderr_gets_a_line_for_each_message() {
        // stderr is not connected to the stream of this number.
        let lines = logged(&[("TZ", "Asia/Kolkata"), ("JOURNAL_STREAM", "1:1")]);
        let expected = [
            "rcrond: warning: the store does not answer: 10.0.0.1:2379: no answer within 2 s",
            "    not a second\\x09line; no cluster stays active here for longer than its lease",
            "rcrond: the store answers again",
        ];
        assert_eq!(texts(&lines), expected);
        let time = lines.split(' ').next().unwrap_or_default();
        assert!(time.ends_with("+05:30"), "{time}");
        time.parse::<jiff::Timestamp>().expect("RFC 3339");
    }

    #[test]
    fn debug_shows_the_messages_of_libraries() {
        let lines = logged(&[(VARIABLE, "debug")]);
        let texts = texts(&lines);
        assert!(texts.contains(&"rcrond: error: h2::client: not ours"), "{lines}");
        assert!(texts.contains(&"rcrond: debug: for finding faults"), "{lines}");
    }

    #[test]
    fn an_unknown_level_is_logged() {
        let lines = logged(&[(VARIABLE, "loud")]);
        let expected = "rcrond: warning: RCROND_LOG is \"loud\": not one of off, error, warn, info, debug, trace";
        assert_eq!(texts(&lines)[0], expected);
    }
}
