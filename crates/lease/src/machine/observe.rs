//! What a read tells.

use super::{Machine, Phase};
use crate::cluster::{Cluster, Holder};
use crate::message::{Action, Call, Found, Reading, Record, Version};
use crate::mutation::Mutation;
use crate::name::{NodeName, SessionId};
use crate::record::{Ownership, SessionRecord, SessionRef, SessionState};
use crate::tell::{Loss, Notice};
use crate::watch::{HolderSession, Liveness, Seen, Watch};
use alloc::vec::Vec;
use policy::moment::BootTime;

/// The sessions of a reading, by node.
struct Sessions<'a> {
    node: &'a NodeName,
    own: Option<&'a Found>,
    peers: &'a [NodeName],
    records: &'a [Option<Found>],
}

/// A session that the read did not ask for.
struct NotRead;

impl Machine {
    pub(super) fn take_reading(&mut self, now: BootTime, call: Call, reading: Option<Reading>, out: &mut Vec<Action>) {
        let Phase::Reading { call: asked, sent, .. } = self.phase else {
            return;
        };
        if call != asked {
            return;
        }
        let expected = 1 + self.clusters.len() + self.peers.len();
        match reading.filter(|reading| reading.records.len() == expected) {
            None => self.no_answer(now, out),
            Some(reading) => {
                self.read_answered(now, out);
                self.phase = Phase::Idle;
                self.observe(now, sent, reading, out);
                self.store.ended = now;
                self.change(now, sent, out);
            }
        }
    }

    fn observe(&mut self, now: BootTime, sent: BootTime, reading: Reading, out: &mut Vec<Action>) {
        let from = if self.mutation() == Some(Mutation::WatchFromRequest) {
            sent
        } else {
            now
        };
        self.look_at_store(now, &reading, out);
        let mut records = reading.records;
        let sessions = records.split_off(1 + self.clusters.len());
        let own = records[0].take();
        for (cluster, found) in self.clusters.iter_mut().zip(records.drain(1..)) {
            take_record(cluster, found, out);
        }
        let session = self.own.look(own.as_ref()).and_then(|()| self.explain());
        if let Err(why) = session {
            self.lose_session(why, out);
            if why != Loss::Ended {
                // No node does that to a living session: the store has lost data, whatever it says of its incarnation.
                self.doubt(now);
            }
        }
        let wait = self.longest().wait();
        if self.own.look_for_foe(own.as_ref(), from, wait) {
            out.push(Action::Notify(Notice::NameTaken));
        }
        let sessions = Sessions {
            node: &self.node,
            own: own.as_ref(),
            peers: &self.peers,
            records: &sessions,
        };
        let (id, open) = (self.own.id, self.own.is_open());
        let any = self.mutation() == Some(Mutation::AdoptExpired);
        let mut puzzled = false;
        for cluster in &mut self.clusters {
            let mine = open && names(cluster, &self.node, id).is_some();
            cluster.confirmed = mine;
            if mine {
                puzzled |= hold(cluster, now, any, out);
                listen(cluster, &sessions, now, out);
            } else {
                if let Some(told) = let_go(cluster, self.stopping) {
                    out.push(Action::Notify(told));
                }
                look(cluster, &sessions, open, from);
            }
            cluster.found = None;
        }
        if puzzled {
            self.store.trusted = Some(now);
        }
        self.find_peers();
    }

    /// A store with other data makes void all that was watched.
    fn look_at_store(&mut self, now: BootTime, reading: &Reading, out: &mut Vec<Action>) {
        let store = &mut self.store;
        let went_back = reading.revision < store.revision;
        // Nobody knows what this incarnation was like before this process came.
        let first = !store.known && reading.incarnation.is_some();
        let changed = store.known && (reading.incarnation != store.incarnation || went_back);
        store.known = true;
        store.incarnation.clone_from(&reading.incarnation);
        store.revision = reading.revision;
        if first {
            self.doubt(now);
        }
        if !changed || self.mutation() == Some(Mutation::IncarnationIgnored) {
            return;
        }
        out.push(Action::Notify(Notice::NewIncarnation));
        self.own.name_conflict = None;
        self.doubt(now);
        let mut over = false;
        for cluster in &mut self.clusters {
            cluster.attempt = None;
            let holder = cluster.holder.as_ref();
            over |= holder.is_some_and(|holder| holder.valid.is_none_or(|until| until <= now));
        }
        if over && self.mutation() != Some(Mutation::ResumeInNewIncarnation) {
            self.lose_session(Loss::Incarnation, out);
        }
    }

