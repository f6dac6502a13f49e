//! The command line: rcron-keepalived(8).

use crate::failure::Failure;
use crate::targets::Target;
use clap::Parser;
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// A shorter lease expires between two renewals on a busy server; a longer one leaves a dead server active for too long.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);
const LONGEST_LEASE: Duration = Duration::from_secs(300);

/// Write rcron's state files from keepalived's events
#[derive(Debug, Parser)]
#[command(name = "rcron-keepalived", version = version(), max_term_width = 80)]
pub(crate) struct Cli {
    /// The FIFO that vrrp_notify_fifo or notify_fifo in keepalived.conf names
    pub(crate) fifo: PathBuf,
    /// Use this configuration file instead of /etc/rcron/*.conf. May be given more than once
    #[arg(short, long = "conf", value_name = "FILE")]
    pub(crate) conf: Vec<PathBuf>,
    /// Write the state of the instance NAME to STATE_FILE, an absolute path. This overrides the
    /// configurations. May be given more than once
    #[arg(
        long = "instance",
        value_name = "NAME=STATE_FILE",
        value_parser = OsStringValueParser::new().try_map(|text| instance(&text))
    )]
    pub(crate) instances: Vec<Target>,
    /// How long a state is valid if it is not renewed, from 3s to 5m. The default is 10s
    #[arg(long, value_name = "DURATION", default_value = "10s", hide_default_value = true, value_parser = lease)]
    pub(crate) lease: Duration,
}

fn instance(text: &OsStr) -> Result<Target, &'static str> {
    let bytes = text.as_bytes();
    let equals = bytes.iter().position(|byte| *byte == b'=').unwrap_or_default();
    match (&bytes[..equals], bytes.get(equals + 1..)) {
        ([_, ..], Some(file @ [b'/', ..])) => Ok(Target {
            instance: bytes[..equals].to_vec(),
            file: OsStr::from_bytes(file).into(),
        }),
        _ => Err("write NAME=STATE_FILE, with the absolute path of the file"),
    }
}

fn lease(text: &str) -> Result<Duration, &'static str> {
    let parsed = policy::duration::parse(text.as_bytes()).ok();
    let lease = parsed.filter(|lease| (SHORTEST_LEASE..=LONGEST_LEASE).contains(lease));
    lease.ok_or("write a duration from 3s to 5m")
}

/// Prints what clap has instead of a command line: the help or the version. A usage error ends the process.
pub(crate) fn print_instead(error: &clap::Error) -> Result<(), Failure> {
    if error.use_stderr() {
        error.exit();
    }
    match error.print() {
        Err(failure) if failure.kind() != ErrorKind::BrokenPipe => Err(Failure::system("write to stdout", &failure)),
        _ => Ok(()),
    }
}

/// clap keeps it until the program ends.
fn version() -> &'static str {
    inputs::version::text(env!("CARGO_PKG_VERSION"), option_env!("RCRON_COMMIT"), &[]).leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(option: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["rcron-keepalived", "/fifo", option])
    }

    #[test]
    fn lease_is_three_seconds_to_five_minutes() {
        let lease = |text: &str| parse(&format!("--lease={text}"));
        for good in ["3s", "10s", "3000ms", "5m", "300s"] {
            assert!(lease(good).is_ok(), "{good}");
        }
        for bad in ["2s", "2999ms", "301s", "6m", "10", "", "ten", "-5s"] {
            assert!(lease(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn instance_has_a_name_and_an_absolute_path() {
        let cli = parse("--instance=D=/run/d=d").expect("a command line");
        let expected = Target {
            instance: b"D".to_vec(),
            file: "/run/d=d".into(),
        };
        assert_eq!(cli.instances, [expected]);
        for bad in ["A", "=/run/a", "A=", "A=run/a", "", "/=run"] {
            assert!(parse(&format!("--instance={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn help_fits_in_eighty_columns() {
        use clap::CommandFactory;
        let help = Cli::command().render_long_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
