//! Ticks: what rcrond grants, to whom, and what a restart or many clients change.

use crate::node::Node;
use crate::signals::{KILL, TERM, USR1};
use control::{Request, Response, Role, TickReport, TickResult};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use policy::claim::{self, Answer, Claim, ClaimId, Grant, Held, OverReason, WaitReason};
use policy::exit::Outcome;
use policy::tick::TickTime;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use testing::process::run;
use testing::program::program;
use testing::servers::redis::Redis;
use testing::until;

/// Much longer than any answer takes.
const DEADLINE: Duration = Duration::from_secs(300);

/// A node whose clock is trusted, so that the floor is only a second ahead.
fn node(name: &'static str, redis: &Redis) -> Node {
    let node = Node::new(name, redis);
    node.configure(&format!("max_skew = \"0s\"\n{}", node.configuration()));
    node.started()
}

fn new_run() -> ClaimId {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    ClaimId::new(format!("00000000-0000-7000-8000-{number:012x}").as_bytes()).expect("a UUID")
}

/// An rcron.
struct Client {
    stream: BufReader<UnixStream>,
    claim: Claim,
}

impl Client {
    /// Claims this tick of the job.
    fn claims(node: &Node, job: &str, tick: TickTime) -> Self {
        let claim = Claim {
            run: new_run(),
            started_wall: inputs::clock::wall_time(),
            started_boot: inputs::clock::boot_time(),
            start_within: Some(Duration::from_secs(600)),
            rerun: 0,
            skips_overlap: false,
            kill_after: None,
            tick: Some(tick),
            job: job.to_owned(),
            state_file: node.path("state").into_os_string().into_encoded_bytes(),
        };
        Self::connects(node, claim)
    }

    fn connects(node: &Node, claim: Claim) -> Self {
        let stream = until("the socket for claims", || {
            UnixStream::connect(node.path("run/claims")).ok()
        });
        stream.set_read_timeout(Some(DEADLINE)).expect("set");
        let mut client = Self {
            stream: BufReader::new(stream),
            claim,
        };
        client.send(&claim::Request::Claim(client.claim.clone()));
        client
    }

    fn send(&mut self, request: &claim::Request) {
        let line = format!("{}\n", request.line());
        self.stream.get_mut().write_all(line.as_bytes()).expect("sent");
    }

    /// The next answer; `None` if the connection is closed.
    fn next(&mut self) -> Option<Answer> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(Answer::parse(line.trim_end().as_bytes()).expect("an answer")),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next answer that is not `wait`.
    fn decision(&mut self) -> Answer {
        loop {
            match self.next().expect("an answer") {
                Answer::Wait(_) => {}
                answer => return answer,
            }
        }
    }

    /// Waits until it is told this reason, and returns who has the tick.
    fn waits(&mut self, reason: WaitReason) -> Option<String> {
        loop {
            match self.next().expect("an answer") {
                Answer::Wait(wait) if wait.reason == reason => return wait.by,
                Answer::Wait(_) => {}
                answer => panic!("{answer:?}"),
            }
        }
    }

    fn grant(&mut self) -> Grant {
        match self.decision() {
            Answer::Grant(grant) => grant,
            answer => panic!("{answer:?}"),
        }
    }

    fn over(&mut self) -> (OverReason, Option<String>) {
        match self.decision() {
            Answer::Over(over) => (over.reason, over.by),
            answer => panic!("{answer:?}"),
        }
    }

    /// The job ends with this status.
    fn ends(mut self, status: u8) {
        self.send(&claim::Request::Ended(claim::Ended {
            outcome: Outcome::Exited(status),
            is_demoted: false,
            lasted: Duration::from_millis(7),
        }));
        assert_eq!(self.decision(), Answer::Noted);
        assert_eq!(self.next(), None);
    }

    /// Connects again, with the same run.
    fn returns(self, node: &Node) -> Self {
        Self::connects(node, self.claim)
    }
}

fn now() -> TickTime {
    TickTime::from(inputs::clock::wall_time())
}

/// A tick that nobody has claimed. The first claim in a cluster sets the floor, and later ticks are above it.
fn first_tick(node: &Node) -> TickTime {
    until("a tick above the floor", || {
        let mut client = Client::claims(node, "first", now());
        match client.decision() {
            Answer::Grant(grant) => {
                client.ends(0);
                Some(grant.tick)
            }
            Answer::Over(_) => None,
            answer => panic!("{answer:?}"),
        }
    })
}

fn ticks(node: &Node, job: &str) -> Vec<TickReport> {
    let request = Request::Ticks {
        cluster: None,
        user: None,
        job: Some(job.to_owned()),
        since_ms: None,
        missed_only: false,
    };
    match node.ask(&request) {
        Response::Ticks(report) => report.ticks,
        answer => panic!("{answer:?}"),
    }
}

