//! Elects the active server of each cluster by a lease in a store: rcrond(8).

mod config;
mod daemon;
mod disk;
mod news;
mod outside;
mod store_side;

fn main() {
    if let Ok(c) = config::load(std::path::Path::new("x")) {
        let _ = daemon::run(c, std::path::Path::new("x"));
    }
}
