//! The answer to a dry run.

use super::super::naming::{Named, NotNamed};
use super::{ClaimService, Context, rank_delay};
use claims::{JobKey, Permission, StopReason};
use policy::claim::Answer;

impl ClaimService {
    /// What would happen to the claim, as far as this server knows. The store is not asked.
    pub(super) fn would(
        &self,
        job: &JobKey,
        has_job: bool,
        named: Result<Named, NotNamed>,
        context: &Context,
    ) -> Answer {
        let named = match named {
            Ok(named) => named,
            Err(NotNamed::TooLate(tick)) => {
                let text = match tick {
                    Some(_) => "it would not be started: start_within is over",
                    None => "it would not be started: the schedule has no time that is less than start_within ago",
                };
                return Answer::Would {
                    tick,
                    text: text.to_owned(),
                };
            }
            Err(NotNamed::Refused(refusal)) => {
                return Answer::Refused {
                    message: refusal.to_string(),
                };
            }
        };
        let left = named.deadline.since(context.now.boot);
        let left = inputs::words::seconds(left);
        let cluster = context.facts.clusters.get(&job.cluster);
        let text = match cluster.map(|cluster| cluster.permission) {
            _ if context.facts.session.is_none() => {
                format!("rcrond has no session in the store: rcron would wait for one for {left}")
            }
            Some(Permission::Active { until, .. }) if until > context.now.boot => {
                "this server is active: rcrond would claim the tick, and grant it unless it was started before"
                    .to_owned()
            }
            Some(Permission::Shared { until }) if until > context.now.boot => {
                let delay = rank_delay(&self.peers, context.node, has_job, job, context.now.boot);
                if delay.is_zero() {
                    "this server is the first to claim this job: rcrond would claim the tick, and grant it unless it was started before"
                        .to_owned()
                } else {
                    let delay = inputs::words::seconds(delay);
                    format!(
                        "other servers come first for this job: rcrond would claim the tick {delay} after rcron's start"
                    )
                }
            }
            Some(Permission::None(StopReason::ClockAhead)) => {
                format!("this server's clock is ahead of all others': rcron would wait for {left}")
            }
            _ => format!(
                "this server is passive: rcron would wait for {left}, and start the job if this server becomes active and no other has \
                 started it"
            ),
        };
        Answer::Would {
            tick: Some(named.tick),
            text,
        }
    }
}
