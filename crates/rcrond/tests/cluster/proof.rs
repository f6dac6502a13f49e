//! That the lab does what the stories rely on. Without rcrond.

use crate::stores::Single;
use crate::stores::etcd::{self, Etcd};
use crate::stores::postgresql::PostgreSql;
use crate::stores::redis::Redis;
use crate::story::Site;
use platform::clock::wall_time;

#[test]
#[ignore = "needs root, etcd, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn the_network_of_the_lab_is_cut_where_it_says_so_and_nowhere_else() {
    let site = Site::new();
    let etcd = Etcd::start(&site.lab, &site.data(), &site.folder());
    let nodes = site.nodes();
    let reaches = |node: usize, store: usize| {
        let address = &etcd.members[store].host.address;
        nodes[node].host.within(|| etcd::get(address, "/version")).is_some()
    };
    assert!(reaches(0, 0) && reaches(1, 0) && reaches(0, 1));
    let (node, store) = (&*nodes[0].host, &etcd.members[0].host);
    site.lab.lose(&[node], &[store]);
    assert!(!reaches(0, 0) && reaches(1, 0) && reaches(0, 1));
    site.lab.heal();
    assert!(reaches(0, 0));
    site.lab.lose(&[store], &[node]);
    assert!(!reaches(0, 0) && reaches(1, 0) && reaches(0, 1));
    site.lab.part(&[node], &etcd.hosts());
    assert!(!reaches(0, 0) && reaches(1, 0) && !reaches(0, 1));
    site.lab.heal();
    assert!(reaches(0, 0));
}

#[test]
#[ignore = "needs root, etcd, nftables and iproute2: `make test` installs them and runs it"]
fn a_member_of_etcd_is_lost_and_comes_back_and_each_has_its_own_wall_clock() {
    let site = Site::new();
    let mut etcd = Etcd::start(&site.lab, &site.data(), &site.folder());
    let first = etcd.leader();
    etcd.members[first].kill();
    let second = etcd.leader();
    assert_ne!(first, second);
    etcd.members[first].start();
    etcd.wait_until_whole();
    if Etcd::CLOCKS_CAN_BE_SET {
        for offset in [86_400, -86_400, 0] {
            etcd.members[first].set_wall_clock(offset);
            assert_off(etcd.members[first].wall_clock(), offset);
            assert_off(etcd.members[second].wall_clock(), 0);
        }
    }
}

#[test]
#[ignore = "needs root, postgresql, redis-server, iproute2 and libfaketime: `make test` installs them and runs it"]
fn a_server_is_killed_loses_its_data_and_has_its_own_wall_clock() {
    let site = Site::new();
    let mut postgresql = PostgreSql::new(&site.lab, &site.data(), &site.folder());
    loses_its_data(&mut postgresql);
    drop(postgresql);
    let site = Site::new();
    loses_its_data(&mut Redis::new(&site.lab, &site.data(), &site.folder()));
}

fn loses_its_data(server: &mut impl Single) {
    server.start();
    for offset in [86_400, -86_400] {
        server.clock().set(&format!("{offset:+}"));
        assert_off(server.wall_clock(), offset);
    }
    server.clock().set("+0");
    server.leave_a_mark();
    server.kill();
    server.start();
    assert!(server.has_the_mark());
    server.kill();
    server.lose_data();
    server.start();
    assert!(!server.has_the_mark());
}

fn assert_off(clock: i64, expected: i64) {
    let off = clock - i64::try_from(wall_time().0.as_secs()).expect("now");
    assert!((off - expected).abs() < 60, "{off} s off, not {expected} s");
}
