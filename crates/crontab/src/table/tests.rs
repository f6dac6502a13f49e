use super::*;
use crate::entry::DEFAULT_PATH;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

const MINE: Kind = Kind::User(b"me");

fn commands(text: &str, kind: Kind) -> Vec<(usize, String, String)> {
    let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = |entry: Entry| (entry.line, text_of(entry.user), text_of(&entry.command));
    let crontab = Crontab::parse(text.as_bytes(), kind, Dialect::Debian);
    crontab.entries.into_iter().map(shown).collect()
}

fn only_entry(line: &str) -> Entry<'_> {
    Crontab::parse(line.as_bytes(), MINE, Dialect::Debian).entries.remove(0)
}

#[test]
fn jobs_are_found_among_comments_and_variables() {
    let text =
        "# comment\n\nPATH=/x\n  # another\n0 3 * * 1-5  rcron a b\n\t@daily\tb\n*/5 * * * *\nnonsense\n@reboot x";
    let me = || "me".to_owned();
    let expected = [
        (5, me(), "rcron a b".into()),
        (6, me(), "b".into()),
        (9, me(), "x".into()),
    ];
    assert_eq!(commands(text, MINE), expected);
}

#[test]
fn schedules_are_kept_as_written() {
    assert_eq!(only_entry("  0 3\t*  * 1-5  a").schedule, b"0 3\t*  * 1-5");
    assert_eq!(only_entry("@reboot a").schedule, b"@reboot");
}

#[test]
fn system_crontabs_name_the_user() {
    let found = commands("0 3 * * * root\trcron a\n@hourly www b\n", Kind::System);
    let expected = [(1, "root".into(), "rcron a".into()), (2, "www".into(), "b".into())];
    assert_eq!(found, expected);
}

#[test]
fn percent_sign_ends_the_command_unless_it_is_escaped() {
    for (line, command, percent) in [
        (r"@daily a %b", "a ", Some(10)),
        (r"@daily date +\%F", "date +%F", None),
        (r"@daily a \% b%c", "a % b", Some(14)),
        (r"@daily grün %x", "grün ", Some(13)),
    ] {
        let entry = only_entry(line);
        assert_eq!(String::from_utf8_lossy(&entry.command), command);
        assert_eq!(entry.percent, percent, "{line}");
    }
    let entry = only_entry(r"@daily \%x y");
    assert_eq!((entry.column(0), entry.column(1), entry.column(3)), (8, 10, 12));
}

#[test]
fn variables_are_those_above_the_job() {
    let text = b"A=1\n@daily x\n \"B b\" = ' two '\nA = \"2\nPATH=/a:/b\n@daily y\n0 0 * * * X=1 z\nA=3\n";
    let found = Crontab::parse(text, MINE, Dialect::Debian).entries;
    assert_eq!(found[0].variable(b"A"), Some(&b"1"[..]));
    assert_eq!(found[0].path(), DEFAULT_PATH);
    assert_eq!(found[0].variable(b"B b"), None);
    assert_eq!(
        found[1].variable(b"A"),
        Some(&b"1"[..]),
        "cron takes an open quote as a job"
    );
    assert_eq!(found[1].variable(b"B b"), Some(&b" two "[..]));
    assert_eq!(found[1].path(), b"/a:/b");
    assert_eq!(found[2].command, b"X=1 z");
}

#[test]
fn long_lines_are_returned_as_skipped() {
    let long = "x".repeat(LONGEST_LINE);
    let text = format!("@daily a\n@daily {long}\n# {long}\nA={long}\n@daily b\n");
    let crontab = Crontab::parse(text.as_bytes(), MINE, Dialect::Debian);
    assert_eq!(crontab.skipped, [2, 4]);
    assert_eq!(crontab.entries.len(), 2);
}

/// A copy of all variables for each entry took 4 GB here.
#[test]
fn large_crontabs_share_their_variables() {
    let text = "A=1\n@daily x\n".repeat(70_000);
    let entries = Crontab::parse(text.as_bytes(), MINE, Dialect::Debian).entries;
    assert_eq!(entries.len(), 70_000);
    let shared = entries
        .iter()
        .all(|entry| Arc::ptr_eq(&entry.variables, &entries[0].variables));
    assert!(shared);
    assert_eq!(entries[69_999].variable(b"A"), Some(&b"1"[..]));
}

proptest::proptest! {
    #[test]
    fn any_text_is_parsed(text in proptest::collection::vec(proptest::sample::select(b"@a1 *\t\n\\%='\"#\xc3".to_vec()), 0..60)) {
        for kind in [MINE, Kind::System] {
            for entry in Crontab::parse(&text, kind, Dialect::Debian).entries {
                let columns: Vec<usize> = (0..entry.command.len()).map(|offset| entry.column(offset)).collect();
                proptest::prop_assert!(columns.is_sorted() && columns[0] > 1);
                proptest::prop_assert!(!entry.schedule.is_empty() && !entry.user.is_empty());
            }
        }
    }
}

