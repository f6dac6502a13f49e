//! The log: to journald with fields, where stderr is its own (systemd.exec(5), `JOURNAL_STREAM`), else lines on stderr.
//!
//! A thread of its own writes, for neither a journald that stands still nor a pipe that nobody reads may hold up a
//! lease. What does not fit into its queue is counted, and told when there is room.
//!
//! Only rcron's own messages pass: what libraries think of a connection is for who looks for a fault, with
//! `RCROND_LOG=debug`.

mod event;
mod queue;
mod repeats;
mod sink;

use event::Event;
use lease::{NodeName, Notice};
use log::{Level, LevelFilter, Metadata, Record};
use queue::{Line, Queue};
use repeats::Repeats;
use sink::Sink;
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The variable of the environment that says how much is told: a level's name.
const VARIABLE: &str = "RCROND_LOG";

static NODE: OnceLock<String> = OnceLock::new();
static REPEATS: Mutex<Option<Repeats>> = Mutex::new(None);

/// Begins to log. Once, before anything is told.
///
/// # Errors
/// No thread can be started, or there is a logger already.
pub(crate) fn init() -> io::Result<()> {
    let wish = std::env::var(VARIABLE).ok();
    let level: Option<LevelFilter> = wish.as_deref().and_then(|wish| wish.parse().ok());
    let filter = Filter::new(level);
    let mut sink = Sink::of_stderr();
    let logger = Logger {
        filter,
        queue: Queue::start(move |line| sink.write(line))?,
    };
    log::set_boxed_logger(Box::new(logger)).map_err(io::Error::other)?;
    log::set_max_level(filter.own.max(filter.others));
    if let (Some(wish), None) = (wish, level) {
        log::warn!("{VARIABLE} is {wish:?}: not one of off, error, warn, info, debug, trace");
    }
    Ok(())
}

/// Each line bears the node's name from now on. The first name stays.
pub(crate) fn set_node(node: &NodeName) {
    let _ = NODE.set(node.as_str().to_owned());
}

/// Waits until what was told is written, for a second at most. To be called before the process ends.
pub(crate) fn flush() {
    log::logger().flush();
}

/// Tells of an event of the lease's, with what is known of its cause. The same fault again and again is told every five
/// minutes.
pub(crate) fn tell(tell: &Notice, detail: Option<&str>) {
    let event = Event::new(tell, detail);
    let mut repeats = REPEATS.lock().unwrap_or_else(PoisonError::into_inner);
    let now = inputs::clock::boot_time();
    let Some(untold) = repeats.get_or_insert_default().admit(&event, now) else {
        return;
    };
    drop(repeats);
    let again = if untold == 0 {
        String::new()
    } else {
        format!(" ({untold} times more since this was last told)")
    };
    log::logger().log(
        &Record::builder()
            .args(format_args!("{}{again}", event.text))
            .level(event.level)
            .target(module_path!())
            .key_values(&event.fields)
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
            self.queue.put(Line::new(record, NODE.get()));
        }
    }

    fn flush(&self) {
        self.queue.flush();
    }
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Filter {
    /// Of rcron's own.
    own: LevelFilter,
    /// Of the libraries'.
    others: LevelFilter,
}

impl Filter {
    fn new(level: Option<LevelFilter>) -> Self {
        let own = level.unwrap_or(LevelFilter::Info);
        let others = if own >= Level::Debug { own } else { LevelFilter::Off };
        Self { own, others }
    }

    fn passes(self, metadata: &Metadata) -> bool {
        let of = metadata.target().split("::").next().unwrap_or_default();
        let own = of == "rcrond" || of.starts_with("rcron_");
        metadata.level() <= if own { self.own } else { self.others }
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
    fn only_our_own_messages_pass() {
        assert!(passes(None, "rcrond::outside::log", Level::Info));
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
    #[ignore = "run by the others, as a process of its own"]
    fn a_process_that_logs() {
        init().expect("the first logger");
        set_node(&NodeName::new("server1").expect("a name"));
        tell(
            &Notice::StoreSilent,
            Some("10.0.0.1:2379: no answer within 2 s\nnot a second\tline"),
        );
        tell(&Notice::StoreBack, None);
        log::error!(target: "h2::client", "not ours");
        log::debug!("for who looks for a fault");
        flush();
    }

    fn logged(variables: &[(&str, &str)]) -> String {
        let mut command = Command::new(env::current_exe().expect("a test's own path"));
        command.args([
            "--exact",
            "outside::log::tests::a_process_that_logs",
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
    fn stderr_gets_a_line_for_each_event() {
        // A stream that stderr is not connected to.
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
    fn who_looks_for_a_fault_sees_more() {
        let lines = logged(&[(VARIABLE, "debug")]);
        let texts = texts(&lines);
        assert!(texts.contains(&"rcrond: error: h2::client: not ours"), "{lines}");
        assert!(texts.contains(&"rcrond: debug: for who looks for a fault"), "{lines}");
    }

    #[test]
    fn a_level_that_is_none_is_told() {
        let lines = logged(&[(VARIABLE, "loud")]);
        let expected = "rcrond: warning: RCROND_LOG is \"loud\": not one of off, error, warn, info, debug, trace";
        assert_eq!(texts(&lines)[0], expected);
    }
}
