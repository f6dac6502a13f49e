use super::*;
use proptest::prelude::*;

fn text(time: Option<CivilTime>) -> alloc::string::String {
    let Some(time) = time else { return "none".into() };
    let CivilTime {
        month,
        day,
        hour,
        minute,
        second,
    } = time;
    alloc::format!("{:02}-{day:02} {hour:02}:{minute:02}:{second:02}", month + 1)
}

#[test]
fn rules_say_when_it_is_summer() {
    for (rule, utc, expected) in [
        ("UTC0", 1_795_480_203, "11-24 00:30:03"),
        ("IST-5:30", 1_795_480_203, "11-24 06:00:03"),
        ("<+0330>-3:30", 1_795_480_203, "11-24 04:00:03"),
        // 2026-03-29 and 2026-10-25, 01:00 UTC.
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_745_999, "03-29 01:59:59"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_746_000, "03-29 03:00:00"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_889_999, "10-25 02:59:59"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_890_000, "10-25 02:00:00"),
        // 2026-03-08, 07:00 UTC, without saying so.
        ("EST5EDT", 1_772_953_199, "03-08 01:59:59"),
        ("EST5EDT", 1_772_953_200, "03-08 03:00:00"),
        // South of the equator: 2026-04-04 16:00 UTC and 2026-01-01.
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_775_318_399, "04-05 02:59:59"),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_775_318_400, "04-05 02:00:00"),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_767_225_600, "01-01 11:00:00"),
        // 2028 is a leap year: J60 is 1 March, and day 60 too.
        ("AAA0BBB,J60/0,J300", 1_835_481_599, "02-29 23:59:59"),
        ("AAA0BBB,J60/0,J300", 1_835_481_600, "03-01 01:00:00"),
        ("AAA0BBB,60/0,300", 1_835_481_600, "03-01 01:00:00"),
        ("EST5EDT,0/0,J365/25", 1_767_225_600, "12-31 20:00:00"),
    ] {
        assert_eq!(text(by_rule(rule.as_bytes(), utc)), expected, "{rule} {utc}");
    }
}

#[test]
fn other_texts_are_not_rules() {
    for rule in [
        "",
        "Europe/Berlin",
        "C",
        "CET",
        "CET-1CEST,M3.5.0",
        "A0B,J60/0,J300",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "<CET-1",
    ] {
        assert_eq!(by_rule(rule.as_bytes(), 0), None, "{rule}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_accepted_or_rejected(bytes: Vec<u8>, utc: u64) {
        let _ = by_rule(&bytes, utc);
        let file = [MAGIC, &bytes].concat();
        let _ = by_file(&file, utc);
    }

    #[test]
    fn rules_of_every_shape_are_read(name in "[A-Z]{3,4}|<[+-][0-9]{2}>", offset in "[+-]?[0-9]{1,2}(:[0-5][0-9])?", day in "J[0-9]{1,3}|[0-9]{1,3}|M[0-9]{1,2}\\.[0-9]\\.[0-9]", utc in 0u64..1 << 40) {
        let rule = alloc::format!("{name}{offset}{name},{day},{day}/-1");
        let _ = by_rule(rule.as_bytes(), utc);
    }
}

#[test]
fn rule_is_the_last_line_of_a_file() {
    let file = |content: &[u8]| Zone::File(content.to_vec());
    for (zone, expected) in [
        (Zone::Utc, Some(&b"UTC0"[..])),
        (Zone::Rule(b"EST5".to_vec()), Some(b"EST5")),
        (
            file(b"TZif2 \x00\nCET-1CEST,M3.5.0,M10.5.0/3\n"),
            Some(b"CET-1CEST,M3.5.0,M10.5.0/3"),
        ),
        (file(b"TZif2 \x00\n\n"), None),
        (file(b"TZif2 \x00"), None),
        (file(b"TZif\n"), None),
        (file(b"other\nEST5\n"), None),
        (file(b""), None),
    ] {
        assert_eq!(zone.rule(), expected, "{zone:?}");
    }
}
