//! A cluster that this node shares with the others: `RunOn::Any`.

use super::*;
use crate::{Loss, Permission};

const ACTIVE_FOR: Duration = Duration::from_millis(9_780);
/// A little less.
const ALMOST_ACTIVE_FOR: Duration = Duration::from_millis(9_779);

fn any_start(kept: Option<SessionId>, file: Option<StateFileContent>) -> Start {
    let mut start = start(kept, None);
    start.clusters[0].config.run_on = RunOn::Any;
    start.clusters[0].file = file;
    start
}

fn sharing() -> Fixture {
    let mut fixture = Fixture::new(any_start(None, None));
    fixture.give(Input::Tick);
    assert!(fixture.is_shared(), "{:?}", fixture.actions);
    fixture
}

impl Fixture {
    fn is_shared(&self) -> bool {
        matches!(self.content(), Some(StateFileContent::Shared { until, draining: false, .. }) if until > self.now)
    }

    fn permission(&self) -> Option<Permission> {
        let view = self.machine.views().next().expect("a cluster");
        view.permission(self.now)
    }

    fn session_in_file(&self) -> Option<SessionId> {
        match self.content()? {
            StateFileContent::Shared { session, .. } => Some(session),
            _ => None,
        }
    }

    fn own_session(&self) -> Option<&SessionRecord> {
        match self.get(&Key::Session(node("n1")))?.record.as_ref()? {
            Record::Session(record) => Some(record),
            Record::Cluster(_) => None,
        }
    }

    /// The configuration of the cluster is changed.
    fn configure(&mut self, change: impl FnOnce(&mut ClusterConfig)) {
        let view = self.machine.views().next().expect("a cluster");
        let mut config = view.config.clone();
        change(&mut config);
        let epoch = view.epoch;
        self.give(Input::Configure(vec![ClusterStart {
            config,
            drained: false,
            epoch,
            file: None,
            shared: false,
        }]));
    }
}

fn with_lease(timing: &Timing, seconds: u64) -> Timing {
    let lease = Duration::from_secs(seconds);
    Timing::new(lease, timing.settle(), timing.grace(), timing.preempt_delay()).expect("within their limits")
}

#[test]
fn is_written_once_the_session_is_open_and_renewed_with_it() {
    let mut fixture = sharing();
    let id = fixture.own_session().expect("a session").id;
    let first = StateFileContent::Shared {
        until: BEGIN.after(ACTIVE_FOR),
        session: id,
        draining: false,
    };
    assert_eq!(fixture.content(), Some(first));
    assert_eq!(fixture.machine.open_session(), Some(id));
    assert_eq!(
        fixture.permission(),
        Some(Permission::Shared {
            until: BEGIN.after(ACTIVE_FOR)
        })
    );
    fixture.pass(Duration::from_secs(600));
    assert!(fixture.is_shared());
    assert_eq!((fixture.session_in_file(), fixture.epoch()), (Some(id), None));
    let heartbeats = fixture.own_session().expect("a session").heartbeat;
    assert!((150..200).contains(&heartbeats), "{heartbeats}");
}

#[test]
fn never_takes_the_cluster_nor_reserves_an_epoch() {
    let mut fixture = Fixture::new(any_start(None, None)).with_holder(7, 3);
    fixture.give(Input::Tick);
    fixture.pass(Duration::from_secs(60));
    assert!(fixture.is_shared());
    let holder = fixture.cluster().and_then(ClusterRecord::holder);
    assert_eq!(holder.map(|by| by.node.as_str()), Some("n2"));
    let saves = |action: &&Action| matches!(action, Action::PersistEpoch { .. });
    assert_eq!(fixture.actions.iter().filter(saves).count(), 0);
}

