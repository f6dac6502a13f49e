//! Questions to Prometheus.

use serde_json::Value;
use testing::servers::prometheus::Prometheus;
use testing::until;

/// The data of an answer of Prometheus' API.
///
/// # Panics
/// If it is an error.
pub(crate) fn ask(prometheus: &Prometheus, path: &str) -> Value {
    let body = prometheus.get(path).expect("an answer");
    let mut answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
    assert_eq!(answer["status"], "success", "{path}: {body}");
    answer["data"].take()
}

/// The samples of an expression at this moment.
pub(crate) fn query(prometheus: &Prometheus, expression: &str) -> Vec<Value> {
    let path = format!("/api/v1/query?query={}", encoded(expression));
    let data = ask(prometheus, &path);
    data["result"].as_array().expect("a list").clone()
}

/// Waits until an expression has a sample.
pub(crate) fn becomes_true(prometheus: &Prometheus, expression: &str) {
    until(expression, || (!query(prometheus, expression).is_empty()).then_some(()));
}

/// Waits until an expression has no sample.
pub(crate) fn becomes_false(prometheus: &Prometheus, expression: &str) {
    until(&format!("no {expression}"), || {
        query(prometheus, expression).is_empty().then_some(())
    });
}

/// The expression of an alert that fires.
pub(crate) fn firing(alert: &str) -> String {
    format!("ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}")
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
