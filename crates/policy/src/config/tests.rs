use super::*;
use alloc::format;
use alloc::string::{String, ToString};
use proptest::prelude::*;

fn read(text: &[u8]) -> Result<Config, Vec<Problem>> {
    let mut config = Config::default();
    config.read(text).map(|_| config)
}

/// The value of `cluster_name`, the key that takes any text.
fn name(text: &[u8]) -> Option<Vec<u8>> {
    read(text).ok().map(|config| config.cluster_name)
}

fn first_report(text: &str) -> String {
    let problems = read(text.as_bytes()).expect_err(text);
    problems[0].report(b"rcron.conf").to_string()
}

#[test]
fn an_empty_file_is_the_defaults() {
    for text in [
        "",
        "\n",
        "\r\n",
        "   \n\t\n",
        "# comment\n; comment\n  # indented\n\t;x = y",
    ] {
        assert_eq!(read(text.as_bytes()), Ok(Config::default()), "{text:?}");
    }
}

#[test]
fn separators_and_line_ends_are_forgiving() {
    for text in [
        "cluster_name = v\n",
        "cluster_name v\n",
        "cluster_name=v\n",
        "cluster_name= v",
        "cluster_name =v\r\n",
        "cluster_name\tv",
        "cluster_name == v",
        "  cluster_name = v  \n",
        "cluster_name = = v",
        "cluster_name = \"v\"",
        "cluster_name='v' \r\n",
        "cluster_name=x\ncluster_name=v\n",
        "\u{feff}cluster_name = v",
    ] {
        assert_eq!(name(text.as_bytes()).as_deref(), Some(&b"v"[..]), "{text:?}");
    }
}

#[test]
fn values_are_literal() {
    for (written, read) in [
        ("\"two words\"", "two words"),
        ("'it is \"so\"'", "it is \"so\""),
        ("\"it's\"", "it's"),
        ("\"#;=\"", "#;="),
        ("c#x", "c#x"),
        ("a=b", "a=b"),
        ("a;b", "a;b"),
        (":", ":"),
        ("a\"b", "a\"b"),
        ("\"\"", ""),
        ("''", ""),
        ("\" v \"", " v "),
        ("nice_level=3", "nice_level=3"),
        ("\\n", "\\n"),
    ] {
        let line = format!("cluster_name = {written}\n");
        assert_eq!(name(line.as_bytes()).as_deref(), Some(read.as_bytes()), "{line}");
    }
    assert_eq!(name(b"cluster_name = caf\xe9").as_deref(), Some(&b"caf\xe9"[..]));
    let long = [&b"cluster_name="[..], &[b'x'; 65536]].concat();
    assert_eq!(name(&long).map(|name| name.len()), Some(65536));
}

#[test]
fn every_key_is_read() {
    let text = "cluster_name = web\nstate_file = /run/rcron/web\ndefault_state = PASSIVE\nsyslog_facility = local3\n\
        syslog_level = log_notice\nsyslog_socket = /run/log\nnice_level = -5\nstate_max_age = 2m\nrequire_lease = yes\n\
        on_demotion = terminate\nkill_after = 30s\njournal = none\nonce_per_tick = yes\nstart_within = 90s\nrerun = 50\noverlap = skip\n\
        claim_socket = /run/claims\n";
    let expected = Config {
        cluster_name: b"web".to_vec(),
        state_file: b"/run/rcron/web".to_vec(),
        default_state: Word::Passive,
        syslog_facility: Facility::parse(b"LOG_LOCAL3").expect("a facility"),
        syslog_level: Level::parse(b"LOG_NOTICE").expect("a level"),
        syslog_socket: b"/run/log".to_vec(),
        nice_level: -5,
        state_max_age: Some(Duration::from_secs(120)),
        require_lease: true,
        on_demotion: OnDemotion::Terminate,
        kill_after: Duration::from_secs(30),
        journal: None,
        once_per_tick: true,
        start_within: Some(Duration::from_secs(90)),
        rerun: 50,
        overlap: Overlap::Skip,
        claim_socket: b"/run/claims".to_vec(),
    };
    assert_eq!(read(text.as_bytes()), Ok(expected));
    assert_eq!(Key::ALL.len(), text.lines().count());
}

