//! rcrond by itself or beside one other, on a Redis of the test's own: what it keeps, refuses, and says. Partitions, crashes and
//! their times are `tests/cluster`'s.

mod node;

use control::{Request, Response, Role};
use node::Node;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use testing::servers::TestServer;
use testing::servers::redis::Redis;
use testing::until;

const TERM: i32 = 15;
const USR1: i32 = 10;
const HUP: i32 = 1;

/// All clusters, without waiting for jobs.
const DRAIN: Request = Request::Drain {
    clusters: Vec::new(),
    wait_ms: None,
};

#[test]
fn one_node_wins_and_its_state_file_says_so() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let state = node.state();
    for word in ["active until=", " boot=", " epoch=1 ", " by=n1 ", " since="] {
        assert!(state.contains(word), "{state}");
    }
    // A moment after the file, which others have seen first.
    node.has_role(Role::Active);
    let Response::Status(report) = node.ask(&Request::Status { nodes: true }) else {
        panic!("a report")
    };
    assert_eq!((report.node.as_str(), report.store.answers), ("n1", true));
    let cluster = &report.clusters[0];
    assert_eq!(
        (cluster.role, cluster.epoch, cluster.holder.as_deref()),
        (Role::Active, 1, Some("n1"))
    );
    assert_eq!(cluster.nodes.len(), 1);
}

#[test]
fn a_stop_gives_the_cluster_away_and_the_next_start_is_a_new_session() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis).started();
    node.is_active();
    node.signal(TERM);
    assert!(node.ended().success());
    assert!(node.state().starts_with("passive "), "{}", node.state());
    assert!(redis.cli(&["GET", "rcron:cluster/web"]).contains(" free last=n1 "));
    assert!(!node.path("run/identity").exists());
    node.start();
    node.is_active();
    // One may have been reserved and not used.
    assert!(!node.state().contains(" epoch=1 "), "{}", node.state());
    assert!(!node.log().contains("session is lost"), "{}", node.log());
}

#[test]
fn an_upgrade_is_noticed_by_nobody() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis).started();
    node.is_active();
    let since = node.since();
    node.signal(USR1);
    assert!(node.ended().success());
    assert!(node.state().starts_with("active "), "{}", node.state());
    node.start();
    node.is_renewed();
    assert!(node.state().contains(" epoch=1 "), "{}", node.state());
    assert_eq!(node.since(), since);
}

#[test]
fn drained_is_drained_over_restarts_until_it_is_taken_back() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis).started();
    node.is_active();
    let lines = vec!["web: drained".to_owned()];
    assert_eq!(node.ask(&DRAIN), Response::Done { lines });
    assert!(node.state().starts_with("passive "));
    node.signal(TERM);
    node.ended();
    node.start();
    node.has_role(Role::Drained);
    let undrain = Request::Undrain { clusters: Vec::new() };
    assert!(matches!(node.ask(&undrain), Response::Done { .. }));
    node.is_active();
}

#[test]
fn an_unknown_cluster_is_not_drained() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    let drain = Request::Drain {
        clusters: vec!["wep".to_owned()],
        wait_ms: None,
    };
    let Response::Error { message } = node.ask(&drain) else {
        panic!("refused")
    };
    assert!(message.contains("\"wep\"") && message.contains("web"), "{message}");
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let done = testing::run(&mut node.command());
    assert_eq!(done.code(), Some(1));
    assert!(done.stderr().contains("another rcrond is running"), "{}", done.stderr());
    node.is_renewed();
}

#[test]
fn a_second_machine_of_the_same_name_takes_part_in_nothing() {
    let redis = Redis::start();
    let first = Node::new("n1", &redis).started();
    first.is_active();
    let clone = Node::new("n1", &redis).started();
    until("the clone to say so", || {
        clone.log().contains("this node's name").then_some(())
    });
    first.is_renewed();
    assert!(clone.state().starts_with("passive "), "{}", clone.state());
}

#[test]
fn a_reload_changes_what_can_be_changed_and_refuses_the_rest() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let good = node.configuration();
    node.configure(&good.replace("lease = \"1s\"", "leese = \"1s\""));
    node.signal(HUP);
    until("the refusal", || {
        node.log().contains("did you mean `lease`?").then_some(())
    });
    node.configure(&good.replace("node = \"n1\"", "node = \"n2\""));
    node.signal(HUP);
    until("the refusal", || {
        node.log()
            .contains("node cannot be changed without a restart")
            .then_some(())
    });
    let more = format!(
        "{}[[cluster]]\nname = \"db\"\nstate_file = \"{}\"\nlease = \"1s\"\n",
        good.replace("priority = 100", "priority = 7"),
        node.path("db-state").display()
    );
    node.configure(&more);
    node.signal(HUP);
    until("the new cluster", || {
        fs::read_to_string(node.path("db-state"))
            .ok()
            .filter(|text| text.starts_with("active "))
    });
    let Response::Status(report) = node.ask(&Request::Status { nodes: false }) else {
        panic!("a report")
    };
    assert_eq!(report.clusters[0].priority, 7);
    node.configure(&good);
    node.signal(HUP);
    until("the old cluster to be given away", || {
        fs::read_to_string(node.path("db-state"))
            .ok()
            .filter(|text| text.starts_with("passive "))
    });
    node.is_renewed();
    assert!(
        node.state().contains(" epoch=1 "),
        "no lease was lost: {}",
        node.state()
    );
}

