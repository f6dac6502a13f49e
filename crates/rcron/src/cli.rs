//! What is printed about the command line. `inputs::command_line` reads it.

use inputs::version;

pub(crate) const USAGE: &str = "\
usage: rcron [OPTIONS] COMMAND [ARG]...
       rcron [OPTIONS] 'SHELL COMMAND LINE'
";

/// Follows [`USAGE`].
pub(crate) const HELP: &str = "
Run COMMAND if this server is the active one of its cluster; otherwise exit
with status 0.

  -c, --conf FILE         configuration file (default /etc/rcron/rcron.conf)
  -o, --option KEY=VALUE  set a configuration key for this run; may be repeated
  -j, --job NAME          the job's name in log, journal and environment
      --tick TIME         the scheduled time, with once_per_tick
  -n, --dry-run           print what would be done and why; run nothing
  -v, --verbose           print log lines to stderr as well
  -h, --help              print this help
  -V, --version           print the version

In a crontab:
  0 3 * * *    rcron /usr/local/bin/backup --all
  */5 * * * *  rcron 'cd /srv/app && ./sync | logger'   # quote the whole line
  @hourly      rcron --conf /etc/rcron/billing.conf --job invoices bill

Exit status: the job's own; 0 if passive; 125 if rcron failed, 126 if the job
cannot be executed, 127 if it was not found. See rcron(8) and rcron.conf(5).
";

pub(crate) fn version() -> String {
    let text = version::text(env!("CARGO_PKG_VERSION"), option_env!("RCRON_COMMIT"), &[]);
    format!("rcron {text}\n")
}
