//! rcrond: memory, processor time and store calls with a real etcd, while it holds every cluster.

use crate::Result;
use crate::proc;
use crate::running::Running;
use crate::table::{self, NONE};
use crate::wait::until;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const LEASE: Duration = Duration::from_secs(10);
/// A tmpfs for the state files, as /run is.
const MEMORY: &str = "/dev/shm";

/// The resources that one rcrond used.
struct Cost {
    memory: proc::Memory,
    /// In per cent of one core.
    processor: f64,
    reads: f64,
    changes: f64,
}

pub(crate) fn measure(rcrond: &Path, counts: &[usize], duration: Duration) -> Result<()> {
    let mut rows = vec![[
        "target for rcrond".into(),
        "≤ 12,000 kB".into(),
        NONE.into(),
        "≤ 0.5 %".into(),
        NONE.into(),
        NONE.into(),
    ]];
    for count in counts {
        let Cost {
            memory,
            processor,
            reads,
            changes,
        } = cost(rcrond, *count, duration)?;
        rows.push([
            format!("{count} cluster{}, all held", if *count == 1 { "" } else { "s" }),
            format!("{} kB", memory.resident),
            format!("{} kB", memory.anonymous),
            format!("{processor:.2} %"),
            format!("{reads:.2}"),
            format!("{changes:.2}"),
        ]);
    }
    rows.rotate_left(1); // the targets last
    table::print(
        &format!(
            "rcrond with etcd, a lease of {} s, over {} s",
            LEASE.as_secs(),
            duration.as_secs()
        ),
        [
            "case",
            "resident",
            "anonymous",
            "of one core",
            "reads a second",
            "changes a second",
        ],
        &rows,
    );
    Ok(())
}

fn cost(rcrond: &Path, count: usize, duration: Duration) -> Result<Cost> {
    let directory = directory_in_memory()?;
    let disk = TempDir::new()?;
    let (etcd, address) = start_etcd(disk.path())?;
    let port = free_port()?;
    let config = disk.path().join("rcrond.toml");
    fs::write(
        &config,
        configuration(directory.path(), disk.path(), &address, port, count),
    )?;
    let daemon = Running::start(Command::new(rcrond).arg("-c").arg(&config).stderr(Stdio::null()))?;
    until("all clusters to be active", || {
        Ok((0..count)
            .all(|cluster| is_active(directory.path(), cluster))
            .then_some(()))
    })?;
    let before = (proc::processor_time(daemon.pid())?, calls(port)?, Instant::now());
    sleep(duration);
    let after = (proc::processor_time(daemon.pid())?, calls(port)?);
    let seconds = before.2.elapsed().as_secs_f64();
    let memory = proc::memory(daemon.pid())?;
    drop((daemon, etcd));
    Ok(Cost {
        memory,
        processor: after.0.saturating_sub(before.0).as_secs_f64() / seconds * 100.0,
        reads: (after.1.0 - before.1.0) / seconds,
        changes: (after.1.1 - before.1.1) / seconds,
    })
}

fn configuration(states: &Path, disk: &Path, etcd: &str, port: u16, count: usize) -> String {
    let (states, disk) = (states.display(), disk.display());
    let head = format!(
        "node = \"bench\"\nrun_dir = \"{states}/run\"\nstate_dir = \"{disk}/lib\"\n[etcd]\nservers = [\"{etcd}\"]\n\
         [control]\nsocket = \"{states}/socket\"\n[metrics]\nlisten = \"127.0.0.1:{port}\"\n"
    );
    let cluster = |number| {
        let lease = LEASE.as_secs();
        format!("[[cluster]]\nname = \"c{number}\"\nstate_file = \"{states}/state{number}\"\nlease = \"{lease}s\"\n")
    };
    (0..count).map(cluster).fold(head, |text, cluster| text + &cluster)
}

fn is_active(directory: &Path, cluster: usize) -> bool {
    let text = fs::read_to_string(directory.join(format!("state{cluster}")));
    text.is_ok_and(|text| text.starts_with("active "))
}

/// The number of reads and changes so far, from rcrond's metrics.
fn calls(port: u16) -> Result<(f64, f64)> {
    let page = page(port)?;
    let count = |operation: &str| {
        let name = format!("rcrond_store_latency_seconds_count{{operation=\"{operation}\"}}");
        metric(&page, &name)
    };
    Ok((count("read")?, count("change")?))
}

/// The metrics of a program on this port.
pub(crate) fn page(port: u16) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

/// The value of one of them.
pub(crate) fn metric(page: &str, name: &str) -> Result<f64> {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
    let found = page.lines().find_map(value);
    Ok(found.ok_or_else(|| format!("no metric {name}"))?)
}

/// A tmpfs, if there is one.
pub(crate) fn directory_in_memory() -> Result<TempDir> {
    Ok(if Path::new(MEMORY).is_dir() {
        TempDir::new_in(MEMORY)?
    } else {
        TempDir::new()?
    })
}

pub(crate) fn start_etcd(directory: &Path) -> Result<(Running, String)> {
    let (client, peer) = (free_port()?, free_port()?);
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let log = fs::File::create(directory.join("etcd.log"))?;
    let mut command = Command::new("etcd");
    command
        .arg("--data-dir")
        .arg(directory.join("etcd"))
        .args([
            "--listen-client-urls",
            &url(client),
            "--advertise-client-urls",
            &url(client),
        ])
        .args([
            "--listen-peer-urls",
            &url(peer),
            "--initial-advertise-peer-urls",
            &url(peer),
        ])
        .args(["--initial-cluster", &format!("default={}", url(peer))])
        .stdout(Stdio::null())
        .stderr(log);
    let etcd = Running::start(&mut command)?;
    let address = format!("127.0.0.1:{client}");
    until("etcd to listen", || Ok(TcpStream::connect(&address).ok().map(drop)))?;
    Ok((etcd, address))
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