#[test]
fn lasts_no_longer_than_its_lease_without_an_answer() {
    let mut fixture = sharing();
    fixture.verdicts = vec![Verdict::NoAnswer; 1000];
    fixture.pass(ALMOST_ACTIVE_FOR);
    assert!(fixture.is_shared() && fixture.permission().is_some());
    fixture.pass_ms(2);
    assert_eq!(fixture.content(), Some(StateFileContent::Passive));
    assert_eq!(
        (fixture.permission(), fixture.count(&Notice::LeaseOver(name()))),
        (None, 1)
    );
    fixture.verdicts.clear();
    fixture.pass_ms(1000);
    assert!(fixture.is_shared(), "with the same session");
}

#[test]
fn a_lost_session_is_passive_at_once_and_another_one_follows() {
    let mut fixture = sharing();
    let before = fixture.session_in_file();
    let ended = SessionRecord {
        id: before.expect("shared"),
        heartbeat: 0,
        state: SessionState::Ended {
            lease: LeaseDuration::new(LEASE).expect("a lease"),
        },
    };
    fixture.put(Key::Session(node("n1")), Record::Session(ended));
    let actions = fixture.actions.len();
    fixture.give(Input::Hint);
    fixture.pass_ms(100);
    assert_eq!(fixture.contents(actions).first(), Some(&StateFileContent::Passive));
    assert_eq!(fixture.count(&Notice::SessionLost(Loss::Ended)), 1);
    assert!(fixture.is_shared() && fixture.session_in_file() != before);
}

#[test]
fn a_stop_ends_the_session_after_the_file_is_passive() {
    let mut fixture = sharing();
    fixture.can_write = false;
    fixture.give(Input::Stop);
    fixture.pass(ALMOST_ACTIVE_FOR);
    let is_open = |fixture: &Fixture| fixture.own_session().map(|record| record.state) == Some(SessionState::Open);
    assert!(is_open(&fixture), "the file may still be shared");
    fixture.pass_ms(20);
    assert!(!is_open(&fixture) && fixture.machine.is_finished());

    let mut fixture = sharing();
    fixture.give(Input::Stop);
    fixture.pass_ms(10);
    assert_eq!(fixture.content(), Some(StateFileContent::Passive));
    assert!(!is_open(&fixture) && fixture.machine.is_finished());
}

#[test]
fn a_drain_that_waits_starts_nothing_and_then_is_passive() {
    let mut fixture = sharing();
    let drain = |wait| Input::Drain { cluster: name(), wait };
    fixture.give(drain(true));
    assert!(matches!(
        fixture.content(),
        Some(StateFileContent::Shared { draining: true, .. })
    ));
    assert_eq!(fixture.permission(), None);
    fixture.give(Input::Drained(name()));
    assert_eq!(fixture.content(), Some(StateFileContent::Passive));
    fixture.give(Input::Undrain(name()));
    assert!(fixture.is_shared());
    fixture.give(drain(false));
    assert_eq!(fixture.content(), Some(StateFileContent::Passive));
    assert!(fixture.machine.has_session());
}

#[test]
fn a_holder_that_is_to_share_its_cluster_releases_it() {
    let mut fixture = Fixture::new(start(None, None)).wins();
    assert!(matches!(
        fixture.permission(),
        Some(Permission::Active { epoch: 1, .. })
    ));
    fixture.configure(|config| config.run_on = RunOn::Any);
    fixture.pass_ms(100);
    assert!(fixture.is_shared());
    let record = fixture.cluster().expect("a record");
    assert!(matches!(record.ownership, Ownership::Free { .. }));
    assert_eq!(fixture.count(&Notice::Released(name())), 1);
    // And back: it held the cluster last, but others may have run jobs since.
    fixture.configure(|config| config.run_on = RunOn::Active);
    assert_eq!(fixture.permission(), None);
    fixture.pass(LEASE * 2);
    assert!(fixture.is_active());
    assert_eq!(fixture.epoch(), Some(2));
}

