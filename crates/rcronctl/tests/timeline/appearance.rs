//! Light and dark colours, and a narrow window.

use crate::browser::Browser;
use crate::page::open_night;
use serde_json::json;

fn colours(browser: &Browser) -> Vec<String> {
    let of = |selector: &str, property: &str| {
        browser.text(&format!(
            "getComputedStyle(document.querySelector('{selector}')).{property}"
        ))
    };
    vec![
        of("body", "backgroundColor"),
        of("body", "color"),
        of("#bars .bar.s0", "fill"),
        of(".card", "backgroundColor"),
    ]
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn dark_and_light_differ_in_every_colour() {
    let browser = open_night(1400, 1000);
    browser.prefer("light");
    let light = colours(&browser);
    browser.keep_screenshot("timeline-light");
    browser.prefer("dark");
    let dark = colours(&browser);
    browser.keep_screenshot("timeline-dark");
    for (light, dark) in light.iter().zip(&dark) {
        assert_ne!(light, dark);
    }
    assert_eq!(browser.console_errors(), Vec::<serde_json::Value>::new());
}

#[test]
#[ignore = "needs chromium and chromedriver: `make test` installs them and runs it"]
fn narrow_window_does_not_scroll_sideways() {
    let browser = open_night(1400, 1000);
    let phone = json!({ "width": 390, "height": 1500, "deviceScaleFactor": 1, "mobile": false });
    browser.devtools("Emulation.setDeviceMetricsOverride", &phone);
    browser.until("innerWidth === 390 && document.getElementById('plot').clientWidth < 300");
    browser
        .until("document.getElementById('bars').viewBox.baseVal.width === document.getElementById('plot').clientWidth");
    assert!(browser.value("document.documentElement.scrollWidth <= 390") == true);
    browser.keep_screenshot("timeline-narrow");
}
