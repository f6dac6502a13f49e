//! What pointer, wheel and keys do.

use crate::browser::Browser;
use crate::page::open_night;

const SHIFT: char = '\u{e008}';
const ESCAPE: char = '\u{e00c}';
const RIGHT: char = '\u{e014}';
const DOWN: char = '\u{e015}';
const SPAN: &str = "document.getElementById('plot').dataset.to - document.getElementById('plot').dataset.from";

/// The middle of the n-th shape that the selector finds, in the window.
fn bar(browser: &Browser, selector: &str, index: usize) -> (f64, f64) {
    let of = |what: &str| {
        browser.number(&format!(
            "(() => {{ const box = document.querySelectorAll('#bars {selector}')[{index}].getBoundingClientRect(); return {what}; }})()"
        ))
    };
    (of("box.x + box.width / 2"), of("box.y + box.height / 2"))
}

fn details(browser: &Browser) -> String {
    browser.until("!document.getElementById('details').hidden");
    browser.text("document.getElementById('details').innerText")
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn pointer_on_a_bar_shows_details() {
    let browser = open_night(1400, 1000);
    let (x, y) = bar(&browser, ".bar.fail", 0);
    browser.point(x, y);
    let shown = details(&browser);
    for fact in [
        "backup",
        "exit status 1",
        "/usr/local/sbin/backup --all",
        "A server1",
        "root (0)",
        "2 min",
        "01900000-0000-7000-02c8-000000000005",
    ] {
        assert!(shown.contains(fact), "{fact} in {shown}");
    }
    browser.keep_screenshot("timeline-details");
    browser.point(x, 5.0);
    browser.until("document.getElementById('details').hidden");
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn details_have_local_time_and_utc() {
    let browser = open_night(1400, 1000);
    let (x, y) = bar(&browser, ".bar.fail", 0);
    browser.point(x, y);
    let shown = details(&browser);
    let offset = browser.number("new Date(timeline.findings[0].start).getTimezoneOffset()");
    assert!(offset < 0.0, "Berlin is east");
    let local = browser.text("localTime(timeline.rows[1].runs[4].start)");
    let utc = browser.text("utcTime(timeline.rows[1].runs[4].start)");
    assert!(utc.ends_with('Z') && local[..19] != utc[..19]);
    assert!(shown.contains(&local) && shown.contains(&utc), "{shown}");
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn wheel_zooms_about_the_pointer_and_reset_shows_everything() {
    let browser = open_night(1400, 1000);
    let all = browser.number(SPAN);
    let (x, y) = bar(&browser, ".bar.fail", 0);
    for _ in 0..5 {
        browser.wheel(x, y, -240);
    }
    browser.until(&format!("{SPAN} < {all} / 4"));
    let (now_x, _) = bar(&browser, ".bar.fail", 0);
    let wide = browser.number("document.querySelector('#bars .bar.fail').getBoundingClientRect().width");
    assert!(
        (now_x - x).abs() < wide,
        "the bar is still under the pointer: {x}, {now_x}"
    );
    browser.keep_screenshot("timeline-zoomed");
    browser.click("#reset");
    browser.until(&format!("{SPAN} === {all}"));
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn drag_moves_what_is_in_view() {
    let browser = open_night(1400, 1000);
    browser.click("#in");
    browser.click("#in");
    let from = "Number(document.getElementById('plot').dataset.from)";
    browser.until(&format!("{SPAN} < 6000000"));
    let before = browser.number(from);
    let (x, y) = bar(&browser, ".rule", 1);
    browser.drag(x, y + 10.0, 150.0);
    browser.until(&format!("{from} < {before}"));
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn keys_select_runs() {
    let browser = open_night(1400, 1000);
    browser.value("document.getElementById('plot').focus()");
    browser.keys(&[RIGHT]);
    assert!(
        details(&browser).contains("onerror=alert(2)"),
        "the first row's first run"
    );
    browser.keys(&[DOWN, RIGHT]);
    browser.until("document.getElementById('details').textContent.includes('01900000-0000-7000-02c8-000000000007')");
    assert_eq!(browser.value("document.querySelectorAll('#bars .ring').length"), 1);
    browser.keys(&[ESCAPE]);
    browser.until("document.getElementById('details').hidden");
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn keys_zoom_move_and_show_findings() {
    let browser = open_night(1400, 1000);
    let all = browser.number(SPAN);
    browser.value("document.getElementById('plot').focus()");
    browser.keys(&['+', '+']);
    browser.until(&format!("Math.abs({SPAN} - {all} / 4) < 5"));
    let from = browser.number("Number(document.getElementById('plot').dataset.from)");
    browser.value("dispatchEvent(new Event('scroll'))");
    browser.keys(&['-']);
    browser.until(&format!("Math.abs({SPAN} - {all} / 2) < 5"));
    browser.keys(&['n']);
    browser.until(&format!(
        "{SPAN} < {all} / 2 && Number(document.getElementById('plot').dataset.from) !== {from}"
    ));
    browser.keys(&['0']);
    browser.until(&format!("{SPAN} === {all}"));
    browser.keys(&['+']);
    browser.until(&format!("Math.abs({SPAN} - {all} / 2) < 5"));
    let middle = browser.number("Number(document.getElementById('plot').dataset.from)");
    browser.shifted(SHIFT, RIGHT);
    browser.until(&format!(
        "Number(document.getElementById('plot').dataset.from) > {middle}"
    ));
}
