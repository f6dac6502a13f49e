//! Why a call has no result.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why a call has no result.
///
/// Every variant means "don't know": the server may have done what was asked, or may do it later. The store's "no" is not an
/// error, it is [`Verdict::Refused`](crate::Verdict::Refused).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It happened with this server, named as in the configuration.
    At {
        /// The server.
        server: String,
        /// What happened there.
        error: Box<Error>,
    },
    /// None of the configured servers can be used; the error of each.
    NoServer(Vec<Error>),
    /// A setting cannot be used. No server was asked.
    Settings {
        /// Names the setting, or quotes it.
        setting: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        help: Option<&'static str>,
    },
    /// No connection could be made.
    Unreachable {
        /// The system's words.
        cause: String,
        /// The server's host answered, but no program listens on the port.
        refused: bool,
    },
    /// The TLS handshake failed.
    Tls {
        /// The words of the TLS library.
        cause: String,
        /// What to do about it, where that is known.
        help: Option<&'static str>,
    },
    /// The connection broke.
    Lost {
        /// The words of whatever broke it.
        cause: String,
        /// What to do about it, where that is known.
        help: Option<&'static str>,
    },
    /// The server sent more than any server of this kind sends to rcrond.
    TooLong {
        /// What was too long, with its article.
        what: &'static str,
        /// In bytes.
        limit: usize,
    },
    /// The server stopped answering on a connection that waits for its reports.
    Silent,
    /// The caller's time limit ended first.
    Late(Duration),
    /// A call over this connection was dropped before its answer came. An answer that comes now cannot be told from that of
    /// another call.
    Abandoned,
    /// The server answered, but not with a result: with an error, or as one that cannot keep the records.
    Server(Arc<dyn ServerError>),
    /// This machine could not do its own part.
    Local {
        /// What it was to do, as "cannot …" is continued.
        act: &'static str,
        /// The system's words.
        cause: String,
    },
}

/// What a server's answer says about it. Each kind of store has an error type of its own.
pub trait ServerError: fmt::Debug + Send + Sync {
    /// What the answer says, and what to do about it where that is known.
    fn explain(&self) -> Explanation;

    /// Whether the server is a copy of another, which takes its place if it fails. rcrond does not use it until then.
    fn is_standby(&self) -> bool {
        false
    }
}

/// What failed, and an imperative that says what to do about it, where that is known.
pub type Explanation = (String, Option<&'static str>);

/// In characters.
const LONGEST_TEXT: usize = 500;

impl PartialEq for dyn ServerError {
    fn eq(&self, other: &Self) -> bool {
        self.explain() == other.explain()
    }
}

impl Eq for dyn ServerError {}

impl<E: ServerError + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Server(Arc::new(error))
    }
}

impl Error {
    /// Says with which server it happened.
    pub(crate) fn at(self, server: &str) -> Self {
        self.named(server)
    }

    /// Says with which server it happened, unless it says so already.
    #[must_use]
    pub fn named(self, server: &str) -> Self {
        if matches!(self, Self::At { .. }) {
            return self;
        }
        Self::At {
            server: server.to_owned(),
            error: Box::new(self),
        }
    }

    /// `NoServer`, unless there is only one.
    pub(crate) fn of_all(mut errors: Vec<Self>) -> Self {
        if errors.len() == 1 {
            return errors.remove(0);
        }
        Self::NoServer(errors)
    }

    pub(crate) fn lost(cause: impl Into<String>) -> Self {
        Self::Lost {
            cause: cause.into(),
            help: None,
        }
    }

    pub(crate) fn unreachable(error: &io::Error) -> Self {
        Self::Unreachable {
            cause: error.to_string(),
            refused: error.kind() == io::ErrorKind::ConnectionRefused,
        }
    }

    /// Errors that differ only in their servers become one that names them all.
    #[must_use]
    pub fn grouped(errors: Vec<Self>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for error in errors {
            let same = groups.iter_mut().find_map(|known| match (known, &error) {
                (Self::At { server, error: known }, Self::At { error, .. }) if known == error => Some(server),
                _ => None,
            });
            match (same, error) {
                (Some(servers), Self::At { server, .. }) => *servers = format!("{servers}, {server}"),
                (_, error) => groups.push(error),
            }
        }
        groups
    }

