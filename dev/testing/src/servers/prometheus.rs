//! A Prometheus, and the node_exporter that reads metrics from files.

use super::{Instance, TestServer, free_port, server};
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A Prometheus on loopback. It reads the configuration when it starts.
pub struct Prometheus {
    instance: Instance,
    port: u16,
}

impl Prometheus {
    /// Starts it with these files in one directory, as pairs of name and content, and waits until it answers. Its configuration is
    /// `prometheus.yml`.
    #[must_use]
    pub fn start(files: &[(&str, &str)]) -> Self {
        let mut prometheus = Self {
            instance: Instance::new(),
            port: 0,
        };
        for (name, content) in files {
            fs::write(prometheus.instance.path().join(name), content).expect("written");
        }
        prometheus.launch_on_free_ports(|prometheus| prometheus.port = free_port());
        prometheus
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The body of its answer, whatever the status is. The path has its query, in which everything but letters, digits and
    /// `/?&=-_.` must be encoded.
    ///
    /// # Errors
    /// There is no answer.
    pub fn get(&self, path: &str) -> io::Result<String> {
        let answer = get(self.port, path)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
        Ok(body.to_owned())
    }
}

impl TestServer for Prometheus {
    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }

    fn command(&self) -> Command {
        let mut command = server("prometheus", "prometheus");
        let file = |name: &str| self.instance.path().join(name).display().to_string();
        command
            .arg(format!("--config.file={}", file("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", file("data")))
            .arg(format!("--web.listen-address={}", self.address()))
            .arg("--log.level=warn");
        command
    }

    fn answers(&self) -> bool {
        get(self.port, "/-/ready").is_ok_and(|answer| answer.starts_with("HTTP/1.0 200 "))
    }
}

/// A node_exporter on loopback with the textfile collector alone.
pub struct NodeExporter {
    instance: Instance,
    port: u16,
}

impl NodeExporter {
    /// Starts it, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        let mut exporter = Self {
            instance: Instance::new(),
            port: 0,
        };
        fs::create_dir(exporter.textfiles()).expect("made");
        exporter.launch_on_free_ports(|exporter| exporter.port = free_port());
        exporter
    }

    /// The directory whose `*.prom` files it serves.
    #[must_use]
    pub fn textfiles(&self) -> PathBuf {
        self.instance.path().join("textfiles")
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl TestServer for NodeExporter {
    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }

    fn command(&self) -> Command {
        let mut command = server("prometheus-node-exporter", "prometheus-node-exporter");
        command
            .args(["--collector.disable-defaults", "--collector.textfile"])
            .arg(format!("--collector.textfile.directory={}", self.textfiles().display()))
            .arg(format!("--web.listen-address={}", self.address()))
            .arg("--log.level=warn");
        command
    }

    fn answers(&self) -> bool {
        get(self.port, "/metrics").is_ok_and(|answer| answer.starts_with("HTTP/1.0 200 "))
    }
}

/// The whole answer. An answer to HTTP 1.0 is not in chunks, and ends with the connection.
fn get(port: u16, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
