//! `examples/prometheus`: the rules and the dashboard on a real Prometheus that scrapes real rcronds and a real node_exporter, all on
//! loopback. Each rcrond has crontabs of its own, in a mount namespace.

mod examples;
mod picture;
mod prometheus;
mod rules;
mod scrape;
mod server;
mod story;
