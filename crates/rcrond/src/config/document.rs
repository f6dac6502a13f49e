//! The file as a whole: who may read and write it, its syntax, its tables.

use super::diagnostics::{Diagnostics, ValueError};
use super::file::{self, Access, Contents, named};
use super::keys;
use super::table::{Table, good};
use super::{Config, Loaded, Surroundings, cluster, durations, node, stores, value};
use inputs::diagnostic::Diagnostic;
use lease::NodeName;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeTable;

const RUN_DIR: &str = "/run/rcrond";
const STATE_DIR: &str = "/var/lib/rcrond";
/// A byte order mark, which some editors write.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the file at this path.
pub(super) fn read_file(path: &Path, surroundings: &Surroundings) -> Result<Loaded, Diagnostic> {
    let shown = named(path);
    let Contents { bytes, access } = file::read(path)
        .map_err(|error| Diagnostic::plain(format!("cannot read the configuration from {shown}: {error}")))?;
    if let Some(who) = access.writers() {
        let text = format!("{shown} is rejected: {who}");
        return Err(with_help(text, &format!("chown root {shown}; chmod 600 {shown}")));
    }
    let text = bytes.strip_prefix(MARK).unwrap_or(&bytes);
    let found = read(text, path.as_os_str().as_bytes(), surroundings)?;
    refuse_readable_password(found, access, &shown)
}

/// The socket of the daemon that uses this file, also if the daemon would reject the file as it is now: it has to say why.
pub(crate) fn find_socket(path: &Path) -> PathBuf {
    let bytes = file::read(path).map(|contents| contents.bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let (document, _) = DeTable::parse_recoverable(text.trim_start_matches('\u{feff}'));
    let document = document.get_ref();
    let control = document.get("control").and_then(|control| control.get_ref().as_table());
    let text = |table: Option<&DeTable>, key| {
        let value = table.and_then(|table| table.get(key))?;
        value.get_ref().as_str().map(PathBuf::from)
    };
    let in_run_dir = || {
        text(Some(document), "run_dir")
            .unwrap_or_else(|| RUN_DIR.into())
            .join("socket")
    };
    text(control, "socket").unwrap_or_else(in_run_dir)
}

/// A password that other users may read does not protect anything.
fn refuse_readable_password(found: Found, access: Access, shown: &str) -> Result<Loaded, Diagnostic> {
    match access.readers() {
        Some(who) if found.has_literal_password => {
            let text = format!("{shown} is rejected: it contains a password, and {who}");
            Err(with_help(
                text,
                &format!("chmod 600 {shown}, and change the password; or use `password_file`"),
            ))
        }
        _ => Ok(found.loaded),
    }
}

fn with_help(text: String, help: &str) -> Diagnostic {
    Diagnostic {
        full: format!("{text}\n  {help}"),
        summary: text,
    }
}

/// The result of reading a text.
pub(super) struct Found {
    pub(super) loaded: Loaded,
    has_literal_password: bool,
}

/// Reads a text. `origin` is its path, for messages.
pub(super) fn read(text: &[u8], origin: &[u8], surroundings: &Surroundings) -> Result<Found, Diagnostic> {
    let mut diagnostics = Diagnostics::default();
    let document = match std::str::from_utf8(text) {
        Ok(text) => parse(&mut diagnostics, text),
        Err(error) => {
            let at = error.valid_up_to();
            diagnostics.refuse(
                at..at + 1,
                ValueError::new("this is not UTF-8", "save the file as UTF-8"),
            );
            None
        }
    };
    let found = document.and_then(|document| {
        let top = Table::open(&mut diagnostics, &keys::TOP, 0..0, document.get_ref());
        assemble(&mut diagnostics, &top, surroundings)
    });
    let warnings = diagnostics.finish(text, origin)?;
    let mut found = found.ok_or_else(|| Diagnostic::plain("the configuration cannot be used".into()))?;
    found.loaded.warnings = warnings;
    Ok(found)
}

/// Reports only the first syntax error, because others may follow from it.
fn parse<'t>(diagnostics: &mut Diagnostics, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
    DeTable::parse(text)
        .map_err(|error| {
            let message = error.message().lines().next().unwrap_or("this is not TOML").to_owned();
            let help = syntax_help(&message);
            diagnostics.refuse(error.span().unwrap_or_default(), ValueError::new(message, help));
        })
        .ok()
}

fn syntax_help(message: &str) -> &'static str {
    if message.contains("must be quoted") {
        "put it in quotes"
    } else if message.contains("duplicate") {
        "only [[cluster]] may be repeated"
    } else {
        "see rcrond.toml(5) for the syntax"
    }
}

fn assemble(diagnostics: &mut Diagnostics, top: &Table, surroundings: &Surroundings) -> Option<Found> {
    let node = node_name(diagnostics, top, surroundings);
    let store = stores::read(diagnostics, top, surroundings);
    let clusters = cluster::read_all(diagnostics, top, surroundings);
    let metrics = top.table(diagnostics, "metrics", &keys::METRICS);
    let job_metrics = metrics.as_ref().and_then(|metrics| metrics.flag(diagnostics, "jobs"));
    let metrics = metrics.and_then(|metrics| metrics.text(diagnostics, "listen", value::listen));
    let run_dir = directory(diagnostics, top, "run_dir", RUN_DIR);
    let state_dir = directory(diagnostics, top, "state_dir", STATE_DIR);
    let max_skew = durations::read_max_skew(diagnostics, top);
    let control = top.table(diagnostics, "control", &keys::CONTROL);
    let socket = control.and_then(|control| control.text(diagnostics, "socket", value::socket));
    let claims = top.table(diagnostics, "claims", &keys::CLAIMS);
    let claims_socket = claims.and_then(|claims| claims.text(diagnostics, "socket", value::socket));
    let store = store?;
    let (clusters, confs) = clusters?
        .into_iter()
        .map(|cluster| (cluster.settings, cluster.conf))
        .unzip();
    let config = Config {
        node: node?,
        store: store.store,
        clusters,
        max_skew,
        metrics: metrics.map(Spanned::into_inner),
        job_metrics: job_metrics.unwrap_or(true),
        socket: socket.map_or_else(|| run_dir.join("socket"), Spanned::into_inner),
        claims_socket: claims_socket.map_or_else(|| run_dir.join("claims"), Spanned::into_inner),
        run_dir,
        state_dir,
    };
    let loaded = Loaded {
        config,
        warnings: Vec::new(),
        confs,
    };
    Some(Found {
        loaded,
        has_literal_password: store.has_literal_password,
    })
}

fn node_name(diagnostics: &mut Diagnostics, top: &Table, surroundings: &Surroundings) -> Option<NodeName> {
    if top.has("node") {
        return top.text(diagnostics, "node", node::given).map(Spanned::into_inner);
    }
    good(diagnostics, 0..0, node::of_host(&surroundings.host)).map(Spanned::into_inner)
}

/// A rejected value is replaced by the default, too; that has no effect, because the whole file is rejected.
fn directory(diagnostics: &mut Diagnostics, top: &Table, key: &str, default: &str) -> PathBuf {
    let given = top.text(diagnostics, key, value::path);
    given.map_or_else(|| PathBuf::from(default), Spanned::into_inner)
}
