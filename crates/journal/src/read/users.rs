//! Names of users, from passwd(5): a static program cannot ask the name service.

use std::collections::HashMap;
use std::sync::OnceLock;

/// The name of a user. The name in the record is used only if passwd(5) has neither the user nor this name.
pub(crate) fn name(uid: u32, said: Option<&str>) -> Option<String> {
    let is_free = |said: &&str| !local().values().any(|name| name == said);
    local()
        .get(&uid)
        .cloned()
        .or_else(|| said.filter(is_free).map(str::to_owned))
}

/// The users of passwd(5).
pub(crate) fn known() -> impl Iterator<Item = u32> {
    local().keys().copied()
}

fn local() -> &'static HashMap<u32, String> {
    static LOCAL: OnceLock<HashMap<u32, String>> = OnceLock::new();
    LOCAL.get_or_init(read)
}

/// The names of the users that passwd(5) has now.
#[must_use]
pub fn read() -> HashMap<u32, String> {
    parse(&std::fs::read_to_string("/etc/passwd").unwrap_or_default())
}

/// If a uid is in several lines, the first one counts.
fn parse(passwd: &str) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in passwd.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(uid))) = (fields.next(), fields.nth(1).map(str::parse)) {
            names.entry(uid).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_cannot_claim_the_name_of_another_user() {
        let root = name(0, Some("mallory"));
        assert_eq!(root.as_deref(), Some("root"));
        assert_eq!(name(u32::MAX - 7, Some("root")), None);
        assert_eq!(
            name(u32::MAX - 7, Some("alice-of-ldap")).as_deref(),
            Some("alice-of-ldap")
        );
    }
}
