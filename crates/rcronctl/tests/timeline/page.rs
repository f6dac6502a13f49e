//! What the page shows.

use crate::browser::Browser;
use crate::journal::Journal;
use crate::program::{evening, page};
use std::os::unix::fs::PermissionsExt;

const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u{2028}<!--";

/// A night with a failover that cost two ticks, and one tick that ran twice.
pub(crate) fn night() -> [Journal; 2] {
    let origin = evening();
    let mut one = Journal::new("server1", origin);
    let mut two = Journal::new("server2", origin);
    for tick in 0..10 {
        one.ran("backup", tick * 600, 120, u8::from(tick == 4));
    }
    for tick in 12..20 {
        two.ran("backup", tick * 600, 120, 0);
    }
    one.started("report", 5_400);
    two.ran("report", 9_000, 1_200, 0);
    one.ran("vacuum", 10_800, 60, 0);
    two.ran("vacuum", 10_801, 60, 0);
    one.ran_command(None, HOSTILE, 3_000, 300, 0);
    [one, two]
}

/// Opens the page of that night.
pub(crate) fn open_night(width: u32, height: u32) -> Browser {
    let [one, two] = night();
    Browser::open(&page(&[&one, &two]).file, width, height)
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn has_a_row_for_each_job_and_a_bar_for_each_run() {
    let browser = open_night(1400, 1000);
    let names = browser.value("[...document.querySelectorAll('.label .name')].map((name) => name.title)");
    assert_eq!(names, serde_json::json!([HOSTILE, "backup", "report", "vacuum"]));
    let drawn = "[...document.querySelectorAll('#bars [data-runs]')]";
    assert_eq!(browser.value(&format!("{drawn}.length")), 23);
    assert_eq!(
        browser.value(&format!(
            "{drawn}.filter((bar) => bar.dataset.status === 'fail').length"
        )),
        1
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#bars .bar.s0').length"),
        13,
        "of server1"
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#bars .bar.s1').length"),
        10,
        "of server2"
    );
    let servers = "[...document.querySelectorAll('#servers li')].map((item) => item.textContent)";
    assert_eq!(browser.value(servers), serde_json::json!(["Aserver1", "Bserver2"]));
    assert_eq!(browser.console_errors(), Vec::<serde_json::Value>::new());
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn has_findings_in_the_timeline_and_in_the_table() {
    let browser = open_night(1400, 1000);
    assert_eq!(
        browser.value("document.querySelectorAll('#bars .band.twice').length"),
        1
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#bars .band.nowhere').length"),
        1
    );
    let rows = "[...document.querySelectorAll('#findings tbody tr')].map((row) => row.cells[0].textContent + ': ' + row.cells[1].textContent)";
    let rows = browser.value(rows);
    for expected in [
        "2 ticks ran nowhere: backup every 10 min",
        "ran twice: vacuum",
        "has not run since: backup every 10 min",
    ] {
        assert!(
            rows.as_array().is_some_and(|rows| rows.contains(&expected.into())),
            "{expected} in {rows}"
        );
    }
    browser.click("#findings tbody tr:nth-child(2) button");
    browser.until("!document.getElementById('details').hidden");
    let details = browser.text("document.getElementById('details').textContent");
    assert!(details.contains("This tick ran on server1 and server2"), "{details}");
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn hostile_command_stays_text() {
    let browser = open_night(1400, 1000);
    assert_eq!(
        browser.value("document.scripts.length"),
        2,
        "the data and the script of the page"
    );
    assert_eq!(browser.value("document.images.length"), 0);
    let shown = browser.text("document.querySelector('.label .name').firstChild.data");
    assert_eq!(shown, HOSTILE);
    // The policy stops the script of an element that is added anyway.
    browser.value("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.isHit = 1\">')");
    browser.until("[...document.images].every((image) => image.complete)");
    assert!(browser.value("window.isHit === undefined") == true);
    assert!(
        !browser.console_errors().is_empty(),
        "the console shows what the policy blocked"
    );
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn hostile_cluster_stays_text_in_the_title() {
    let mut journal = Journal::new("server1", evening());
    HOSTILE.clone_into(&mut journal.cluster);
    journal.ran("backup", 0, 1, 0);
    let browser = Browser::open(&page(&[&journal]).file, 1400, 1000);
    let title = format!("{HOSTILE}: which server ran what, and when");
    assert_eq!(browser.text("document.querySelector('h1').firstChild.data"), title);
    assert_eq!(browser.value("document.querySelector('h1').children.length"), 0);
    // The browser makes one blank of the separator of lines.
    assert!(browser.text("document.title").starts_with(&HOSTILE[..60]));
    assert_eq!(browser.console_errors(), Vec::<serde_json::Value>::new());
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn only_the_owner_can_read_the_page() {
    let [one, two] = night();
    let page = page(&[&one, &two]);
    let mode = page.file.metadata().expect("written").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn twenty_thousand_runs_need_few_shapes() {
    let origin = evening();
    let mut one = Journal::new("server1", origin);
    for run in 0..20_000 {
        one.ran(&format!("job{}", run % 25), run * 4 / 5, 1, u8::from(run % 1000 == 0));
    }
    let browser = Browser::open(&page(&[&one]).file, 1400, 1000);
    let runs =
        "[...document.querySelectorAll('#bars [data-runs]')].reduce((sum, bar) => sum + Number(bar.dataset.runs), 0)";
    assert_eq!(
        browser.text("document.querySelector('#figures strong').textContent"),
        "20,000"
    );
    assert!(browser.number(runs) > 10_000.0, "those of the rows in view");
    assert!(browser.number("document.querySelectorAll('#bars *').length") < 12_000.0);
    browser.keep_screenshot("timeline-20000");
    assert_eq!(browser.console_errors(), Vec::<serde_json::Value>::new());
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn too_many_runs_are_joined_and_the_page_says_so() {
    let origin = evening();
    let mut one = Journal::new("server1", origin);
    for run in 0..60_000 {
        one.ran(&format!("job{}", run % 5), run * 3 / 10, 1, u8::from(run % 10_000 == 0));
    }
    let page = page(&[&one]);
    let size = std::fs::metadata(&page.file).expect("there").len();
    assert!(size < 12 << 20, "{size}");
    let browser = Browser::open(&page.file, 1400, 1000);
    let figures = browser.value("[...document.querySelectorAll('#figures li')].map((item) => item.textContent)");
    assert_eq!((&figures[0], &figures[4]), (&"60,000runs".into(), &"6failed".into()));
    let notice = browser.text("document.getElementById('joined').textContent");
    assert!(
        notice.starts_with("60,000 runs are too many to show each: "),
        "{notice}"
    );
    assert_eq!(browser.console_errors(), Vec::<serde_json::Value>::new());
}