fn results(node: &Node, job: &str) -> Vec<(TickResult, u32)> {
    ticks(node, job)
        .iter()
        .map(|tick| (tick.result, tick.attempt))
        .collect()
}

#[test]
fn one_server_starts_a_tick_and_the_other_learns_who_has() {
    let redis = Redis::start();
    let one = node("n1", &redis);
    one.has_role(Role::Active);
    let two = node("n2", &redis);
    two.has_role(Role::Standby);
    let tick = first_tick(&one);
    let mut waiting = Client::claims(&two, "backup", tick);
    waiting.waits(WaitReason::Passive);
    let mut active = Client::claims(&one, "backup", tick);
    let grant = active.grant();
    assert_eq!((grant.tick, grant.attempt), (tick, 1));
    assert!(
        one.state().contains(&format!(" epoch={} ", grant.lease)),
        "{}",
        one.state()
    );
    let mut late = Client::claims(&one, "backup", tick);
    assert_eq!(late.waits(WaitReason::Elsewhere).as_deref(), Some("n1"));
    active.ends(3);
    assert_eq!(waiting.over(), (OverReason::Done, Some("n1".to_owned())));
    assert_eq!(late.over(), (OverReason::Done, Some("n1".to_owned())));
    let found = ticks(&two, "backup");
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (only.result, only.code, only.lasted_ms),
        (TickResult::Failed, Some(3), Some(7))
    );
    assert_eq!((only.node.as_str(), only.tick.clone()), ("n1", tick.rfc3339()));
    let older = Client::claims(&one, "backup", TickTime(tick.0 - 1)).over();
    assert_eq!(older.0, OverReason::Superseded);
}

#[test]
fn a_grant_that_is_not_used_goes_to_another_run() {
    let redis = Redis::start();
    let node = node("n1", &redis);
    node.has_role(Role::Active);
    let tick = first_tick(&node);
    let mut first = Client::claims(&node, "backup", tick);
    first.grant();
    let mut second = Client::claims(&node, "backup", tick);
    second.waits(WaitReason::Elsewhere);
    first.send(&claim::Request::NotStarted {
        why: "passive".to_owned(),
    });
    drop(first);
    assert_eq!(second.grant().tick, tick);
    second.ends(0);
    assert_eq!(results(&node, "backup").len(), 1);
}

#[test]
fn a_run_survives_the_end_of_its_daemon() {
    let redis = Redis::start();
    let mut node = node("n1", &redis);
    node.has_role(Role::Active);
    let tick = first_tick(&node);
    for (job, signal) in [("killed", KILL), ("upgraded", USR1)] {
        let mut client = Client::claims(&node, job, tick);
        let grant = client.grant();
        node.signal(signal);
        node.ended();
        assert_eq!(client.next(), None);
        node.start();
        node.has_role(Role::Active);
        let mut client = Client {
            stream: BufReader::new(until("the socket", || {
                UnixStream::connect(node.path("run/claims")).ok()
            })),
            claim: client.claim,
        };
        client.send(&claim::Request::Held(Held {
            run: client.claim.run,
            tick,
            attempt: grant.attempt,
            job: job.to_owned(),
            state_file: client.claim.state_file.clone(),
        }));
        client.ends(0);
        assert_eq!(results(&node, job), [(TickResult::Ok, 1)], "{job}");
        assert_eq!(Client::claims(&node, job, tick).over().0, OverReason::Done);
    }
}

#[test]
fn a_run_that_waits_claims_from_the_next_process() {
    let redis = Redis::start();
    let one = node("n1", &redis);
    one.has_role(Role::Active);
    let mut two = node("n2", &redis);
    two.has_role(Role::Standby);
    let tick = first_tick(&one);
    let mut waiting = Client::claims(&two, "backup", tick);
    for signal in [KILL, USR1, TERM] {
        waiting.waits(WaitReason::Passive);
        two.signal(signal);
        // Within a stop, too: the next process may be there before this one has ended.
        assert!(std::iter::from_fn(|| waiting.next()).all(|answer| matches!(answer, Answer::Wait(_))));
        two.ended();
        two.start();
        waiting = waiting.returns(&two);
    }
    waiting.waits(WaitReason::Passive);
    // It becomes active before the time of the run is over.
    one.signal(TERM);
    assert_eq!(waiting.grant().attempt, 1);
    waiting.ends(0);
    assert_eq!(results(&two, "backup"), [(TickResult::Ok, 1)]);
}