    /// Whether the server answered that it is a standby.
    #[must_use]
    pub fn is_standby(&self) -> bool {
        match self {
            Self::At { error, .. } => error.is_standby(),
            Self::Server(error) => error.is_standby(),
            _ => false,
        }
    }

    /// What failed, without [`help`](Self::help).
    pub fn what(&self) -> String {
        self.explain().0
    }

    /// What to do about it, where that is known.
    pub fn help(&self) -> Option<&'static str> {
        self.explain().1
    }

    fn explain(&self) -> Explanation {
        match self {
            Self::At { server, error } => {
                let (what, help) = error.explain();
                (format!("{server}: {}", one_short_line(&what)), help)
            }
            Self::NoServer(errors) if errors.is_empty() => ("no server is configured".to_owned(), None),
            Self::NoServer(errors) => {
                let each: Vec<_> = Self::grouped(errors.clone()).iter().map(ToString::to_string).collect();
                (format!("no server can be used: {}", each.join(" | ")), None)
            }
            Self::Settings { setting, problem, help } => (format!("{setting}: {problem}"), *help),
            Self::Unreachable { cause, refused } => {
                let help = "check that the server runs there, and that the port is the one for clients";
                (format!("cannot connect: {cause}"), refused.then_some(help))
            }
            Self::Tls { cause, help } => (format!("the TLS handshake failed: {cause}"), *help),
            Self::Lost { cause, help } => (format!("the connection broke: {cause}"), *help),
            Self::TooLong { what, limit } => {
                let help = "check that this is the address of the store, and that no other program answers there";
                (format!("the server sent {what} of more than {limit} bytes"), Some(help))
            }
            Self::Silent => ("the server no longer answers".to_owned(), None),
            Self::Late(limit) if limit.subsec_millis() == 0 => {
                (format!("no answer within {} s", limit.as_secs()), None)
            }
            Self::Late(limit) => (format!("no answer within {} ms", limit.as_millis()), None),
            Self::Abandoned => ("a call over this connection was abandoned".to_owned(), None),
            Self::Server(error) => error.explain(),
            Self::Local { act, cause } => (format!("cannot {act}: {cause}"), None),
        }
    }
}

/// A server may send any text, also as an error: control characters become spaces, and the end of a long text is left out.
pub(crate) fn one_short_line(text: &str) -> String {
    let line = text.chars().take(LONGEST_TEXT);
    line.map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, help) = self.explain();
        out.write_str(&what)?;
        help.map_or(Ok(()), |help| write!(out, "; {help}"))
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(server: &str, help: Option<&'static str>) -> Error {
        let cause = "reset".to_owned();
        Error::Lost { cause, help }.at(server)
    }

    #[test]
    fn a_text_of_the_server_is_one_short_line() {
        let cause = "a\nb\u{1b}[2J".to_owned() + &"x".repeat(1_000_000);
        let error = Error::Lost {
            cause,
            help: Some("help"),
        }
        .at("a:1")
        .to_string();
        assert!(
            error.starts_with("a:1: the connection broke: a b [2Jxxx") && error.ends_with("xxx; help"),
            "{error}"
        );
        assert!(error.len() < 600);
    }

    #[test]
    fn the_error_of_each_server_is_shown() {
        let both = Error::of_all(vec![lost("a:1", None), lost("b:1", Some("help"))]);
        assert_eq!(
            both.to_string(),
            "no server can be used: a:1: the connection broke: reset | b:1: the connection broke: reset; help"
        );
        let all = Error::of_all(vec![lost("a:1", None), lost("b:1", Some("help")), lost("c:1", None)]);
        assert_eq!(
            all.to_string(),
            "no server can be used: a:1, c:1: the connection broke: reset | b:1: the connection broke: reset; help",
            "the same sentence is there once"
        );
        assert_eq!(Error::of_all(vec![lost("a:1", None)]), lost("a:1", None));
        assert_eq!(Error::of_all(Vec::new()).to_string(), "no server is configured");
    }
}
