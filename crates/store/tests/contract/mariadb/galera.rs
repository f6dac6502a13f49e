//! Three nodes of Galera, which all accept writes.

use super::{Settings, ready, settings};
use crate::client::{AT_LAST, connect, keys, open, read, refused, write, written_and_read};
use crate::{rivals, suite};
use std::time::Duration;
use store::{Change, Connection, Store, Verdict};
use testing::servers::TestServer;
use testing::servers::mariadb::Galera;
use tokio::time::timeout;

fn at_each_node(galera: &Galera) -> Vec<Box<dyn Store>> {
    galera.nodes.iter().map(|node| open(settings(node))).collect()
}

fn at_all_nodes(galera: &Galera) -> Settings {
    Settings {
        servers: galera
            .nodes
            .iter()
            .map(testing::servers::mariadb::MariaDb::address)
            .collect(),
        ..settings(&galera.nodes[0])
    }
}

/// Changes until the store answers: a change that another node's was ordered before fails, and is not done.
async fn change(store: &dyn Store, connection: &mut Box<dyn Connection>, change: &Change) -> Verdict {
    loop {
        match connection.change(change).await {
            Ok(verdict) => return verdict,
            Err(error) => assert!(error.to_string().contains("(1213)"), "{error}"),
        }
        *connection = connect(store).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn keeps_the_contract() {
    let galera = Galera::start();
    suite::all(&*open(settings(&galera.nodes[1]))).await;
    rivals::one_wins_each_time(&*open(settings(&galera.nodes[2]))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_at_one_node_is_read_at_the_others_at_once() {
    let galera = Galera::start();
    let stores = at_each_node(&galera);
    ready(settings(&galera.nodes[0])).await;
    let mut connections = Vec::new();
    for store in &stores {
        connections.push(connect(&**store).await);
    }
    for round in 0..60 {
        let value = format!("{round}").into_bytes();
        let mut wanted = write("a");
        wanted.writes[0].1.clone_from(&value);
        let done = change(&*stores[round % 3], &mut connections[round % 3], &wanted).await;
        assert_eq!(done, Verdict::Done);
        let mut revision = None;
        for reader in 1..3 {
            let found = connections[(round + reader) % 3].read(&keys()).await.expect("read");
            assert_eq!(found.items[0].as_ref().expect("there").value, value);
            assert!(revision <= found.revision, "{revision:?} {:?}", found.revision);
            revision = found.revision;
        }
    }
}

/// Each node's change is certified against the others'.
#[tokio::test(flavor = "current_thread")]
async fn one_of_three_changes_at_three_nodes_is_done() {
    let galera = Galera::start();
    let stores = at_each_node(&galera);
    ready(settings(&galera.nodes[0])).await;
    let mut connections = Vec::new();
    for store in &stores {
        connections.push(connect(&**store).await);
    }
    let [one, two, three] = &mut connections[..] else {
        panic!("three")
    };
    for round in 0..30 {
        let keys: Vec<_> = (0..3).map(|number| format!("{round}/{number}")).collect();
        // Each writes another record, on the condition that all three are missing.
        let changes = [0, 1, 2].map(|written: usize| Change {
            conditions: keys.iter().map(|key| (key.clone(), None)).collect(),
            ..write(&keys[written])
        });
        let verdicts = tokio::join!(
            change(&*stores[0], one, &changes[0]),
            change(&*stores[1], two, &changes[1]),
            change(&*stores[2], three, &changes[2]),
        );
        let verdicts = [verdicts.0, verdicts.1, verdicts.2];
        let done = verdicts.iter().filter(|verdict| **verdict == Verdict::Done).count();
        assert_eq!(done, 1, "{verdicts:?}");
        // The one that is done is there, and no other.
        let found = one.read(&keys).await.expect("read").items;
        let there: Vec<_> = found.iter().map(Option::is_some).collect();
        assert_eq!(there, verdicts.map(|verdict| verdict == Verdict::Done));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn nodes_without_a_majority_answer_nothing_and_rejoin_with_the_same_data() {
    let mut galera = Galera::start();
    let store = ready(at_all_nodes(&galera)).await;
    let last = open(settings(&galera.nodes[2]));
    let mut connection = connect(&*last).await;
    let before = written_and_read(&mut connection).await;
    galera.nodes[0].kill();
    // Two of three are a majority.
    let done = timeout(AT_LAST, async {
        loop {
            let answer = match store.connect().await {
                Ok(mut connection) => connection.change(&write("b")).await,
                Err(error) => Err(error),
            };
            if answer == Ok(Verdict::Done) {
                return;
            }
            // The nodes need the time to agree.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    done.await.expect("done");
    galera.nodes[1].kill();
    testing::until("the last node to know that it is alone", || {
        (galera.nodes[2].status("wsrep_ready") == "OFF").then_some(())
    });
    let told = connection.read(&keys()).await.expect_err("no majority").to_string();
    assert!(told.contains("has a majority"), "{told}");
    let told = refused(&*last).await;
    assert!(told.contains("not ready"), "{told}");
    // An administrator makes it the cluster, and the others join.
    galera.nodes[2].sql("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'");
    testing::until("the last node to be ready", || {
        (galera.nodes[2].status("wsrep_ready") == "ON").then_some(())
    });
    let after = read(&*last).await;
    assert_eq!((&after.incarnation, &after.items), (&before.incarnation, &before.items));
    galera.rejoin(0);
    galera.rejoin(1);
    galera.wait_until_whole();
    let rejoined = read(&*open(settings(&galera.nodes[0]))).await;
    assert_eq!(rejoined.items, before.items);
    assert!(rejoined.revision >= after.revision);
}