    /// The store's data may be others than they were: all waiting begins anew.
    fn doubt(&mut self, now: BootTime) {
        self.store.trusted = Some(now);
        for cluster in &mut self.clusters {
            cluster.watch = None;
            cluster.asker = None;
        }
    }

    /// Whether each cluster that names this session has the epoch that it was won with. If not, the store went back unnoticed.
    fn explain(&self) -> Result<(), Loss> {
        if !self.own.is_open() {
            return Ok(());
        }
        let explained = |cluster: &Cluster| {
            let epoch = names(cluster, &self.node, self.own.id);
            let holder = cluster.holder.as_ref();
            epoch.zip(holder).is_none_or(|(epoch, holder)| holder.epoch == epoch)
        };
        if self.clusters.iter().all(explained) {
            Ok(())
        } else {
            Err(Loss::Foreign)
        }
    }

    fn find_peers(&mut self) {
        let mut peers: Vec<NodeName> = Vec::new();
        for record in self.clusters.iter().filter_map(Cluster::current) {
            if let Ownership::Held { by, ask } = &record.tenure {
                for party in core::iter::once(by).chain(ask) {
                    if party.node != self.node && !peers.contains(&party.node) {
                        peers.push(party.node.clone());
                    }
                }
            }
        }
        // Who is not read yet cannot be watched yet.
        self.store.urgent |= peers.iter().any(|peer| !self.peers.contains(peer));
        self.peers = peers;
    }
}

fn take_record(cluster: &mut Cluster, found: Option<Found>, out: &mut Vec<Action>) {
    cluster.record = match found {
        None => Ok(None),
        Some(Found {
            version,
            record: Some(Record::Cluster(record)),
        }) => {
            cluster.last_lease = record.lease;
            // One reserved before that holder came is of no use.
            cluster.epochs.usable = cluster.epochs.usable.filter(|usable| *usable > record.epoch);
            Ok(Some((version, record)))
        }
        Some(found) => Err(found.version),
    };
    let told = core::mem::replace(&mut cluster.unreadable_told, cluster.record.is_err());
    if cluster.record.is_err() && !told {
        out.push(Action::Notify(Notice::Unreadable(cluster.config.name.clone())));
    }
}

/// The epoch, if the record names this session as the holder.
fn names(cluster: &Cluster, node: &NodeName, id: SessionId) -> Option<u64> {
    let record = cluster.current()?;
    let by = record.holder()?;
    (by.node == *node && by.session == id).then_some(record.epoch)
}

/// The cluster is this node's: by a takeover that was not answered, or by an earlier process whose state file tells of it. Returns
/// whether neither is so.
///
/// Then the earlier process had not become active yet, had just given up, or its lease was over; or the store went back, and
/// another node may have it still, as far as that one knows. So it is kept for as long as others would wait, passive, and given back.
fn hold(cluster: &mut Cluster, now: BootTime, any: bool, out: &mut Vec<Action>) -> bool {
    let Some(epoch) = cluster.current().map(|record| record.epoch) else {
        return false;
    };
    cluster.watch = None;
    if cluster.holder.is_some() {
        return false;
    }
    // No lease of this cluster ends later than that, whatever stands in the file.
    let latest = now.after(cluster.config.timing.lease().min(cluster.last_lease).keep());
    let found = cluster.found.filter(|(until, of)| *of == epoch && *until > now);
    let adopted = found.map(|(until, _)| until.min(latest));
    let puzzled = adopted.is_none() && cluster.attempt != Some(epoch) && !any;
    let settled = now.after(cluster.config.timing.settle());
    cluster.holder = Some(Holder {
        epoch,
        valid: adopted,
        active_from: if adopted.is_some() { now } else { settled },
        handover_target: None,
        failed: puzzled,
        over_told: false,
    });
    cluster.epochs.usable = None;
    if puzzled {
        let wait = cluster.term().wait();
        cluster.file.doubt_until(now.after(wait));
    } else if adopted.is_none() {
        out.push(Action::Notify(Notice::Won {
            cluster: cluster.config.name.clone(),
            epoch,
            from: None,
        }));
    }
    puzzled
}