#[test]
fn who_cannot_write_its_state_file_leaves_the_cluster_to_others() {
    let redis = Redis::start();
    let first = Node::new("n1", &redis).started();
    first.is_active();
    // A directory in its place: nothing that root could do better.
    fs::remove_file(first.path("state")).expect("removed");
    fs::create_dir(first.path("state")).expect("made");
    let second = Node::new("n2", &redis).started();
    second.is_active();
    until("a word on it", || {
        first.log().contains("the state file cannot be written").then_some(())
    });
    fs::remove_dir(first.path("state")).expect("removed");
    first.has_role(Role::Standby);
    until("the file", || first.path("state").is_file().then_some(()));
    assert!(first.state().starts_with("passive "), "{}", first.state());
}

#[test]
fn epochs_that_cannot_be_read_are_not_taken_for_none() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis);
    fs::create_dir(node.path("lib")).expect("made");
    fs::write(node.path("lib/clusters.json"), "{").expect("written");
    let done = testing::run(&mut node.command());
    assert_eq!(done.code(), Some(1));
    assert!(done.stderr().contains("move it away"), "{}", done.stderr());
}

#[test]
fn a_store_that_is_gone_is_one_warning_and_nobody_is_active_until_it_is_back() {
    let mut redis = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let node = Node::new("n1", &redis).started();
    node.is_active();
    redis.kill();
    until("the lease to be over", || {
        node.state().starts_with("passive ").then_some(())
    });
    redis.start_again();
    node.is_active();
    let silent = node.log().matches("the store does not answer").count();
    assert_eq!(silent, 1, "{}", node.log());
    // Another life of the server: the lease was waited out, the epoch went on.
    assert!(!node.state().contains(" epoch=1 "), "{}", node.state());
}

#[test]
fn an_epoch_grows_though_the_store_has_lost_everything() {
    let mut redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    redis.kill();
    redis.lose_data();
    redis.start_again();
    until("the next epoch", || {
        let state = node.state();
        (state.starts_with("active ") && !state.contains(" epoch=1 ")).then_some(())
    });
}

#[test]
fn drain_with_wait_keeps_the_cluster_as_long_as_a_job_runs() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    let mut replies = node.asking(&Request::Drain {
        clusters: Vec::new(),
        wait_ms: Some(600_000),
    });
    until("the file", || {
        node.state().starts_with("active draining ").then_some(())
    });
    let text = "web: waiting for 1 running job".to_owned();
    assert!(
        replies.any(|reply| reply == Response::Progress { text: text.clone() }),
        "it says what it waits for"
    );
    node.has_role(Role::Draining);
    drop(job.0.stdin.take());
    assert!(job.wait().success());
    assert!(replies.any(|reply| matches!(reply, Response::Done { .. })));
    assert!(node.state().starts_with("passive "), "{}", node.state());
}

#[test]
fn state_files_that_were_exchanged_are_not_believed() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    let one = node.configuration();
    let two = |first: &str, second: &str| {
        let first = one.replace("/state\"", &format!("/{first}\""));
        let second = node.path(second);
        let second = second.display();
        format!("{first}[[cluster]]\nname = \"db\"\nstate_file = \"{second}\"\nlease = \"1s\"\nsettle = \"0s\"\n")
    };
    let (before, after) = (two("state", "other"), two("other", "state"));
    node.configure(&before);
    node.start();
    node.is_active();
    until("the other", || {
        fs::read_to_string(node.path("other"))
            .ok()
            .filter(|text| text.starts_with("active "))
    });
    node.signal(USR1);
    node.ended();
    node.configure(&after);
    node.start();
    // Taken up, it would not be opened again.
    until("another session", || {
        node.log().contains("has a session in the store").then_some(())
    });
    node.is_active();
}

#[test]
fn a_drain_that_cannot_be_kept_is_no_success() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    // In the ledger's place: not even root can rename a file over it.
    fs::remove_file(node.path("lib/clusters.json")).expect("removed");
    fs::create_dir_all(node.path("lib/clusters.json/x")).expect("made");
    let Response::Error { message } = node.ask(&DRAIN) else {
        panic!("not kept")
    };
    assert!(message.contains("could not be kept on disk"), "{message}");
    assert!(node.state().starts_with("passive "), "{}", node.state());
}

#[test]
fn files_are_for_those_who_need_them() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mode = |name: &str| fs::metadata(node.path(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!(mode("state"), 0o644, "jobs of every user read it");
    assert_eq!(mode("run/identity"), 0o600);
    assert_eq!(mode("socket"), 0o666, "who may do what is asked of the kernel");
}
