//! The names of users, read again when passwd(5) changes: rcrond runs for months.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const PASSWD: &str = "/etc/passwd";

/// The users of passwd(5).
#[derive(Debug, Default)]
pub(crate) struct Users {
    names: HashMap<u32, String>,
    print: Option<(u64, i64, i64)>,
}

impl Users {
    /// Reads the file if it has changed.
    pub(crate) fn refresh(&mut self) {
        let metadata = Path::new(PASSWD).metadata().ok();
        let print = metadata.map(|metadata| (metadata.ino(), metadata.mtime(), metadata.mtime_nsec()));
        if print.is_some() && print == self.print {
            return;
        }
        self.print = print;
        self.names = journal::users();
    }

    /// The name, or the number of a user whom passwd(5) does not have. A record's own word is not trusted.
    pub(crate) fn name(&self, uid: u32) -> String {
        self.names.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }
}
