//! The journals of several servers, which `rcronctl export` writes and ssh(1) brings here: docs/design/hosts.md.

mod intake;
mod name;
mod open_files;
mod report;
mod ssh;
mod targets;

pub(crate) use name::HostName;
pub(crate) use report::{HostJson, HostReport};

use crate::cli;
use crate::export::percent;
use crate::failure::Failure;
use intake::Limits;
use journal::{LONGEST_LINE, MOST_RUNS, Query, Source, States};
use ssh::Fetched;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use targets::{Target, find_targets};

/// How many connections there are at the same time.
const MOST_AT_ONCE: usize = 16;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// In bytes: what one server, and all together, may have of the temporary directory. A million runs of usual length fit in the first.
const MOST_OF_HOST: u64 = 1 << 30;
const MOST_OF_ALL: u64 = 8 << 30;

/// The servers that were named, and what they sent.
pub(crate) struct Hosts {
    reports: Vec<HostReport>,
    /// The name of this server, if its own journal is to be read.
    own: Option<String>,
    /// The servers' records.
    records: Vec<(String, File)>,
}

impl Hosts {
    /// Asks all servers that the options name for the runs of the query.
    pub(crate) fn ask(options: &cli::Hosts, query: &Query) -> Result<Self, Failure> {
        let targets = find_targets(options)?;
        let command = export_command(query);
        let timeout = options.ssh_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let names: Vec<&HostName> = targets.iter().filter_map(Target::other).collect();
        let limits = limits(query, names.len());
        open_files::raise_limit(names.len());
        let mut fetched = for_each(&names, |host| ssh::fetch(host, &command, limits, timeout)).into_iter();
        let mut hosts = Self {
            reports: Vec::new(),
            own: None,
            records: Vec::new(),
        };
        for target in targets {
            hosts.add(target, &mut fetched);
        }
        Ok(hosts)
    }

    fn add(&mut self, target: Target, fetched: &mut impl Iterator<Item = Fetched>) {
        self.reports.push(match target {
            Target::This(name) => {
                self.own = Some(name.clone());
                HostReport::of_this(name)
            }
            Target::Refused(name, error) => HostReport::not_read(name, error.to_string()),
            Target::Gone(name) => HostReport::not_asked(name),
            Target::Other(host) => {
                let name = host.as_str().to_owned();
                match fetched.next() {
                    Some(mut fetched) => {
                        let records = fetched.records.take();
                        self.records.extend(records.map(|file| (name.clone(), file)));
                        HostReport::of_fetched(name, fetched)
                    }
                    None => HostReport::not_read(name, "no thread for it could be started".to_owned()),
                }
            }
        });
    }

    /// The name of this server, if its own journal is to be read.
    pub(crate) fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    /// This server's own journal cannot be read.
    pub(crate) fn own_is_not_read(&mut self, reason: &Failure) {
        let Some(name) = self.own.take() else { return };
        let reason = reason.to_string();
        for report in self.reports.iter_mut().filter(|report| report.name() == name) {
            *report = HostReport::not_read(name.clone(), reason.clone());
        }
    }

    /// What the other servers sent, for the reader of journals.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Source> {
        self.records.iter().map(|(host, file)| Source::Exported {
            host: host.clone(),
            file: format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
        })
    }

    pub(crate) fn are_several(&self) -> bool {
        self.reports.len() > 1
    }

    /// Whether nothing of any server could be read.
    pub(crate) fn have_nothing(&self) -> bool {
        self.reports.iter().all(HostReport::has_nothing)
    }

    /// Whether everything that was asked for could be read.
    pub(crate) fn are_complete(&self) -> bool {
        self.reports.iter().all(HostReport::has_everything) && self.unseen().is_empty()
    }

    /// Whether a server has left older runs out because of a limit.
    pub(crate) fn have_more(&self) -> bool {
        self.reports.iter().any(HostReport::has_more)
    }

    /// The servers on which only the runs of the user are known as whom ssh logs in.
    pub(crate) fn only_own(&self) -> Vec<&str> {
        let only_own = self.reports.iter().filter(|report| report.is_only_own());
        only_own.map(HostReport::name).collect()
    }

    /// What could not be read, in words.
    pub(crate) fn unseen(&self) -> Vec<String> {
        let gone = HostReport::gone(&self.reports);
        self.reports.iter().flat_map(HostReport::unseen).chain(gone).collect()
    }

    pub(crate) fn clock_warnings(&self) -> impl Iterator<Item = String> {
        self.reports.iter().filter_map(HostReport::clock_warning)
    }

    pub(crate) fn json(&self) -> Vec<HostJson<'_>> {
        self.reports.iter().map(HostReport::json).collect()
    }
}

