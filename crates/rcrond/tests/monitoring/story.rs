//! What happens on the site while the picture of the dashboard is made: some minutes of work and faults.

use crate::server::Server;
use std::thread;
use std::time::{Duration, Instant};
use testing::process::{Running, name};
use testing::servers::TestServer;
use testing::servers::redis::Redis;
use testing::until;

/// Lets the servers work. Returns how long it took.
pub(crate) fn tell(servers: &mut [Server; 3], redis: &Redis) -> Duration {
    let begin = Instant::now();
    let crons: Vec<Running> = servers.iter().map(Server::runs_jobs_each_minute).collect();
    pass(50);
    servers[0].drains();
    pass(40);
    servers[0].undrains();
    pass(20);
    for _ in 0..3 {
        redis.pause();
        thread::sleep(Duration::from_millis(1100));
        redis.resume();
        pass(5);
    }
    servers[2].has_jobs(|job| job != "mail");
    // A difference counts when it has lasted for a minute.
    pass(65);
    servers[0].is_active();
    is_killed(&servers[0], servers[0].starts("import", &["sleep", "1000"]));
    servers[0].loses_rcrond();
    servers.iter().for_each(Server::breaks_a_job);
    pass(50);
    servers[0].starts_rcrond();
    // The newest runs are some seconds old.
    pass(45);
    drop(crons);
    begin.elapsed()
}

/// Time is what the picture shows.
fn pass(seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
}

/// rcron and its job `import`, by SIGKILL, once its start is in the journal.
fn is_killed(server: &Server, rcron: Running) {
    let job = rcron.job("sleep");
    server.has_recorded("import");
    drop(rcron);
    until("the job to end", || (name(job) != "sleep").then_some(()));
}
