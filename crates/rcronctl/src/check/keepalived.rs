//! keepalived's own notify scripts, as far as they were meant to write a state file. keepalived 2 executes them without a shell.

use super::configuration::Cluster;
use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use jobs::root::Root;
use policy::display::clipped;
use std::path::{Path, PathBuf};
use sys::file::Unreadable;

const FILE: &str = "/etc/keepalived/keepalived.conf";
/// Where distributions and people put what the file includes.
const INCLUDED: &str = "/etc/keepalived/conf.d";
const LARGEST: usize = 1 << 20;
const MOST_FILES: usize = 100;

pub(crate) fn check(root: &Root, clusters: &[Cluster], report: &mut Report) {
    let names = root
        .locate(Path::new(INCLUDED))
        .and_then(|located| located.names(MOST_FILES));
    let names = names.unwrap_or_default().into_iter().take(MOST_FILES);
    let included = names.map(|name| Path::new(INCLUDED).join(name.name));
    for file in [PathBuf::from(FILE)].into_iter().chain(included) {
        let Ok(located) = root.locate(&file) else { continue };
        let text = match located.read(LARGEST) {
            Ok(contents) => contents.bytes,
            Err(Unreadable::System(error)) => {
                report.cannot_read(Group::State, &located.outside, &error);
                continue;
            }
            Err(_) => continue,
        };
        let place = Place::file(&located.outside);
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            if let Some(script) = shell_script(line).filter(|script| is_for_rcron(script.command, clusters)) {
                report.add(describe(&place.at(number, script.column), &script));
            }
        }
    }
}

fn describe(place: &Place, script: &Script) -> Finding {
    let (keyword, command) = (String::from_utf8_lossy(script.keyword), clipped(script.command));
    let what = format!("{keyword} is written for a shell: {command}");
    let remedy = "use rcron-keepalived(8), or `rcronctl set active` and `rcronctl set passive` as the scripts";
    let finding = Finding::wrong(Kind::KeepalivedShell, place, what, remedy);
    finding.because("keepalived 2 executes it without a shell, so the state file is never written")
}

struct Script<'t> {
    keyword: &'t [u8],
    /// Where the command begins in the line, from 1.
    column: usize,
    command: &'t [u8],
}

/// `notify_master "echo active > FILE"`, also for the other states and without quotes.
fn shell_script(line: &[u8]) -> Option<Script<'_>> {
    let content = line.trim_ascii_start();
    let length = content.iter().position(u8::is_ascii_whitespace)?;
    let (keyword, rest) = content.split_at(length);
    let is_notify = keyword.starts_with(b"notify") && !keyword.ends_with(b"fifo") && !keyword.ends_with(b"fifo_script");
    let rest = rest.trim_ascii();
    let command = match rest.split_first()? {
        (quote @ (b'"' | b'\''), inside) => inside.split(|byte| byte == quote).next()?,
        _ => rest.split(|byte| matches!(byte, b'#' | b'!')).next()?.trim_ascii_end(),
    };
    let mut words = command.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let program = words.next()?.rsplit(|byte| *byte == b'/').next()?;
    let has_shell =
        matches!(program, b"sh" | b"bash" | b"dash") && words.next().is_some_and(|word| word.ends_with(b"c"));
    let needs_shell = command.iter().any(|byte| b">|;&$`".contains(byte));
    (is_notify && needs_shell && !has_shell).then(|| Script {
        keyword,
        column: line.len() - content.len() + length + 2,
        command,
    })
}

/// Other scripts are not rcron's concern.
fn is_for_rcron(command: &[u8], clusters: &[Cluster]) -> bool {
    let has = |text: &[u8]| command.windows(text.len()).any(|part| part == text);
    has(b"rcron") || clusters.iter().any(|cluster| has(&cluster.config.state_file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_need_a_shell_are_found() {
        for (line, command) in [
            (
                "    notify_master \"/bin/echo active > /x\"",
                Some("/bin/echo active > /x"),
            ),
            (
                "notify_backup '/bin/echo passive >/x' root",
                Some("/bin/echo passive >/x"),
            ),
            (
                "notify_fault /bin/echo passive | tee /x # comment",
                Some("/bin/echo passive | tee /x"),
            ),
            ("notify \"echo $3 >/x\"", Some("echo $3 >/x")),
            ("notify_stop \"/bin/sh -c 'echo passive > /x'\"", None),
            ("notify_master \"/usr/bin/rcronctl set active\"", None),
            ("notify_master /etc/keepalived/master.sh", None),
            ("notify_fifo \"/run/x>\"", None),
            ("# notify_master \"echo a > /x\"", None),
            ("notify_master", None),
            ("", None),
        ] {
            let found =
                shell_script(line.as_bytes()).map(|script| String::from_utf8_lossy(script.command).into_owned());
            assert_eq!(found.as_deref(), command, "{line}");
        }
    }
}