/// What each of so many servers may send.
fn limits(query: &Query, servers: usize) -> Limits {
    let runs = query.limit.unwrap_or(MOST_RUNS).min(MOST_RUNS);
    // The header is a line, too.
    let lines = (runs as u64 + 1) * (LONGEST_LINE as u64 + 1);
    let share = MOST_OF_ALL / servers.max(1) as u64;
    Limits {
        bytes: lines.min(MOST_OF_HOST).min(share),
        runs,
    }
}

/// Calls `work` for each host, some at the same time. The results are in the order of the hosts.
fn for_each<T: Send>(hosts: &[&HostName], work: impl Fn(&HostName) -> T + Sync) -> Vec<T> {
    let waiting = Mutex::new(hosts.iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..hosts.len().min(MOST_AT_ONCE) {
            // With fewer threads it takes longer.
            let _ = thread::Builder::new().spawn_scoped(scope, || {
                let next = || waiting.lock().ok()?.next();
                while let Some((index, host)) = next() {
                    let result = work(host);
                    if let Ok(mut done) = done.lock() {
                        done.push((index, result));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The words of the command. No shell changes any of them.
fn export_command(query: &Query) -> Vec<String> {
    let mut words = ["rcronctl", "export", "--percent"].map(str::to_owned).to_vec();
    for (name, text) in [("job", &query.job), ("cluster", &query.cluster)] {
        words.extend(text.iter().map(|text| format!("--{name}={}", percent::encode(text))));
    }
    words.extend(query.since.map(|since| format!("--since={since}")));
    words.extend(query.limit.map(|limit| format!("--limit={limit}")));
    words.extend(query.failed.then(|| "--failed".to_owned()));
    words.extend((query.states != States::All).then(|| "--unfinished".to_owned()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_has_the_query_in_words_that_no_shell_changes() {
        let query = Query {
            since: Some("2026-11-24T03:00:00.5Z".parse().expect("a time")),
            job: Some("echo $(id)".to_owned()),
            cluster: Some("web".to_owned()),
            failed: true,
            states: States::Unfinished,
            limit: Some(50),
        };
        assert_eq!(
            export_command(&query).join(" "),
            "rcronctl export --percent --job=echo%20%24%28id%29 --cluster=web --since=2026-11-24T03:00:00.5Z --limit=50 --failed \
             --unfinished"
        );
    }

    #[test]
    fn servers_may_send_what_is_asked_for_and_not_more_than_there_is_room() {
        let of = |limit, servers| {
            let limits = limits(
                &Query {
                    limit,
                    ..Query::default()
                },
                servers,
            );
            (limits.runs, limits.bytes)
        };
        assert_eq!(of(Some(50), 3), (50, 51 * 65_537));
        assert_eq!(of(None, 3), (MOST_RUNS, MOST_OF_HOST));
        assert_eq!(of(Some(usize::MAX), 1), (MOST_RUNS, MOST_OF_HOST));
        assert_eq!(of(None, targets::MOST), (MOST_RUNS, MOST_OF_ALL / 200));
    }

    #[test]
    fn results_are_in_the_order_of_the_hosts() {
        let names: Vec<HostName> = (0..50)
            .map(|number| HostName::parse(&format!("db{number}")).expect("a name"))
            .collect();
        let names: Vec<&HostName> = names.iter().collect();
        let done = for_each(&names, |host| host.as_str().to_owned());
        let expected: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        assert_eq!(done, expected);
    }
}