#[test]
fn a_longer_lease_is_for_the_next_session() {
    let mut fixture = sharing();
    let lease = |fixture: &Fixture| fixture.machine.views().next().expect("a cluster").claim_lease.get();
    assert_eq!(lease(&fixture), LEASE);
    fixture.configure(|config| config.timing = with_lease(&config.timing, 20));
    fixture.pass(LEASE);
    let until = |fixture: &Fixture| fixture.content().and_then(StateFileContent::until).expect("shared");
    assert!(until(&fixture) <= fixture.now.after(ACTIVE_FOR));
    assert_eq!(lease(&fixture), 2 * LEASE);
    // A shorter one is used at once; claims still name the longest.
    fixture.configure(|config| config.timing = with_lease(&config.timing, 5));
    fixture.pass(LEASE);
    assert!(until(&fixture) <= fixture.now.after(Duration::from_secs(5)));
    assert_eq!(lease(&fixture), 2 * LEASE);
}

#[test]
fn a_cluster_that_is_no_longer_configured_is_kept_until_its_file_is_passive() {
    let mut fixture = sharing();
    fixture.can_write = false;
    fixture.give(Input::Configure(Vec::new()));
    fixture.pass_ms(9_000);
    assert_eq!(fixture.machine.views().count(), 1);
    fixture.can_write = true;
    fixture.pass_ms(5_000);
    assert_eq!(fixture.machine.views().count(), 0);
}

/// A process that resumes a session which has shared the cluster.
fn resumed(id: SessionId, file: Option<StateFileContent>) -> Start {
    let mut start = any_start(Some(id), file);
    start.clusters[0].shared = true;
    start
}

#[test]
fn a_restart_without_a_state_file_that_shows_a_renewal_takes_another_session() {
    // It was drained, or its lease was over, and the store may have gone back since.
    for file in [None, Some(StateFileContent::Passive)] {
        let mut first = sharing();
        let id = first.session_in_file().expect("shared");
        let mut second = Fixture::new(resumed(id, file));
        second.records = core::mem::take(&mut first.records);
        second.version = first.version;
        second.give(Input::Tick);
        assert_eq!(second.count(&Notice::SessionLost(Loss::Expired)), 1);
    }
}

/// A process that has shared the cluster has ended, and the next one starts `after` that.
fn restarted(after: Duration) -> (Fixture, SessionId) {
    let mut first = sharing();
    let id = first.session_in_file().expect("shared");
    let mut second = Fixture::new(resumed(id, first.content()));
    second.records = core::mem::take(&mut first.records);
    (second.version, second.now) = (first.version, first.now.after(after));
    second.wake = second.now;
    (second, id)
}

#[test]
fn a_restart_goes_on_with_its_session_and_is_never_passive() {
    let (mut second, id) = restarted(Duration::from_secs(5));
    second.answers_reads = false;
    second.give(Input::Tick);
    assert_eq!((second.content(), second.permission()), (None, None));
    second.answers_reads = true;
    second.pass_ms(1000);
    assert!(second.is_shared());
    assert_eq!(second.session_in_file(), Some(id));
    assert!(!second.contents(0).contains(&StateFileContent::Passive));
}

#[test]
fn a_restart_after_the_lease_takes_another_session() {
    let (mut second, id) = restarted(Duration::from_secs(10));
    second.give(Input::Tick);
    assert_eq!(second.content(), Some(StateFileContent::Passive));
    assert_eq!(second.count(&Notice::SessionLost(Loss::Expired)), 1);
    second.pass(LEASE * 2);
    assert!(second.is_shared() && second.session_in_file() != Some(id));
}

#[test]
fn an_expired_lease_does_not_go_on_in_a_store_with_other_data() {
    for (expired, goes_on) in [(false, true), (true, false)] {
        let mut fixture = sharing();
        let before = fixture.session_in_file();
        fixture.answers_reads = false;
        fixture.pass_ms(if expired { 10_000 } else { 5_000 });
        fixture.incarnation = 2;
        fixture.answers_reads = true;
        fixture.pass(LEASE * 2);
        assert!(fixture.is_shared());
        assert_eq!(fixture.session_in_file() == before, goes_on, "{expired}");
    }
}
