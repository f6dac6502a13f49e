//! The dashboard, drawn from what Prometheus answers. Grafana is not in Debian: `picture/draw.js` draws the panels in Chromium.

use crate::examples::dashboard;
use inputs::clock::wall_time;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use testing::process::{Done, run};
use testing::servers::prometheus::Prometheus;
use testing::servers::server;

const PAGE: &str = include_str!("picture/page.html");
const SCRIPT: &str = include_str!("picture/draw.js");
const SIZE: &str = "1206,1026";

/// Draws the last `span`, and writes a picture if there is a file for it.
///
/// # Panics
/// If a panel cannot be drawn, or has no data.
pub(crate) fn draw(prometheus: &Prometheus, span: Duration, png: Option<&Path>) {
    let to = wall_time().0.as_secs_f64();
    let input = json!({
        "dashboard": dashboard(),
        "prometheus": prometheus.address(),
        "from": to - span.as_secs_f64(),
        "to": to,
    });
    let directory = tempfile::tempdir().expect("a directory");
    let page = directory.path().join("page.html");
    // In a script, `</` could end it.
    let input = input.to_string().replace("</", "<\\/");
    let text = PAGE.replace("SCRIPT", SCRIPT).replace("INPUT", &input);
    fs::write(&page, text).expect("written");
    let drawn = browse(directory.path(), &page, "--dump-dom").stdout();
    assert!(drawn.contains("<title>drawn</title>"), "{drawn}");
    assert!(!drawn.contains("<div class=\"none\">"), "{drawn}");
    if let Some(png) = png {
        browse(directory.path(), &page, &format!("--screenshot={}", png.display()));
    }
}

fn browse(directory: &Path, page: &Path, action: &str) -> Done {
    let mut chromium = server("chromium", "chromium");
    chromium
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--disable-background-networking", "--hide-scrollbars"])
        // The clock of the page runs ahead only while no answer is awaited.
        .args(["--virtual-time-budget=60000", &format!("--window-size={SIZE}")])
        .arg(format!("--user-data-dir={}", directory.join("profile").display()))
        .arg(action)
        .arg(format!("file://{}", page.display()))
        .env("TMPDIR", directory);
    let done = run(chromium.stdin(Stdio::null()));
    assert!(done.status.success(), "{}", done.stderr());
    done
}