/// What Debian's cron 3.0pl1-162 rejects, and what cronie's source rejects. The column is 0 for a line that is accepted.
#[test]
fn mistakes_are_those_of_the_crons() {
    let long = |length| alloc::format!("0 3 * * * root {}", "x".repeat(length));
    for (line, debian, cronie) in [
        ("0 3 * * * root true", 0, 0),
        ("\t@hourly\troot\ttrue", 0, 0),
        ("60 * * * * root true", 1, 1),
        ("*/0 * * * * root true", 1, 1),
        ("0 3 * mon * root true", 7, 7),
        ("@fortnightly root true", 1, 1),
        ("@daily* root true", 1, 1),
        ("@Daily root true", 1, 1),
        ("H H * * * root true", 1, 1),
        ("0 0 3 * * * root true", 11, 11),
        ("@daily * true", 8, 8),
        ("0 3 * * *", 10, 10),
        ("0 3 * * * root", 15, 15),
        ("0 3 * * * root ", 0, 0),
        ("0 3 * *", 8, 8),
        ("@reboot", 8, 8),
        ("hello", 1, 1),
        ("\u{feff}0 3 * * * root true", 1, 1),
        ("\u{feff}# comment", 1, 1),
        ("\r", 1, 1),
        ("0 3 * * * root true\r", 0, 0),
        ("# comment\0", 0, 0),
        ("0 3 * * * root a\0b", 17, 17),
        ("  --more", 3, 4),
        ("A=", 1, 1),
        ("A=1", 0, 0),
        ("0\u{b}3 * * * root true", 11, 2),
        ("1.5 * * * * root true", 0, 2),
        ("*x * * * * root true", 0, 2),
        ("0~5 * * * * root true", 0, 0),
        ("-* * * * * root true", 1, 0),
        (&long(998), 0, 0),
        (&long(999), 16, 0),
        (&long(131_072), 16, 16),
    ] {
        for (dialect, column) in [(Dialect::Debian, debian), (Dialect::Cronie, cronie)] {
            let text = alloc::format!("{line}\n");
            let crontab = Crontab::parse(text.as_bytes(), Kind::System, dialect);
            let found = crontab.mistakes.first().map_or(0, |mistake| mistake.column);
            let shown: String = line.chars().take(40).collect();
            assert_eq!(found, column, "{shown} for {dialect:?}: {:?}", crontab.mistakes);
        }
    }
}

#[test]
fn mistakes_of_a_users_crontab_differ() {
    for (line, debian, cronie) in [
        ("0 3 * * *", 0, 10),
        ("@daily", 0, 7),
        ("0 3 * * ", 9, 9),
        ("0 3 * * * * true", 11, 11),
        ("-* * * * * true", 1, 1),
        (&["0 3 * * *   ", &"x".repeat(998)].concat(), 0, 0),
        (&["0 3 * * *   ", &"x".repeat(999)].concat(), 13, 0),
    ] {
        for (dialect, column) in [(Dialect::Debian, debian), (Dialect::Cronie, cronie)] {
            let crontab = Crontab::parse(line.as_bytes(), MINE, dialect);
            let found = crontab.mistakes.first().map_or(0, |mistake| mistake.column);
            assert_eq!(found, column, "{dialect:?}: {:?}", crontab.mistakes);
        }
    }
    let crontab = Crontab::parse(b"-* * * * * true", Kind::User(b"root"), Dialect::Cronie);
    assert_eq!(crontab.mistakes, []);
}

#[test]
fn reasons_name_the_field() {
    let text = b"\n0 24,x * * * root a\n@x root a\n\n0 0 3 * * *,2 root a\n";
    let crontab = Crontab::parse(text, Kind::System, Dialect::Debian);
    let shown: Vec<String> = crontab
        .mistakes
        .iter()
        .map(|mistake| {
            let word = String::from_utf8_lossy(mistake.reason.word()).into_owned();
            format!("{}:{}: {} {word}", mistake.line, mistake.column, mistake.reason)
        })
        .collect();
    let expected = [
        "2:3: bad hour 24,x",
        "3:1: unknown schedule @x",
        "5:11: a schedule has five fields; this is the sixth *,2",
    ];
    assert_eq!(shown, expected);
    assert_eq!(crontab.entries.len(), 3, "they are examined all the same");
    assert!(crontab.entries.iter().all(|entry| entry.when.is_none()));
}

#[test]
fn last_line_needs_a_newline_unless_it_is_a_comment() {
    for (text, line) in [
        ("A=1\n@daily a", Some(2)),
        ("\nA=1", Some(2)),
        ("@daily a\n", None),
        ("@daily a\n# b", None),
        ("@daily a\n \t", None),
        ("", None),
    ] {
        let crontab = Crontab::parse(text.as_bytes(), MINE, Dialect::Debian);
        assert_eq!(crontab.unfinished, line, "{text:?}");
    }
}
