use super::*;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn times(text: &str, dialect: Dialect) -> Result<Times, BadField> {
    let mut start = 0;
    let fields: Vec<(&[u8], usize)> = text
        .split(' ')
        .map(|field| {
            let at = start;
            start += field.len() + 1;
            (field.as_bytes(), at)
        })
        .collect();
    Times::parse(fields.try_into().expect("five fields"), dialect)
}

/// A field of Debian's cron as its numbers, or where it is wrong.
fn shown(text: &str, dialect: Dialect) -> String {
    match times(&format!("{text} * * * *"), dialect) {
        Ok(times) => format!("{:?}", times.minutes),
        Err(BadField { field, offset }) => format!("{} {offset}", field.name()),
    }
}

/// Each was tried with Debian's cron 3.0pl1-162. cronie: its crontab(5) and src/entry.c of version 1.7.
#[test]
fn minutes_are_read_as_the_crons_read_them() {
    for (text, debian, cronie) in [
        ("5", "{5}", "{5}"),
        ("05", "{5}", "{5}"),
        ("1,3,5-7", "{1, 3, 5, 6, 7}", "{1, 3, 5, 6, 7}"),
        ("*/20", "{0, 20, 40}", "{0, 20, 40}"),
        ("*/100", "{0}", "{0}"),
        ("10-20/5", "{10, 15, 20}", "{10, 15, 20}"),
        ("1-1/9", "{1}", "{1}"),
        ("5-3", "{}", "{}"),
        ("4294967301", "{5}", "{5}"),
        ("60", "minute 0", "minute 0"),
        ("5,60", "minute 2", "minute 2"),
        ("1-70", "minute 0", "minute 0"),
        ("*/0", "minute 0", "minute 0"),
        ("1-5/0", "minute 0", "minute 0"),
        ("*/4294967296", "minute 0", "minute 0"),
        ("*/4294967295", "minute 0", "minute 0"),
        ("99999999999999999999", "minute 0", "minute 0"),
        ("*/-1", "minute 0", "minute 0"),
        ("5/3", "minute 0", "minute 1"),
        ("5,", "minute 2", "minute 2"),
        (",5", "minute 0", "minute 0"),
        ("5x", "minute 0", "minute 0"),
        ("1-", "minute 0", "minute 0"),
        ("-5", "minute 0", "minute 0"),
        ("H", "minute 0", "minute 0"),
        ("?", "minute 0", "minute 0"),
        ("\\*", "minute 0", "minute 0"),
        ("1-5x", "minute 0", "minute 0"),
        ("*/5x", "minute 0", "minute 0"),
        ("1.5", "{1}", "minute 1"),
        ("1-2-3", "{1, 2}", "minute 3"),
        ("1-2/1/3", "{1, 2}", "minute 5"),
        ("1-2,*x,60", "{0, 1, 2, 3, 4, 5, 6, 7, 8, 9", "minute 5"),
        ("~", "minute 0", "{0, 1, 2, 3, 4"),
        ("1~3", "{1}", "{1, 2, 3}"),
        ("3~1", "{3}", "minute 0"),
        ("57~", "{57}", "{57, 58, 59}"),
    ] {
        for (dialect, expected) in [(Dialect::Debian, debian), (Dialect::Cronie, cronie)] {
            let shown = shown(text, dialect);
            assert!(shown.starts_with(expected), "{text} for {dialect:?}: {shown}");
        }
    }
}

#[test]
fn names_are_those_of_months_and_weekdays() {
    for (text, is_valid) in [
        ("* * * jan-MAR,dec *", true),
        ("* * * jan-3/2 *", true),
        ("* * * january *", false),
        ("* * * mon *", false),
        ("* * * jan/2 *", false),
        ("* * * 0 *", false),
        ("* * * * sun,mon-wed", true),
        ("* * * * 7", true),
        ("* * * * 8", false),
        ("* * * * jan", false),
        ("* * 0 * *", false),
        ("* 24 * * *", false),
        ("* sun * * *", false),
    ] {
        for dialect in [Dialect::Debian, Dialect::Cronie] {
            assert_eq!(times(text, dialect).is_ok(), is_valid, "{text}");
        }
    }
    let weekdays = |text, dialect| format!("{:?}", times(text, dialect).expect("valid").weekdays);
    assert_eq!(weekdays("* * * * sun-7", Dialect::Debian), "{0, 1, 2, 3, 4, 5, 6}");
    assert_eq!(weekdays("* * * * fri-7", Dialect::Debian), "{0, 5, 6}");
    assert_eq!(weekdays("* * * * fri-sun", Dialect::Debian), "{}");
    assert_eq!(weekdays("* * * * fri-sun", Dialect::Cronie), "{0, 5, 6}");
}