#[test]
fn refuses_what_cannot_be_meant() {
    for (text, place, message) in [
        ("nice_lvel = 5", "1:1", "unknown key `nice_lvel`"),
        ("Cluster_Name = x", "1:1", "unknown key `Cluster_Name`"),
        ("\n  [cluster]", "2:3", "there are no sections"),
        ("\n  [cluster] x", "2:3", "there are no sections"),
        ("cluster_name: x", "1:13", "`:` is not a separator"),
        ("cluster_name:x", "1:13", "`:` is not a separator"),
        ("cluster_name : x", "1:14", "`:` is not a separator"),
        ("cluster_name :", "1:14", "`:` is not a separator"),
        ("state_file :/x", "1:12", "`:` is not a separator"),
        ("cluster_name", "1:13", "no value"),
        ("cluster_name =", "1:15", "no value"),
        ("= x", "1:1", "no key before the `=`"),
        ("cluster_name = two words", "1:20", "the value has more than one word"),
        ("cluster_name = x # comment", "1:18", "the value has more than one word"),
        ("cluster_name = \"x\" y", "1:20", "the value has more than one word"),
        ("cluster_name = \"x", "1:16", "the quote is not closed on this line"),
        ("cluster_name = é \0", "1:18", "a NUL byte: this is not a text file"),
        ("default_state = inactive", "1:17", "unknown state `inactive`"),
        ("default_state = \"\"", "1:18", "unknown state ``"),
        ("state_file = ''", "1:15", "the path is empty"),
        ("nice_level = abc", "1:14", "`abc` is not a niceness"),
        ("nice_level = 3.5", "1:14", "`3.5` is not a niceness"),
        ("nice_level = 3-4", "1:14", "`3-4` is not a niceness"),
        ("nice_level = -", "1:14", "`-` is not a niceness"),
        ("syslog_facility = LOG_FOO", "1:19", "unknown facility `LOG_FOO`"),
        (
            "syslog_facility = LOG_INFO",
            "1:19",
            "`LOG_INFO` is a level, not a facility",
        ),
        (
            "syslog_level = LOG_CRON",
            "1:16",
            "`LOG_CRON` is a facility, not a level",
        ),
        ("state_max_age = 10", "1:17", "`10` has no unit"),
        ("state_max_age = 0s", "1:17", "with an age of 0 every state is stale"),
        ("kill_after = soon", "1:14", "`soon` is not a duration"),
        ("kill_after = 99999d", "1:14", "`99999d` is too long"),
        ("require_lease = true", "1:17", "unknown value `true`"),
        ("on_demotion = kill", "1:15", "unknown value `kill`"),
        ("journal = journal", "1:11", "`journal` is not an absolute path"),
        ("once_per_tick = true", "1:17", "unknown value `true`"),
        ("start_within = 999ms", "1:16", "`999ms` is not between 1s and 1d"),
        ("start_within = 25h", "1:16", "`25h` is not between 1s and 1d"),
        ("start_within = none", "1:16", "`none` is not a duration"),
        ("rerun = 51", "1:9", "`51` is not a number of reruns"),
        ("rerun = +1", "1:9", "`+1` is not a number of reruns"),
        ("rerun = no", "1:9", "`no` is not a number of reruns"),
        ("overlap = yes", "1:11", "unknown value `yes`"),
        ("claim_socket = ''", "1:17", "the path is empty"),
    ] {
        let report = first_report(text);
        let first = report.lines().next().unwrap_or_default();
        assert_eq!(first, format!("rcron.conf:{place}: {message}"), "{text:?}");
    }
}

#[test]
fn reports_show_the_line_a_caret_and_a_hint() {
    assert_eq!(
        first_report("# head\nnice_lvel = 5\n"),
        "rcron.conf:2:1: unknown key `nice_lvel`\n  2 | nice_lvel = 5\n    | ^~~~~~~~~ did you mean `nice_level`?"
    );
    assert_eq!(
        first_report("\tsyslog_facility\t=\tLOG_CRONE\r\n"),
        "rcron.conf:1:20: unknown facility `LOG_CRONE`\n  1 |  syslog_facility = LOG_CRONE\n    \
         |                    ^~~~~~~~~ did you mean `LOG_CRON`?"
    );
}

