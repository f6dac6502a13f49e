//! Each kind of mistake and its exact message: rejected.txt.

use super::*;

#[test]
fn each_mistake_has_its_message() {
    let cases: Vec<&str> = include_str!("rejected.txt").split("\n\n").collect();
    assert!(cases.len() > 90, "{}", cases.len());
    for case in cases {
        let (text, expected) = case_of(case);
        assert_eq!(problems(&text), expected, "{case}\n\n{text}");
    }
}

#[test]
fn bytes_that_are_not_text_are_reported_with_their_place() {
    assert_eq!(
        problems("\0"),
        ["1:2: key with no value, expected `=` (see rcrond.toml(5) for the syntax)"]
    );
    let Err(diagnostic) = load_from(b"node = \"n\"\n# \xff\n", &web1()) else {
        panic!("accepted");
    };
    assert_eq!(
        diagnostic.full,
        "rcrond.toml:2:3: this is not UTF-8\n  2 | # \u{fffd}\n    |   ^ save the file as UTF-8"
    );
}

/// A case consists of a line with the place of the text, the indented text, and the expected messages.
fn case_of(case: &str) -> (String, Vec<&str>) {
    let mut lines = case.lines();
    let place = lines.next().expect("a place");
    let (text, expected): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("    "));
    let text: Vec<&str> = text.into_iter().map(|line| &line[4..]).collect();
    let text = format!("{}\n", text.join("\n"));
    let text = match place {
        "the whole file:" => text,
        "at the top:" => at_top(&text),
        "in [[cluster]]:" => in_cluster(&text),
        "in [etcd]:" => in_etcd(&text),
        "in [postgresql]:" => in_postgresql(&text),
        "in [mariadb]:" => in_mariadb(&text),
        "in [redis]:" => in_redis(&text),
        other => panic!("{other}"),
    };
    (text, expected)
}
