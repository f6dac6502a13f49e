//! Executes the machine's actions.

use super::{ClaimService, Context, LOG_PAUSE};
use crate::api::log::log_claims_notice;
use crate::store_tasks::client::StoreRequest;
use claims::{Action, Client, Notice};
use control::Response;
use policy::claim::{Answer, OverReason};
use policy::moment::BootTime;
use store::Error;

impl ClaimService {
    pub(super) fn execute(&mut self, actions: Vec<Action>, context: &Context) {
        for action in actions {
            match action {
                // Sending cannot fail: the task ends after the loop.
                Action::Read { call, keys, by } => {
                    let request = StoreRequest::Read { call, keys, by };
                    let _ = self.senders.store_requests.send(request);
                }
                Action::Change { call, change, by } => {
                    let request = StoreRequest::Change { call, change, by };
                    let _ = self.senders.store_requests.send(request);
                }
                Action::Answer(client, answer) => self.answer(client, answer, context),
                Action::Reopened(client, result) => self.answer_reopen(client, result),
                Action::Notify(notice) => report(&notice, context),
                Action::WakeAt(time) => self.machine_wakes_at = Some(time),
            }
        }
    }

    fn answer(&mut self, client: Client, answer: Answer, context: &Context) {
        let Some(waiting) = self.clients.get_mut(&client) else {
            return;
        };
        let is_last = match &answer {
            Answer::Wait(_) => false,
            Answer::Grant(_) => {
                waiting.has_grant = true;
                let waited = context.now.boot.since(waiting.since);
                context.metrics.claims.count_grant(&waiting.cluster, waited);
                false
            }
            Answer::Over(over) => {
                if let OverReason::NoGrant(why) = over.reason {
                    context.metrics.claims.count_no_grant(why);
                }
                true
            }
            // After `not-started` it waits for another grant.
            Answer::Noted => waiting.has_grant,
            Answer::Refused { .. } | Answer::Would { .. } => true,
        };
        // The connection may be closed: then the machine hears of it, too.
        let _ = waiting.answers.send(Box::new(answer));
        if is_last {
            self.clients.remove(&client);
        }
    }

    fn answer_reopen(&mut self, client: Client, result: Result<String, String>) {
        let Some((job, replies)) = self.reopens.remove(&client) else {
            return;
        };
        let answer = match result {
            Ok(line) => {
                let (cluster, user, name) = (job.cluster.as_str(), &job.user, &job.job);
                log::info!("cluster {cluster}: job {name} of {user}: reopened: {line}");
                Response::Done { lines: vec![line] }
            }
            Err(message) => Response::Error { message },
        };
        // The client may have gone.
        let _ = replies.try_send(answer);
    }

    /// Logs a failure of the claims' own connection. That of the leases' has messages of its own.
    pub(super) fn log_failure(&mut self, failure: &Error, now: BootTime) {
        let text = failure.to_string();
        let is_logged = self
            .logged_failure
            .as_ref()
            .is_some_and(|(logged, at)| *logged == text || now.since(*at) < LOG_PAUSE);
        if !is_logged {
            log::warn!("the store does not answer for claims: {text}; no tick is granted here until it does");
            self.logged_failure = Some((text, now));
        }
    }
}

fn report(notice: &Notice, context: &Context) {
    if let Notice::Missed { job, gap, .. } = notice {
        context.metrics.claims.count_missed(job, gap.count);
    }
    log_claims_notice(notice, &|key| context.store.full_key(key));
}
