//! Whether tmpfiles.d(5) creates a directory at boot.

use jobs::root::Root;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const DIRECTORIES: [&str; 4] = [
    "/etc/tmpfiles.d",
    "/run/tmpfiles.d",
    "/usr/lib/tmpfiles.d",
    "/usr/local/lib/tmpfiles.d",
];
const LARGEST: usize = 1 << 20;
const MOST_FILES: usize = 10_000;

pub(crate) fn make(root: &Root, directory: &Path) -> bool {
    let names = |name: &str| {
        root.locate(Path::new(name))
            .and_then(|located| located.names(MOST_FILES))
    };
    DIRECTORIES.into_iter().any(|holder| {
        let names = names(holder).unwrap_or_default().into_iter();
        let mut files = names.map(|name| Path::new(holder).join(name.name));
        files.any(|file| file.extension().is_some_and(|end| end == "conf") && is_in(root, &file, directory))
    })
}

fn is_in(root: &Root, file: &Path, directory: &Path) -> bool {
    let contents = root.locate(file).ok().and_then(|located| located.read(LARGEST).ok());
    contents.is_some_and(|contents| is_made_by(&contents.bytes, directory))
}

fn is_made_by(text: &[u8], directory: &Path) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        let kind = fields.next().and_then(|kind| kind.first());
        let path = fields.next().unwrap_or_default();
        let path = path
            .strip_prefix(b"/var")
            .filter(|rest| rest.starts_with(b"/run/"))
            .unwrap_or(path);
        matches!(kind, Some(b'd' | b'D' | b'v' | b'q' | b'Q'))
            && without_slash(path) == directory.as_os_str().as_bytes()
    })
}

fn without_slash(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tmpfiles_create_the_directory() {
        for (line, is_made) in [
            ("d /run/rcron 0755 root root", true),
            ("d! /run/rcron/ -", true),
            ("D\t/var/run/rcron", true),
            ("# d /run/rcron", false),
            ("d /run/rcron/deeper", false),
            ("L /run/rcron - - - - /x", false),
            ("", false),
        ] {
            assert_eq!(is_made_by(line.as_bytes(), Path::new("/run/rcron")), is_made, "{line}");
        }
    }
}
