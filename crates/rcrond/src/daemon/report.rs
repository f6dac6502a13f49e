//! How things are, for people: the socket, metrics, systemd's status line, and the card in the store.

use super::cluster::is_active;
use super::{Card, Daemon};
use crate::disk::identity::Held;
use crate::outside::{Snapshot, systemd};
use crate::store_side::card::Entry;
use control::{ClusterReport, Report, Role, StoreReport};
use inputs::clock;
use lease::{HeldLease, Mode, View};
use policy::moment::BootTime;
use std::sync::Arc;

/// More clusters are counted, not named.
const MOST_NAMED: usize = 3;

impl Daemon {
    /// Tells whoever listens.
    pub(super) fn publish(&mut self) {
        self.issue_card(false);
        if self.outlets.snapshot.is_some() {
            let taken = clock::boot_time();
            let report = self.report(taken);
            if let Some(outlet) = &self.outlets.snapshot {
                outlet.send_replace(Arc::new(Snapshot { taken, report }));
            }
        }
        let status = self.status_line();
        if status != self.status {
            systemd::status(&status);
            self.status = status;
        }
        self.keep_names();
        self.get_ready();
    }

    /// Beside the identity stand the clusters that the session may hold, and no others.
    fn keep_names(&mut self) {
        if let (true, Some(session)) = (self.held() != self.kept, self.session) {
            self.keep_identity(session);
        }
    }

    /// The clusters that the session may hold, with their files.
    pub(super) fn held(&self) -> Held {
        let file = |view: View<'_>| {
            let name = &view.config.name;
            let file = self
                .clusters
                .get(name)
                .map(|cluster| cluster.settings.state_file.clone());
            (name.as_str().to_owned(), file.unwrap_or_default())
        };
        self.machine.views().map(file).collect()
    }

    /// Everything, without the other nodes.
    pub(super) fn report(&self, now: BootTime) -> Report {
        let store = &self.config.store;
        let answers = self.machine.is_answered();
        Report {
            node: self.config.node.as_str().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: StoreReport {
                kind: store.kind.name().to_owned(),
                servers: store.servers.clone(),
                answers,
                failure: self.failure.as_ref().filter(|_| !answers).map(ToString::to_string),
                session: self.machine.has_session(),
                watching: self.watching,
            },
            clusters: self
                .machine
                .views()
                .map(|view| self.cluster_report(&view, now))
                .collect(),
        }
    }

    fn cluster_report(&self, view: &View<'_>, now: BootTime) -> ClusterReport {
        let known = self.clusters.get(&view.config.name);
        let left = view
            .held_lease
            .and_then(|held_lease| held_lease.until)
            .map(|until| until.since(now));
        let milliseconds = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        ClusterReport {
            name: view.config.name.as_str().to_owned(),
            state_file: known
                .map(|cluster| cluster.settings.state_file.display().to_string())
                .unwrap_or_default(),
            role: self.role(view, now),
            priority: view.config.priority,
            lease_ms: view.config.timing.lease().milliseconds(),
            lease_left_ms: left.map(milliseconds),
            epoch: known_epoch(view),
            holder: self.holder(view).map(str::to_owned),
            writable: known.is_none_or(|cluster| cluster.obstacle.is_none()),
            nodes: Vec::new(),
        }
    }

    /// Who has it. The record is that of the last read, which may be from before this node won.
    fn holder<'a>(&'a self, view: &'a View<'_>) -> Option<&'a str> {
        view.held_lease
            .map_or_else(|| view.holder(), |_| Some(self.config.node.as_str()))
    }

    /// What this node does.
    pub(super) fn role(&self, view: &View<'_>, now: BootTime) -> Role {
        let says = self.clusters.get(&view.config.name).and_then(|cluster| cluster.says);
        let valid = |held_lease: HeldLease| held_lease.until.is_some_and(|until| until > now);
        match (view.held_lease, view.mode) {
            (Some(_), Mode::Drain) => Role::Draining,
            (Some(held_lease), Mode::Serve) if valid(held_lease) && says.is_some_and(is_active) => Role::Active,
            (Some(_), _) => Role::Holding,
            (None, Mode::Serve) => Role::Standby,
            (None, Mode::Drain | Mode::Out | Mode::Removed) => Role::Drained,
        }
    }

    fn status_line(&self) -> String {
        let now = clock::boot_time();
        let views: Vec<_> = self.machine.views().collect();
        let store = if self.machine.is_answered() {
            ""
        } else {
            "; the store does not answer"
        };
        if views.len() > MOST_NAMED {
            let active = views.iter().filter(|view| self.role(view, now) == Role::Active).count();
            return format!("{active} of {} clusters active here{store}", views.len());
        }
        let one = |view: &View<'_>| {
            let name = view.config.name.as_str();
            match (self.role(view, now), view.holder()) {
                (Role::Active, _) => format!("{name}: active"),
                (Role::Holding, _) => format!("{name}: has the lease, not active"),
                (Role::Draining, _) => format!("{name}: draining"),
                (Role::Drained, _) => format!("{name}: drained"),
                (Role::Standby | Role::Gone, Some(holder)) => format!("{name}: standby, {holder} has it"),
                (Role::Standby | Role::Gone, None) => format!("{name}: standby"),
            }
        };
        let lines: Vec<_> = views.iter().map(one).collect();
        format!("{}{store}", lines.join("; "))
    }

    /// Publishes the card if it has changed, or `anew`. Only who has a session may: another may have this node's name.
    pub(super) fn issue_card(&self, anew: bool) {
        if !self.machine.has_session() {
            return;
        }
        let entry = |view: View<'_>| {
            let entry = Entry {
                priority: view.config.priority,
                drained: matches!(view.mode, Mode::Drain | Mode::Out),
            };
            (view.config.name.as_str().to_owned(), entry)
        };
        let present = self.machine.views().filter(|view| view.mode != Mode::Removed);
        let card = Card {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clusters: present.map(entry).collect(),
        };
        self.outlets.cards.send_if_modified(|issue| {
            let other = anew || issue.card.as_ref() != Some(&card) || !Arc::ptr_eq(&issue.store, &self.store);
            if other {
                issue.store = Arc::clone(&self.store);
                issue.card = Some(card);
            }
            other
        });
    }
}

/// The holder's, or the last one's, or the highest that this node has kept.
fn known_epoch(view: &View<'_>) -> u64 {
    let recorded = || view.record.map_or(view.epoch, |record| record.epoch);
    view.held_lease.map_or_else(recorded, |held_lease| held_lease.epoch)
}
