//! An invented night, with which the README shows the page: three servers, and a crash at 03:10.

use crate::browser::Browser;
use crate::journal::Journal;
use crate::program::page_since;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
/// The crash in seconds after the begin of the night, which is 21:00.
const CRASH: i64 = 6 * HOUR + 10 * MINUTE;
/// At this tick an operator made another server active, while the first one still was.
const HANDOVER: i64 = 7 * HOUR + 40 * MINUTE;

/// A job as the crontab has it.
struct Job {
    name: &'static str,
    command: &'static str,
    /// Of its ticks, in seconds after 21:00.
    first: i64,
    period: i64,
    /// How long a run takes: one of these after the other, in seconds.
    lasts: &'static [i64],
}

const JOBS: [Job; 6] = [
    job(
        "backup",
        "/usr/local/sbin/backup --all --to /srv/backup",
        4 * HOUR,
        24 * HOUR,
        &[95 * MINUTE],
    ),
    job(
        "invoices",
        "/opt/shop/bin/invoices --send",
        5 * MINUTE,
        HOUR,
        &[410, 380, 395, 460],
    ),
    job(
        "search-index",
        "/opt/shop/bin/search-index",
        17 * MINUTE,
        30 * MINUTE,
        &[610, 585, 700, 640, 595],
    ),
    job(
        "send-mail",
        "/opt/shop/bin/send-mail --queue",
        0,
        5 * MINUTE,
        &[31, 24, 47, 28],
    ),
    job(
        "sync-stock",
        "/opt/shop/bin/sync-stock",
        0,
        20 * MINUTE,
        &[190, 205, 180],
    ),
    job(
        "warm-cache",
        "curl -fsS https://shop.example.org/warm",
        12 * MINUTE,
        15 * MINUTE,
        &[12, 9, 14],
    ),
];

const fn job(name: &'static str, command: &'static str, first: i64, period: i64, lasts: &'static [i64]) -> Job {
    Job {
        name,
        command,
        first,
        period,
        lasts,
    }
}

/// The night of 21:00 to about 06:00, in the zone in which it ends now.
struct Night {
    begin: Timestamp,
    /// The name of that zone.
    zone: String,
    journals: [Journal; 3],
}

impl Night {
    fn new() -> Self {
        let now = Timestamp::now();
        let hour = Timestamp::from_second(now.as_second() / HOUR * HOUR).expect("a time");
        let begin = hour - SignedDuration::from_hours(9);
        let mut journals = ["server1", "server2", "server3"].map(|server| Journal::new(server, begin));
        for job in JOBS {
            job.write(now.as_second() - begin.as_second(), &mut journals);
        }
        let utc = i64::from(hour.to_zoned(TimeZone::UTC).hour());
        // The signs of these zones are POSIX's: UTC-5 is five hours behind.
        let behind = (utc - 6 + 11).rem_euclid(24) - 11;
        let zone = format!("Etc/GMT{behind:+}");
        Self { begin, zone, journals }
    }

    fn open(&self, width: u32, height: u32) -> Browser {
        let journals: Vec<&Journal> = self.journals.iter().collect();
        let page = page_since(&self.begin.to_string(), &journals);
        Browser::open_in(&page.file, &self.zone, width, height)
    }
}

impl Job {
    /// All runs that have ended by `now`, and the one that the crash cut off.
    fn write(&self, now: i64, [one, two, three]: &mut [Journal; 3]) {
        let mut lasts = self.lasts.iter().cycle();
        for start in (self.first..now).step_by(usize::try_from(self.period).expect("positive")) {
            let lasts = *lasts.next().expect("endless");
            let has_failed = self.name == "warm-cache" && start == 4 * HOUR + 12 * MINUTE;
            let ran = |journal: &mut Journal, start| {
                if start + lasts < now {
                    let exit = if has_failed { 22 } else { 0 };
                    journal.ran_command(Some(self.name), self.command, start, lasts, exit);
                }
            };
            if start < CRASH && start + lasts > CRASH {
                one.started_command(self.name, self.command, start);
            } else if start < CRASH {
                ran(one, start);
            } else if start == HANDOVER && self.name == "sync-stock" {
                ran(two, start);
                ran(three, start + 1);
            } else if start > CRASH {
                ran(if start <= HANDOVER { two } else { three }, start);
            }
        }
    }
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn a_night_with_a_crash_has_two_findings() {
    let browser = Night::new().open(1400, 1100);
    let title = "web: which server ran what, and when";
    assert_eq!(browser.text("document.title"), title);
    assert_eq!(browser.text("document.querySelector('h1').textContent"), title);
    let cells = "[0, 1, 2, 4].map((index) => row.cells[index].textContent.replace(/....-..-../, 'DAY'))";
    let findings = format!("[...document.querySelectorAll('#findings tbody tr')].map((row) => {cells})");
    assert_eq!(
        browser.value(&findings),
        json!([
            ["ran nowhere", "send-mail every 5 min", "DAY 03:10:00", "–"],
            [
                "ran twice",
                "sync-stock every 20 min",
                "DAY 04:40:00 – 04:40:01",
                "server2, server3"
            ],
        ])
    );
    assert_eq!(browser.console_errors(), Vec::<serde_json::Value>::new());
    // The picture of the README.
    browser.keep_screenshot("timeline-story");
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn findings_stand_above_the_timeline_and_can_be_hidden() {
    let browser = Night::new().open(1400, 700);
    let bottom = "document.getElementById('findings-card').getBoundingClientRect().bottom";
    let top_of_timeline = "document.getElementById('chart').getBoundingClientRect().top";
    let open = browser.number(top_of_timeline);
    assert!(browser.number(bottom) < open && open < 700.0, "{open}");
    browser.click("summary");
    browser.until("!document.getElementById('findings').checkVisibility()");
    assert!(browser.number(top_of_timeline) < open - 100.0);
    assert_eq!(
        browser.text("document.querySelector('summary').innerText"),
        "Findings\n2"
    );
}
