//! One Redis that writes everything to its disk at once.

use super::Single;
use crate::vdso;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use testing::lab::{Host, Lab};
use testing::process::Running;
use testing::until;

const PATIENCE: Duration = Duration::from_secs(2);

/// The store.
pub(crate) struct Redis {
    host: Host,
    data: PathBuf,
    log: PathBuf,
    server: Option<Running>,
}

impl Redis {
    /// Its data go to a directory `redis` in `data`, its log to `logs`.
    pub(crate) fn new(lab: &Lab, data: &Path, logs: &Path) -> Self {
        let redis = Self {
            host: lab.host("store", "10.9.0.11"),
            data: data.join("redis"),
            log: logs.join("redis.log"),
            server: None,
        };
        redis.host.sh(&format!("mkdir {}", redis.data.display()));
        redis
    }

    /// A command without blanks in its words; the lines of the answer, as many as asked for.
    fn ask(&self, command: &str, lines: usize) -> Option<Vec<String>> {
        self.host.within(|| {
            let server = format!("{}:6379", self.host.address).parse().expect("an address");
            let mut stream = TcpStream::connect_timeout(&server, PATIENCE).ok()?;
            stream.set_read_timeout(Some(PATIENCE)).ok()?;
            stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
            BufReader::new(stream)
                .lines()
                .take(lines)
                .collect::<Result<_, _>>()
                .ok()
        })
    }
}

impl Single for Redis {
    fn host(&self) -> &Host {
        &self.host
    }

    fn table(&self) -> String {
        format!("[redis]\nservers = [\"{}:6379\"]\ndatabase = 0\n", self.host.address)
    }

    fn server(&mut self) -> &mut Option<Running> {
        &mut self.server
    }

    fn start(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--bind", &self.host.address, "--protected-mode", "no"]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        command.arg("--dir").arg(&self.data);
        self.server = Some(super::start(&self.host, &self.log, &mut command));
        until("Redis to answer", || (self.ask("PING", 1)? == ["+PONG"]).then_some(()));
    }

    fn lose_data(&mut self) {
        self.host.sh(&format!("rm -r {0}; mkdir {0}", self.data.display()));
    }

    fn prepare(&self) {}

    /// It has another run_id then.
    fn is_known_again(&self) -> bool {
        false
    }

    fn has_own_wall_clock(&self) -> bool {
        vdso::KNOWN
    }

    fn set_wall_clock(&self, offset: i64) {
        vdso::set_wall_clock(self.server.as_ref().expect("it runs").pid(), offset);
    }

    fn leave_a_mark(&self) {
        assert_eq!(self.ask("SET mark 1", 1).expect("an answer"), ["+OK"]);
    }

    fn has_the_mark(&self) -> bool {
        self.ask("EXISTS mark", 1).expect("an answer") == [":1"]
    }

    /// A session becomes a value of another type, and a cluster's record another string.
    fn spoil(&self, key: &str) {
        let list = "redis.call('DEL', KEYS[1]) return redis.call('RPUSH', KEYS[1], 'junk')";
        if key.starts_with("session/") {
            self.ask(&format!("EVAL \"{list}\" 1 rcron:{key}"), 1);
        } else {
            self.ask(&format!("SET rcron:{key} junk"), 1);
        }
    }

    fn delete(&self, key: &str) -> bool {
        self.ask(&format!("DEL rcron:{key}"), 1)
            .is_some_and(|answer| !answer.is_empty())
    }

    /// `TIME` answers `*2`, a length, seconds.
    fn wall_clock(&self) -> i64 {
        let answer = self.ask("TIME", 3).expect("an answer");
        answer[2].parse().expect("seconds")
    }
}