/// The cluster is not this node's any more.
fn let_go(cluster: &mut Cluster, stopping: bool) -> Option<Notice> {
    cluster.holder.as_ref()?;
    let leaving = cluster.leaving(stopping);
    cluster.drop_lease();
    let name = cluster.config.name.clone();
    Some(if leaving {
        Notice::Released(name)
    } else {
        Notice::Lost(name)
    })
}

/// The holder looks whether a node of higher priority asks, and lives.
fn listen(cluster: &mut Cluster, sessions: &Sessions<'_>, now: BootTime, out: &mut Vec<Action>) {
    let Ok(Some((_, record))) = &cluster.record else { return };
    let Ownership::Held { ask, .. } = &record.tenure else {
        return;
    };
    let handover_target = match ask {
        Some(ask) if ask.priority > cluster.config.priority && ask.node != *sessions.node => {
            Liveness::look(&mut cluster.asker, ask.session, sessions.open_version(ask), now);
            let alive = cluster.asker.as_ref().is_some_and(|pulse| pulse.moved);
            alive.then(|| ask.node.clone())
        }
        _ => {
            cluster.asker = None;
            None
        }
    };
    let Some(holder) = &mut cluster.holder else { return };
    if let (None, Some(handover_target)) = (&holder.handover_target, &handover_target) {
        out.push(Action::Notify(Notice::HandingOver {
            cluster: cluster.config.name.clone(),
            handover_target: handover_target.clone(),
        }));
    }
    holder.handover_target = handover_target;
}

/// A candidate looks who holds the cluster, and whether the session stands still.
fn look(cluster: &mut Cluster, sessions: &Sessions<'_>, open: bool, now: BootTime) {
    let seen = match &cluster.record {
        Err(_) => None,
        // That the own session still stands shows that nothing was lost since: a store may not know its incarnation.
        Ok(None) => open.then_some(Seen::Missing),
        Ok(Some((_, record))) => match &record.tenure {
            Ownership::Free { handover_target, .. } => Some(Seen::Free {
                epoch: record.epoch,
                for_another: handover_target
                    .as_ref()
                    .is_some_and(|handover_target| handover_target != sessions.node),
            }),
            Ownership::Held { by, ask } => {
                if let Some(ask) = ask.as_ref().filter(|ask| ask.node != *sessions.node) {
                    Liveness::look(&mut cluster.asker, ask.session, sessions.open_version(ask), now);
                }
                sessions.standing(by).map(|session| Seen::Held {
                    epoch: record.epoch,
                    id: by.session,
                    session,
                })
            }
        },
    };
    match seen {
        Some(seen) => Watch::look(&mut cluster.watch, seen, now),
        None => cluster.watch = None,
    }
}

impl Sessions<'_> {
    /// `Err`: it was not read.
    fn of(&self, node: &NodeName) -> Result<Option<&Found>, NotRead> {
        if node == self.node {
            return Ok(self.own);
        }
        let at = self.peers.iter().position(|peer| peer == node).ok_or(NotRead)?;
        self.records.get(at).map(Option::as_ref).ok_or(NotRead)
    }

    fn standing(&self, party: &SessionRef) -> Option<HolderSession> {
        let Some(found) = self.of(&party.node).ok()? else {
            return Some(HolderSession::Missing);
        };
        Some(match &found.record {
            Some(Record::Session(SessionRecord { id, state, .. })) if *id == party.session => match state {
                SessionState::Open => HolderSession::Open(found.version),
                SessionState::Ended { lease } => HolderSession::Ended(*lease),
            },
            Some(Record::Session(_)) => HolderSession::Replaced,
            _ => HolderSession::Open(found.version),
        })
    }

    fn open_version(&self, party: &SessionRef) -> Option<Version> {
        match self.standing(party) {
            Some(HolderSession::Open(version)) => Some(version),
            _ => None,
        }
    }
}
