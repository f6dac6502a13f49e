//! Invented journals in the format that rcron writes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::fmt::Write;

/// One server's journal.
pub(crate) struct Journal {
    node: String,
    pub(crate) cluster: String,
    origin: Timestamp,
    runs: u64,
    text: String,
}

impl Journal {
    /// Times of runs are seconds after `origin`.
    pub(crate) fn new(node: &str, origin: Timestamp) -> Self {
        Self {
            node: node.to_owned(),
            cluster: "web".to_owned(),
            origin,
            runs: 0,
            text: String::new(),
        }
    }

    /// A run that started so many seconds after the origin and ended with this exit status.
    pub(crate) fn ran(&mut self, job: &str, start: i64, lasted: i64, exit: u8) -> &mut Self {
        self.ran_command(Some(job), "/usr/local/sbin/backup --all", start, lasted, exit)
    }

    /// The same with a command, and with or without a name.
    pub(crate) fn ran_command(
        &mut self,
        job: Option<&str>,
        command: &str,
        start: i64,
        lasted: i64,
        exit: u8,
    ) -> &mut Self {
        let base = self.start(job, command, start);
        let mut end = base.clone();
        end["event"] = json!("end");
        end["started"] = base["time"].clone();
        end["time"] = json!(self.time(start + lasted));
        end["duration"] = json!(lasted);
        end["exit"] = json!(exit);
        self.write(&end);
        self
    }

    /// A run of which no end was recorded.
    pub(crate) fn started(&mut self, job: &str, start: i64) -> &mut Self {
        self.started_command(job, "/usr/local/sbin/backup --all", start)
    }

    /// The same with a command.
    pub(crate) fn started_command(&mut self, job: &str, command: &str, start: i64) -> &mut Self {
        self.start(Some(job), command, start);
        self
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn start(&mut self, job: Option<&str>, command: &str, start: i64) -> Value {
        self.runs += 1;
        let server = self.node.bytes().map(u64::from).sum::<u64>();
        let mut record = json!({
            "time": self.time(start), "event": "start", "run": format!("01900000-0000-7000-{server:04x}-{:012x}", self.runs),
            "node": self.node, "cluster": self.cluster, "command": command, "user": "root", "uid": 0, "pid": 4711,
            "born": 123_456, "job_pid": 4712, "job_born": 123_457, "boot": "8c1f6c6e-0d4f-4c39-a5a1-7a9a2f0e0b5d",
            "pidns": 4_026_531_836_u64, "clock": 83_125.402, "state": "active", "epoch": 42,
        });
        if let Some(job) = job {
            record["job"] = json!(job);
        }
        self.write(&record);
        record
    }

    fn time(&self, seconds: i64) -> String {
        (self.origin + SignedDuration::from_secs(seconds)).to_string()
    }

    fn write(&mut self, record: &Value) {
        let _ = writeln!(self.text, "{record}");
    }
}
