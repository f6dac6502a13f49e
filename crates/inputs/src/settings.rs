//! The configuration of a run: the built-in defaults, overridden by the file, overridden by `--option`.

use crate::command_line::Options;
use crate::diagnostic::{Diagnostic, shown};
use policy::config::{Config, LARGEST_FILE};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use sys::file::{self, Contents, Unreadable};

/// The configuration file without `--conf`.
pub const DEFAULT_FILE: &str = "/etc/rcron/rcron.conf";

/// Stands in messages about an option where a file's name would be.
const OPTION: &[u8] = b"--option";

/// A valid configuration, and where it comes from.
pub struct Settings {
    /// Every key's value.
    pub config: Config,
    /// The file, for messages.
    pub file: OsString,
    /// Whether the file exists. Only the default one may be missing.
    pub found: bool,
    /// What should be corrected but does not prevent the job.
    pub warnings: Vec<Diagnostic>,
}

/// Why a configuration is rejected, so that no job may run, and where to log that.
pub struct Refused {
    /// What is wrong.
    pub diagnostic: Diagnostic,
    /// The built-in defaults with the valid options: enough to log the rejection.
    pub known: Box<Config>,
}

/// Reads the configuration: the file `conf`, or the default one, and then each `KEY=VALUE` of `options`.
///
/// # Errors
/// [`Refused`].
pub fn read(conf: Option<&OsStr>, options: &[OsString]) -> Result<Settings, Refused> {
    assemble(conf, options).map_err(|diagnostic| Refused {
        diagnostic,
        known: Box::new(known(options)),
    })
}

/// Checks the rules of `once_per_tick` that several keys and the options of the command line must keep together.
///
/// # Errors
/// The message of the wrapper, which does not run the job.
pub fn check_together(config: &Config, options: &Options) -> Result<(), Diagnostic> {
    let checked = config.check_once_per_tick(options.job_name.as_deref(), options.tick);
    checked.map_err(|conflict| {
        let (summary, help) = conflict.explain();
        Diagnostic {
            full: format!("{summary}\n  {help}; see rcron.conf(5)"),
            summary,
        }
    })
}

/// The configuration in a file that the caller has opened in its own way. `contents` is what it found under this name.
///
/// # Errors
/// The message of the wrapper that rejects the file.
pub fn interpret(file: &OsStr, contents: Result<Contents, Unreadable>) -> Result<Settings, Diagnostic> {
    let mut settings = Settings::defaults(file);
    let contents = contents.map_err(|error| settings.unreadable(&error.to_string()))?;
    settings.warnings = settings.interpret(&contents.bytes)?;
    Ok(settings)
}

/// The built-in defaults with the valid ones of `options`: enough to log that nothing runs.
pub fn known(options: &[OsString]) -> Config {
    let mut config = Config::default();
    for option in options {
        let _ = config.set(option.as_bytes());
    }
    config
}

fn assemble(conf: Option<&OsStr>, options: &[OsString]) -> Result<Settings, Diagnostic> {
    let mut settings = Settings::defaults(conf.unwrap_or(OsStr::new(DEFAULT_FILE)));
    settings.warnings = settings.read_file(conf.is_some())?;
    settings.warnings.extend(apply(&mut settings.config, options)?);
    Ok(settings)
}

impl Settings {
    /// The built-in defaults, for a file that is to be read.
    fn defaults(file: &OsStr) -> Self {
        Self {
            config: Config::default(),
            file: file.to_owned(),
            found: true,
            warnings: Vec::new(),
        }
    }

    fn read_file(&mut self, must_exist: bool) -> Result<Vec<Diagnostic>, Diagnostic> {
        let bytes = match file::read_beginning(&self.file, LARGEST_FILE + 1) {
            Ok(contents) => contents.bytes,
            Err(Unreadable::Missing) if Path::new(&self.file).is_symlink() => {
                return Err(self.unreadable("it is a link to a file that does not exist"));
            }
            Err(Unreadable::Missing) if !must_exist => {
                self.found = false;
                return Ok(Vec::new());
            }
            Err(error) => return Err(self.unreadable(&error.to_string())),
        };
        self.interpret(&bytes)
    }

    fn interpret(&mut self, bytes: &[u8]) -> Result<Vec<Diagnostic>, Diagnostic> {
        if bytes.len() > LARGEST_FILE {
            return Err(self.unreadable("it is larger than 1 MiB"));
        }
        let name = self.file.as_bytes();
        match self.config.read(bytes) {
            Ok(warnings) => Ok(warnings.iter().map(|problem| Diagnostic::of(problem, name)).collect()),
            Err(problems) => Err(Diagnostic::of_all(&problems, name)),
        }
    }

    fn unreadable(&self, reason: &str) -> Diagnostic {
        Diagnostic::plain(format!(
            "cannot read the configuration from {}: {reason}",
            shown(&self.file)
        ))
    }
}

fn apply(config: &mut Config, options: &[OsString]) -> Result<Vec<Diagnostic>, Diagnostic> {
    let mut warnings = Vec::new();
    for option in options {
        match config.set(option.as_bytes()) {
            Ok(warning) => warnings.extend(warning.map(|problem| Diagnostic::of(&problem, OPTION))),
            Err(problem) => return Err(Diagnostic::of(&problem, OPTION)),
        }
    }
    Ok(warnings)
}
