//! This node's name.

use super::diagnostics::ValueError;
use lease::NodeName;
use policy::display::clipped;

/// The names of machines without a name of their own.
const GENERIC: [&str; 5] = [
    "localhost",
    "localhost4",
    "localhost6",
    "(none)",
    "localhost.localdomain",
];

/// The name in the file.
pub(super) fn given(text: &str) -> Result<NodeName, ValueError> {
    if is_generic(text) {
        return Err(ValueError::new(
            format!("`{text}` is the name of many machines"),
            "each node needs a name of its own: two nodes with one name count as one",
        ));
    }
    NodeName::new(text).ok_or_else(|| {
        ValueError::new(
            format!("`{}` cannot be the name of a node", clipped(text.as_bytes())),
            "write 1 to 255 visible ASCII characters without `:`, such as a host name",
        )
    })
}

/// The host's name, if the file has none.
pub(super) fn of_host(host: &str) -> Result<NodeName, ValueError> {
    let host_shown = clipped(host.as_bytes());
    let help = "add node = \"NAME\" at the top, or give the host a name";
    if is_generic(host) || host.is_empty() {
        let message = format!("this host is called `{host_shown}`, as many are: two nodes with one name count as one");
        return Err(ValueError::new(message, help));
    }
    let message = || format!("the host's name, `{host_shown}`, cannot be the name of a node");
    NodeName::new(host).ok_or_else(|| ValueError::new(message(), help))
}

fn is_generic(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_local = |rest: &str| rest.is_empty() || rest.starts_with('.');
    GENERIC
        .iter()
        .any(|generic| name.strip_prefix(generic).is_some_and(is_local))
}