/// 2026-11-30 is a Monday.
const MONDAY: Minute = Minute {
    minute: 12,
    hour: 15,
    day: 30,
    month: 11,
    weekday: 1,
};

#[test]
fn minutes_match_as_in_cron() {
    for (text, is_match) in [
        ("* * * * *", true),
        ("12 15 30 nov mon", true),
        ("13 * * * *", false),
        ("* 14 * * *", false),
        ("* * 29 * *", false),
        ("* * * 10 *", false),
        ("* * * * 2", false),
        // One of the two days suffices, unless one of them is a star.
        ("* * 3 * 1", true),
        ("* * 30 * 4", true),
        ("* * 1-31 * 4", true),
        ("* * 3 * 4", false),
        ("* * */1 * 4", false),
        ("* * 1,* * 4", true),
        ("* * 3 * *", false),
        ("* * 3 * 0,*", true),
    ] {
        let schedule = Schedule::Times(times(text, Dialect::Debian).expect("valid"));
        assert_eq!(schedule.matches(MONDAY), is_match, "{text}");
    }
}

#[test]
fn nicknames_stand_for_fields() {
    let sunday = Minute {
        minute: 0,
        hour: 0,
        day: 1,
        month: 1,
        weekday: 0,
    };
    let at = |change: fn(&mut Minute)| {
        let mut minute = sunday;
        change(&mut minute);
        minute
    };
    let minutes = [
        sunday,
        at(|at| at.month = 2),
        at(|at| at.day = 2),
        at(|at| at.weekday = 1),
        at(|at| at.hour = 1),
        at(|at| at.minute = 1),
    ];
    for (name, expected) in [
        ("yearly", [true, false, false, true, false, false]),
        ("annually", [true, false, false, true, false, false]),
        ("monthly", [true, true, false, true, false, false]),
        ("weekly", [true, true, true, false, false, false]),
        ("daily", [true, true, true, true, false, false]),
        ("midnight", [true, true, true, true, false, false]),
        ("hourly", [true, true, true, true, true, false]),
        ("reboot", [false; 6]),
    ] {
        let schedule = Schedule::of_nickname(name.as_bytes()).expect("known");
        assert_eq!(minutes.map(|minute| schedule.matches(minute)), expected, "{name}");
        assert!(!schedule.is_never(), "{name}");
    }
    for unknown in ["Daily", "fortnightly", "every_minute", "5", ""] {
        assert_eq!(Schedule::of_nickname(unknown.as_bytes()), None);
    }
}

#[test]
fn schedules_that_never_match_are_known() {
    for (text, is_never) in [
        ("* * * * *", false),
        ("0 0 29 2 *", false),
        ("0 0 30 2 *", true),
        ("0 0 31 2,4,6,9,11 *", true),
        ("0 0 31 2 1", false),
        ("5-3 * * * *", true),
        ("* 23-1 * * *", true),
        ("* * * dec-jan *", true),
        ("* * * * fri-sun", true),
        ("* * 1 * fri-sun", false),
        ("* * 31-30 * 1", false),
    ] {
        let schedule = Schedule::Times(times(text, Dialect::Debian).expect("valid"));
        assert_eq!(schedule.is_never(), is_never, "{text}");
    }
}

proptest! {
    /// Also for hostile texts: numbers of any length, steps that wrap.
    #[test]
    fn any_field_is_read(text in "[0-9*/,~a-z-]{0,30}") {
        for dialect in [Dialect::Debian, Dialect::Cronie] {
            for field in Field::ALL {
                match field.parse(text.as_bytes(), dialect) {
                    Ok(parsed) => prop_assert_eq!(parsed.set.0 & !field.all().0, 0),
                    Err(offset) => prop_assert!(offset <= text.len()),
                }
            }
        }
    }
}
