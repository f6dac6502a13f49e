//! `rcronctl completions`, `help` and `--version`.

use crate::fixture::Fixture;
use testing::program::{output_to_a_full_disk_fails, own_version_lines};

#[test]
fn are_printed_for_each_shell() {
    let fixture = Fixture::new(None);
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef rcronctl"),
        ("fish", "complete -c rcronctl"),
    ] {
        assert!(fixture.output(0, ["completions", shell]).contains(part));
    }
}

#[test]
fn help_is_a_command_and_an_option() {
    let fixture = Fixture::new(None);
    let help = fixture.output(0, ["help"]);
    assert!(help.contains("Usage: rcronctl"), "{help}");
    assert_eq!(help, fixture.output(0, ["--help"]));
    assert_eq!(fixture.output(0, ["help", "set"]), fixture.output(0, ["set", "--help"]));
}

#[test]
fn version() {
    assert!(own_version_lines("rcronctl").is_empty());
    output_to_a_full_disk_fails("rcronctl", 2);
}