#[test]
fn a_long_line_is_shown_around_its_fault() {
    let report = first_report(&format!("cluster_name = {} b{}", "a".repeat(5000), "c".repeat(5000)));
    assert!(
        report.starts_with("rcron.conf:1:5017: the value has more than one word\n"),
        "{report}"
    );
    assert!(report.lines().all(|line| line.chars().count() < 200), "{report}");
    let lines: Vec<&str> = report.lines().collect();
    let caret = lines[2].chars().position(|character| character == '^');
    assert_eq!(
        caret,
        lines[1].chars().position(|character| character == 'b'),
        "{report}"
    );
}

#[test]
fn every_invalid_line_is_reported() {
    let problems = read(b"a = 1\ncluster_name = x\nb = 2\n").expect_err("two unknown keys");
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn niceness_out_of_range_is_warned_of_and_taken_as_0() {
    for level in ["20", "100", "-21", "4294967301", "-4294967301", "99999999999999999999"] {
        let mut config = Config::default();
        let warnings = config
            .read(format!("nice_level = {level}\n").as_bytes())
            .expect("not refused");
        assert_eq!(config.nice_level, 0, "{level}");
        let summary = warnings[0].summary(b"rcron.conf");
        let expected =
            format!("rcron.conf:1:14: nice_level {level} is out of range: 0 is used (write a number from -20 to 19)");
        assert_eq!(summary, expected);
    }
    for (text, level) in [("-20", -20), ("19", 19), ("+5", 5), ("0", 0), ("-0", 0), ("007", 7)] {
        let config = read(format!("nice_level = {text}").as_bytes()).expect(text);
        assert_eq!(config.nice_level, level);
    }
}

#[test]
fn an_option_is_taken_literally() {
    for (option, name) in [
        ("cluster_name=two words", "two words"),
        ("cluster_name=\"x\"", "\"x\""),
        ("cluster_name = a=b ", "a=b"),
        ("cluster_name=", ""),
        ("cluster_name=#x", "#x"),
    ] {
        let mut config = Config::default();
        assert_eq!(config.set(option.as_bytes()), Ok(None));
        assert_eq!(config.cluster_name, name.as_bytes(), "{option}");
    }
    for (option, summary) in [
        (
            "nice_lvel=5",
            "-o:1:1: unknown key `nice_lvel` (did you mean `nice_level`?)",
        ),
        ("nice_level", "-o:1:1: no `=` (write it as KEY=VALUE)"),
        ("=5", "-o:1:1: no key before the `=` (rcron.conf(5) lists the keys)"),
        (
            "nice_level= x",
            "-o:1:13: `x` is not a niceness (write a whole number from -20 to 19)",
        ),
    ] {
        let problem = Config::default().set(option.as_bytes()).expect_err(option);
        assert_eq!(problem.summary(b"-o"), summary);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_with_a_place(bytes: Vec<u8>) {
        if let Err(problems) = read(&bytes) {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            for problem in problems {
                prop_assert!((1..=lines).contains(&problem.line));
                prop_assert!(!problem.report(b"f").to_string().chars().any(|c| c.is_control() && c != '\n'));
            }
        }
    }

    #[test]
    fn lines_like_real_ones_are_read_or_refused(text in "(cluster_name|state_file|nice_level|kill_after|x)[ =\t]{0,3}[-'\"#a-z0-9 ]{0,12}\r?\n?") {
        if let Err(problems) = read(text.as_bytes()) {
            let report = problems[0].report(b"f").to_string();
            prop_assert!(report.contains('^'), "{}", report);
        }
    }

    #[test]
    fn a_quoted_value_is_read_back(value in "[^\"\n\0]*") {
        let line = format!("cluster_name = \"{value}\"");
        prop_assert_eq!(name(line.as_bytes()), Some(value.into_bytes()));
    }
}

#[test]
fn a_problem_of_a_text_is_shown_on_the_line_where_it_begins() {
    let text = b"first = 1\r\n\tsecond = [2,\n3]\n";
    for (bytes, shown) in [
        (0..5, "f:1:1: no\n  1 | first = 1\n    | ^~~~~"),
        (12..18, "f:2:2: no\n  2 |  second = [2,\n    |  ^~~~~~"),
        (21..27, "f:2:11: no\n  2 |  second = [2,\n    |           ^~~"),
        (28..28, "f:4:1: no\n  4 | \n    | ^"),
        (99..120, "f:4:1: no\n  4 | \n    | ^"),
    ] {
        let problem = Problem::in_text(text, bytes.clone(), "no".into());
        assert_eq!(problem.report(b"f").to_string(), shown, "{bytes:?}");
    }
}
