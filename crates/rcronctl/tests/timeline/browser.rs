//! A headless Chromium, driven through Debian's chromedriver: <https://www.w3.org/TR/webdriver2/>.

use crate::http;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use testing::until;

/// The name of the field with an element's reference in WebDriver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser with one window; closed when dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: tempfile::TempDir,
    /// The driver ends if it cannot write its output.
    _output: BufReader<ChildStdout>,
}

impl Browser {
    /// Opens a file in a window of this size, in Berlin.
    pub(crate) fn open(page: &Path, width: u32, height: u32) -> Self {
        Self::open_in(page, "Europe/Berlin", width, height)
    }

    /// The same in another time zone.
    pub(crate) fn open_in(page: &Path, zone: &str, width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().expect("a directory");
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .env("TZ", zone)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver (Debian: chromium-driver)");
        let mut output = BufReader::new(driver.stdout.take().expect("piped"));
        let mut browser = Self {
            port: printed_port(&mut output),
            driver,
            session: String::new(),
            profile,
            _output: output,
        };
        browser.session = browser.new_session(width, height);
        browser.post("/url", &json!({ "url": format!("file://{}", page.display()) }));
        browser.until("document.documentElement.dataset.isDrawn === 'yes'");
        browser
    }

    fn new_session(&self, width: u32, height: u32) -> String {
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ];
        let mut arguments: Vec<String> = arguments.map(ToOwned::to_owned).to_vec();
        arguments.push(format!("--window-size={width},{height}"));
        arguments.push(format!(
            "--user-data-dir={}",
            self.profile.path().join("profile").display()
        ));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let made = http::request(self.port, "POST", "/session", Some(&wanted)).expect("an answer");
        made["value"]["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no session: {made}"))
            .to_owned()
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        self.post(
            "/execute/sync",
            &json!({ "script": format!("return {expression};"), "args": [] }),
        )
    }

    pub(crate) fn number(&self, expression: &str) -> f64 {
        let value = self.value(expression);
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    pub(crate) fn text(&self, expression: &str) -> String {
        let value = self.value(expression);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{expression} is {value}"))
            .to_owned()
    }

    /// Waits until a condition holds in the page.
    pub(crate) fn until(&self, condition: &str) {
        until(condition, || (self.value(condition) == true).then_some(()));
    }

    /// Moves the pointer there, in pixels of the window.
    pub(crate) fn point(&self, x: f64, y: f64) {
        self.act(&json!([pointer(&json!([move_to(x, y)]))]));
    }

    /// Presses the button there, moves by so many pixels, and releases it.
    pub(crate) fn drag(&self, x: f64, y: f64, by: f64) {
        let steps = json!([
            move_to(x, y),
            { "type": "pointerDown", "button": 0 },
            move_to(x + by / 2.0, y),
            move_to(x + by, y),
            { "type": "pointerUp", "button": 0 },
        ]);
        self.act(&json!([pointer(&steps)]));
    }

    /// Turns the wheel there; negative is away from the user.
    pub(crate) fn wheel(&self, x: f64, y: f64, by: i32) {
        let (x, y) = (whole(x), whole(y));
        let scroll =
            json!({ "type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": by, "duration": 0, "origin": "viewport" });
        self.act(&json!([{ "type": "wheel", "id": "wheel", "actions": [scroll] }]));
    }

    /// Presses keys, one after the other.
    pub(crate) fn keys(&self, keys: &[char]) {
        let presses = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key.to_string() })));
        let presses: Vec<Value> = presses.collect();
        self.act(&json!([{ "type": "key", "id": "keyboard", "actions": presses }]));
    }

    /// Presses a key while another is held.
    pub(crate) fn shifted(&self, held: char, key: char) {
        let press = |what: &str, key: char| json!({ "type": what, "value": key.to_string() });
        let presses = [
            press("keyDown", held),
            press("keyDown", key),
            press("keyUp", key),
            press("keyUp", held),
        ];
        self.act(&json!([{ "type": "key", "id": "keyboard", "actions": presses }]));
    }

    /// Clicks on the element that a selector finds.
    pub(crate) fn click(&self, selector: &str) {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let element = found[ELEMENT]
            .as_str()
            .unwrap_or_else(|| panic!("no {selector}: {found}"));
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Emulates a user who prefers this colour scheme.
    pub(crate) fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// The errors in the console, including what the security policy blocked.
    pub(crate) fn console_errors(&self) -> Vec<Value> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        entries
            .as_array()
            .cloned()
            .unwrap_or_else(|| panic!("no log: {entries}"))
    }

    /// Keeps a screenshot of the window for people.
    pub(crate) fn keep_screenshot(&self, name: &str) {
        let shot = self.devtools("Page.captureScreenshot", &json!({ "format": "png" }));
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        std::fs::write(&file, base64(shot["data"].as_str().expect("a picture"))).expect("written");
    }

    fn act(&self, sources: &Value) {
        self.post("/actions", &json!({ "actions": sources }));
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let mut answer = http::request(self.port, "POST", &path, Some(body)).expect("an answer");
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{path} {body}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser must end before its driver.
        let _ = http::request(self.port, "DELETE", &format!("/session/{}", self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn pointer(steps: &Value) -> Value {
    json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": steps })
}

fn move_to(x: f64, y: f64) -> Value {
    json!({ "type": "pointerMove", "duration": 0, "x": whole(x), "y": whole(y), "origin": "viewport" })
}

#[expect(clippy::cast_possible_truncation, reason = "a pixel of a window")]
fn whole(pixel: f64) -> i64 {
    pixel.round() as i64
}

/// `ChromeDriver was started successfully on port 43210.`
fn printed_port(output: &mut impl BufRead) -> u16 {
    let mut lines = output.lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        line.split_once("successfully on port ")?
            .1
            .trim_end_matches('.')
            .parse()
            .ok()
    });
    port.expect("chromedriver prints its port")
}

fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | four.get(at).map_or(0, |byte| value(*byte)));
        bits.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}
