//! Many connections that make the same change at the same moment.

use std::future::poll_fn;
use std::task::Poll;
use store::{Answer, Change, Store, Verdict};

const RIVALS: usize = 8;
const ROUNDS: usize = 50;

/// Only one change succeeds each version of a record, and the other record that it writes is the winner's too.
pub(crate) async fn one_wins_each_time(store: &dyn Store) {
    let mut connections = Vec::new();
    for _ in 0..RIVALS {
        connections.push(store.connect().await.expect("connected"));
    }
    let key = "rivals".to_owned();
    for round in 0..ROUNDS {
        let asker = &mut connections[round % RIVALS];
        let found = asker.read(std::slice::from_ref(&key)).await.expect("read");
        let version = found.items[0].as_ref().map(|item| item.version);
        let proof = format!("won/{round}");
        let changes: Vec<_> = (0..RIVALS)
            .map(|rival| Change {
                incarnation: found.incarnation.clone(),
                conditions: vec![(key.clone(), version), (proof.clone(), None)],
                writes: [&key, &proof]
                    .map(|key| (key.clone(), rival.to_string().into_bytes()))
                    .into(),
            })
            .collect();
        let calls = connections.iter_mut().zip(&changes);
        let verdicts = run_together(calls.map(|(connection, change)| connection.change(change)).collect()).await;
        let won: Vec<_> = (0..RIVALS).filter(|rival| verdicts[*rival] == Verdict::Done).collect();
        assert_eq!(won.len(), 1, "round {round}: {verdicts:?}");

        let found = connections[0].read(&[key.clone(), proof]).await.expect("read").items;
        let winner = won[0].to_string().into_bytes();
        assert!(found.into_iter().all(|item| item.expect("there").value == winner));
    }
}

/// Polls all calls together, so that they run at the same time.
async fn run_together(mut calls: Vec<Answer<'_, Verdict>>) -> Vec<Verdict> {
    let mut verdicts = vec![None; calls.len()];
    poll_fn(|context| {
        for (call, verdict) in calls.iter_mut().zip(&mut verdicts) {
            if verdict.is_none() {
                if let Poll::Ready(answer) = call.as_mut().poll(context) {
                    *verdict = Some(answer.expect("answered"));
                }
            }
        }
        if verdicts.contains(&None) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    verdicts.into_iter().flatten().collect()
}
