//! This node's name.

use super::diagnostics::ValueError;
use lease::NodeName;
use policy::display::clipped;

/// What a machine is called that nobody has given a name.
const NAMELESS: [&str; 5] = [
    "localhost",
    "localhost4",
    "localhost6",
    "(none)",
    "localhost.localdomain",
];

/// The name that the file gives.
pub(super) fn given(text: &str) -> Result<NodeName, ValueError> {
    if is_nameless(text) {
        return Err(ValueError::new(
            format!("`{text}` is every machine's name"),
            "each node needs a name of its own: two of one name are taken for one",
        ));
    }
    NodeName::new(text).ok_or_else(|| {
        ValueError::new(
            format!("`{}` is no node's name", clipped(text.as_bytes())),
            "1 to 255 visible ASCII characters without `:`, such as a host name",
        )
    })
}

/// The host's name, where the file gives none.
pub(super) fn of_host(host: &str) -> Result<NodeName, String> {
    let host_shown = clipped(host.as_bytes());
    if is_nameless(host) || host.is_empty() {
        return Err(format!(
            "this host is called `{host_shown}`, as all are that nobody has named: two nodes of one name are taken for one"
        ));
    }
    NodeName::new(host).ok_or_else(|| format!("the host's name, `{host_shown}`, is no node's name"))
}

fn is_nameless(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_local = |rest: &str| rest.is_empty() || rest.starts_with('.');
    NAMELESS
        .iter()
        .any(|nameless| name.strip_prefix(nameless).is_some_and(is_local))
}