#[test]
fn real_runs_of_two_servers_start_each_tick_once() {
    let redis = Redis::start();
    let nodes = [node("n1", &redis), node("n2", &redis)];
    until("one to be active", || {
        nodes.iter().find(|node| node.state().starts_with("active "))
    });
    for node in &nodes {
        let conf = fs::read_to_string(node.path("rcron.conf")).expect("there");
        let socket = node.path("run/claims");
        let socket = socket.display();
        let conf = format!("{conf}once_per_tick = yes\nstart_within = 1m\nclaim_socket = {socket}\n");
        fs::write(node.path("rcron.conf"), conf).expect("written");
    }
    let active = nodes
        .iter()
        .find(|node| node.state().starts_with("active "))
        .expect("one");
    let tick = first_tick(active);
    let out = active.path("out");
    let command = format!("echo \"$RCRON_TICK $RCRON_ATTEMPT $RCRON_FENCE\" >> {}", out.display());
    let runs = nodes.iter().flat_map(|node| (0..3).map(move |_| node));
    let runs: Vec<_> = runs
        .map(|node| {
            let mut rcron = Command::new(program("rcron"));
            rcron.arg("-c").arg(node.path("rcron.conf"));
            rcron.args(["--job", "backup", "--tick", &tick.rfc3339(), &command]);
            std::thread::spawn(move || run(&mut rcron))
        })
        .collect();
    for done in runs {
        let done = done.join().expect("no panic");
        assert_eq!((done.code(), done.stderr().as_str()), (Some(0), ""));
    }
    let expected = format!("{} 1 {}\n", tick.rfc3339(), tick.0);
    assert_eq!(fs::read_to_string(out).expect("written"), expected);
}

#[test]
fn wrong_claims_are_refused_with_what_to_do() {
    let redis = Redis::start();
    let node = node("n1", &redis);
    let refused = |change: fn(&mut Claim)| {
        let mut client = Client::claims(&node, "backup", now());
        let mut claim = client.claim.clone();
        change(&mut claim);
        client = Client::connects(&node, claim);
        match client.decision() {
            Answer::Refused { message } => message,
            answer => panic!("{answer:?}"),
        }
    };
    let text = refused(|claim| claim.state_file = b"/none/state".to_vec());
    assert!(text.contains("/none/state belongs to no cluster"), "{text}");
    let text = refused(|claim| claim.tick = Some(TickTime(u64::MAX / 2000)));
    assert!(text.contains("correct --tick, or the clock"), "{text}");
    let text = refused(|claim| claim.rerun = 1);
    assert!(text.contains("on_demotion = terminate"), "{text}");
    let mut client = Client::claims(&node, "backup", now());
    client.stream = BufReader::new(UnixStream::connect(node.path("run/claims")).expect("it listens"));
    client.stream.get_mut().write_all(b"hello\n").expect("sent");
    let answer = client.decision();
    assert!(
        matches!(&answer, Answer::Refused { message } if message.contains("same version")),
        "{answer:?}"
    );
    // What is not a line is not answered.
    client.stream = BufReader::new(UnixStream::connect(node.path("run/claims")).expect("it listens"));
    let _ = client.stream.get_mut().write_all(&vec![b'x'; 20_000]);
    assert_eq!(client.next(), None);
}

/// As many as there may be descriptors, up to 2,000.
fn permitted_clients() -> usize {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("limits");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("raised");
    usize::try_from(hard)
        .unwrap_or(usize::MAX)
        .saturating_sub(400)
        .min(2000)
}

#[test]
fn two_thousand_runs_wait_in_little_memory() {
    let redis = Redis::start();
    let one = node("n1", &redis);
    one.has_role(Role::Active);
    let two = node("n2", &redis);
    two.has_role(Role::Standby);
    let tick = first_tick(&one);
    let count = permitted_clients();
    assert!(count >= 500, "the limit of open files is too low for this test");
    // Everything that is needed once.
    Client::claims(&two, "warm", tick).waits(WaitReason::Passive);
    let before = two.resident();
    let mut clients: Vec<_> = (0..count)
        .map(|number| Client::claims(&two, &format!("job{number}"), tick))
        .collect();
    for client in &mut clients {
        client.waits(WaitReason::Passive);
    }
    let used = two.resident().saturating_sub(before);
    println!("{count} waiting runs use {used} bytes");
    assert!(used < 10 << 20, "{count} waiting runs use {used} bytes");
    // They cost the lease of the other node nothing, and one of them is answered as before.
    one.is_renewed();
    let mut active = Client::claims(&one, "job7", tick);
    active.grant();
    active.ends(0);
    assert_eq!(clients[7].over(), (OverReason::Done, Some("n1".to_owned())));
}

#[test]
fn a_dry_run_is_answered_without_a_claim() {
    let redis = Redis::start();
    let node = node("n1", &redis);
    node.has_role(Role::Active);
    let mut client = Client::claims(&node, "other", now());
    let question = claim::Request::Ask(client.claim.clone());
    client.stream = BufReader::new(UnixStream::connect(node.path("run/claims")).expect("it listens"));
    client.send(&question);
    match client.decision() {
        Answer::Would { tick, text } => {
            assert_eq!(tick, client.claim.tick);
            assert!(text.contains("this server is active"), "{text}");
        }
        answer => panic!("{answer:?}"),
    }
    assert!(ticks(&node, "backup").is_empty());
}
