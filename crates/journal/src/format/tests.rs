use super::*;
use policy::tick::TickTime;
use proptest::prelude::*;
use std::string::String;

fn entry<'a>(command: &'a [u8], job: Option<&'a [u8]>) -> Entry<'a> {
    let started = WallTime(Duration::new(1_795_480_203, 123_456_789));
    Entry {
        run: RunId::new(started, [0; 10]),
        node: b"server1",
        cluster: b"web",
        job,
        command,
        user: Some(b"root"),
        uid: 0,
        wrapper: Process {
            pid: 4711,
            born: Some(123_456),
        },
        leader: Some(Process {
            pid: 4712,
            born: Some(123_457),
        }),
        boot: Some(b"b007"),
        pid_namespace: Some(4_026_531_836),
        by_default: false,
        epoch: Some(42),
        attempt: None,
        started,
        began: BootTime(Duration::from_micros(83_125_402_000)),
    }
}

fn text(record: Vec<u8>) -> String {
    String::from_utf8(record).expect("always UTF-8")
}

#[test]
fn a_start_and_an_end() {
    let entry = entry(b"backup --all", Some(b"backup"));
    let same = "\"node\":\"server1\",\"cluster\":\"web\",\"job\":\"backup\",\"command\":\"backup --all\",\"user\":\"root\",\
                \"uid\":0,\"pid\":4711,\"born\":123456,\"job_pid\":4712,\"job_born\":123457,\"boot\":\"b007\",\"pidns\":4026531836";
    let start = format!(
        "{{\"time\":\"2026-11-24T00:30:03.123456Z\",\"event\":\"start\",\"run\":\"{}\",{same},\"clock\":83125.402000,\
         \"state\":\"active\",\"epoch\":42}}\n",
        String::from_utf8_lossy(entry.run.as_bytes())
    );
    assert_eq!(text(entry.start()), start);
    for (outcome, demoted, told) in [
        (Outcome::Exited(3), false, "\"exit\":3}\n"),
        (Outcome::Killed(15), true, "\"signal\":\"SIGTERM\",\"demoted\":true}\n"),
    ] {
        let ending = Ending {
            outcome,
            signal: "SIGTERM",
            lasted: Duration::from_millis(60_007),
            demoted,
        };
        let at = WallTime(entry.started.0 + Duration::from_secs(60));
        let end = text(entry.end(&ending, at));
        assert!(
            end.starts_with("{\"time\":\"2026-11-24T00:31:03.123456Z\",\"event\":\"end\",\"run\":\""),
            "{end}"
        );
        let tail = "\"clock\":83185.409000,\"state\":\"active\",\"epoch\":42,\
                    \"started\":\"2026-11-24T00:30:03.123456Z\",\"duration\":60.007,";
        assert!(end.ends_with(&format!("{same},{tail}{told}")), "{end}");
    }
}

#[test]
fn an_attempt_of_a_tick_is_in_both_records() {
    let mut entry = entry(b"backup", Some(b"backup"));
    entry.attempt = Some(Attempt {
        tick: TickTime(1_795_480_200),
        number: 2,
    });
    let ending = Ending {
        outcome: Outcome::Exited(0),
        signal: "",
        lasted: Duration::ZERO,
        demoted: false,
    };
    for record in [entry.start(), entry.end(&ending, entry.started)] {
        let record = text(record);
        let fields = ",\"epoch\":42,\"tick\":\"2026-11-24T00:30:00Z\",\"attempt\":2";
        assert!(record.contains(fields), "{record}");
    }
}

#[test]
fn text_is_escaped_without_loss() {
    for (command, told) in [
        (
            &b"sed 's/\\./x/' \"a\"\tb\n"[..],
            "\"command\":\"sed 's/\\\\./x/' \\\"a\\\"\\u0009b\\u000a\"",
        ),
        ("grün € \u{9b}".as_bytes(), "\"command\":\"grün € \\u009b\""),
        (b"caf\xe9 \\", "\"command\":\"caf\\\\xe9 \\\\\\\\\""),
        (
            "a\u{202e}b\u{e0041}".as_bytes(),
            "\"command\":\"a\\u202eb\\udb40\\udc41\"",
        ),
        (b"\0\x7f", "\"command\":\"\\u0000\\u007f\""),
    ] {
        let record = text(entry(command, None).start());
        assert!(record.contains(told), "{record}");
        assert_eq!(
            record.contains(",\"escaped\":true"),
            core::str::from_utf8(command).is_err(),
            "{record}"
        );
        assert!(!record.contains("\"job\":"), "{record}");
    }
}

#[test]
fn a_long_command_is_cut_between_characters() {
    for (command, kept) in [
        (std::vec![b'x'; 4096], 4096),
        (std::vec![b'x'; 4097], 4096),
        ("€".repeat(2000).into_bytes(), 4095),
        (std::vec![0xff; 5000], 4096 * 4),
    ] {
        let is_cut = command.len() > LONGEST_COMMAND;
        let record = text(entry(&command, None).start());
        let shown = record.split("\"command\":\"").nth(1).expect("there");
        let shown = shown.split('"').next().expect("ended").replace("\\\\", "\\");
        assert_eq!((shown.len(), record.contains(",\"cut\":true")), (kept, is_cut));
    }
}

proptest! {
    #[test]
    fn a_record_is_one_line_of_printable_text(command: Vec<u8>, job: Vec<u8>) {
        let record = text(entry(&command, Some(&job)).start());
        prop_assert_eq!(record.find('\n'), Some(record.len() - 1));
        prop_assert!(record[..record.len() - 1].chars().all(policy::display::is_printable));
    }
}
