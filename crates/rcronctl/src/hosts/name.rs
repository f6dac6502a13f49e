//! The name of a server, as it is given to ssh(1).

use std::fmt;

/// In bytes: the longest name of DNS.
const LONGEST: usize = 253;

/// A name that ssh cannot mistake for an option, and that no command of `ssh_config` that contains it can misread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostName(String);

/// The name is not one that is given to ssh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadHostName;

/// The name of a node is not one that is given to ssh without the user having written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadNodeName;

impl HostName {
    /// A host name, an alias in `ssh_config`, an address, or one of these after `user@`.
    pub(crate) fn parse(text: &str) -> Result<Self, BadHostName> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'@' | b':');
        let begins_well = text.bytes().next().is_some_and(|byte| byte != b'-');
        if begins_well && text.len() <= LONGEST && text.bytes().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadHostName)
        }
    }

    /// The name of a node, which comes from the store: only a host name. Whoever writes the store must not choose the user, too.
    pub(super) fn of_node(name: &str) -> Result<Self, BadNodeName> {
        match Self::parse(name) {
            Ok(host) if !name.contains(['@', ':']) => Ok(host),
            _ => Err(BadNodeName),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BadHostName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            "not a name for ssh: it has letters, digits, '.', '_', ':', '@' and '-', and does not begin with '-'",
        )
    }
}

impl std::error::Error for BadHostName {}

impl fmt::Display for BadNodeName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            "its name comes from the store, and is not only letters, digits, '.', '_' and '-', or begins with '-'; if the name is \
             right, use --host",
        )
    }
}

impl std::error::Error for BadNodeName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_accepted() {
        for name in ["db1", "db1.example.org", "root@db1", "10.9.0.1", "fd00::1", "db_1-a"] {
            assert_eq!(HostName::parse(name), Ok(HostName(name.to_owned())));
        }
    }

    #[test]
    fn options_and_words_of_a_shell_are_refused() {
        let long = "a".repeat(LONGEST + 1);
        for name in [
            "",
            "-oProxyCommand=id",
            "-",
            "a b",
            "a;id",
            "$(id)",
            "a\n",
            "a/b",
            "é",
            "%h",
            "[::1]",
            &long,
        ] {
            assert_eq!(HostName::parse(name), Err(BadHostName), "{name:?}");
            assert_eq!(HostName::of_node(name), Err(BadNodeName), "{name:?}");
        }
    }

    #[test]
    fn node_is_a_host_and_not_a_user() {
        for name in ["db1", "db1.example.org", "10.9.0.1", "db_1-a"] {
            assert_eq!(HostName::of_node(name), Ok(HostName(name.to_owned())));
        }
        for name in ["root@db1", "@db1", "db1@", "fd00::1", "db1:22"] {
            assert_eq!(HostName::of_node(name), Err(BadNodeName), "{name:?}");
        }
    }
}
