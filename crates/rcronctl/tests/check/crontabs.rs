//! Crontabs.

use crate::tree::{Cron, JOBS, Tree};
use std::time::{Duration, Instant};

const MINE: &str = "/var/spool/cron/crontabs/me";

/// Expects that a job of root's in /etc/cron.d has only this finding, at this column.
#[track_caller]
fn job(command: &str, severity: &str, kind: &str, column: usize) {
    let tree = Tree::clean();
    tree.job(command);
    tree.finds_only(severity, kind, &format!("{JOBS}:1:{column}"));
}

#[test]
fn commands_outside_rcron_are_reported() {
    job("rcron backup && b", "wrong", "outside-runs", 29);
    job("rcron backup; b", "wrong", "outside-runs", 28);
    job("rcron backup > /srv/f", "wrong", "outside-truncates", 29);
    job("rcron backup | b", "hint", "outside-pipe", 29);
    job("rcron backup; rcron backup > /srv/f", "wrong", "outside-truncates", 43);
    job("if rcron backup; then b; fi", "wrong", "outside-runs", 33);
    job("{ rcron backup; b; }", "wrong", "outside-runs", 30);
    job("! rcron backup || b", "wrong", "outside-runs", 31);
    job("sh -c 'rcron backup && b'", "wrong", "outside-runs", 36);
    job("flock /srv/l -c 'rcron backup; b'", "wrong", "outside-runs", 45);
}

#[test]
fn what_is_not_judged_is_a_hint() {
    job("echo $(rcron backup)", "hint", "not-judged", 21);
    job("case $x in a) rcron backup; b;; esac", "hint", "not-judged", 28);
    job("sh -c 'rcron \"backup'", "hint", "not-judged", 22);
    let tree = Tree::clean();
    tree.write(JOBS, "SHELL=/usr/bin/fish\n0 3 * * * root rcron backup; and b\n");
    tree.finds_only("hint", "not-judged", "/etc/cron.d/jobs:2:16");
}

#[test]
fn rejected_arguments_are_reported() {
    job("rcron --cnf x backup", "wrong", "usage", 22);
    job("rcron -vx backup", "wrong", "usage", 22);
    job("rcron -v --job", "wrong", "usage", 25);
    job("rcron -v --job 'a b' backup", "wrong", "usage", 31);
    job("rcron", "wrong", "usage", 16);
    job("rcron -n backup", "hint", "dry-run", 22);
    job("rcron --conf /etc/rcron/no.conf backup", "wrong", "conf-missing", 29);
    job(
        "rcron backup --conf /etc/rcron/rcron.conf",
        "wrong",
        "options-after-job",
        29,
    );
    job("rcron backup -o nice_level=3", "wrong", "options-after-job", 29);
}

#[test]
fn missing_program_is_wrong() {
    job("rcron bakup", "wrong", "job-not-found", 22);
    job("rcron /opt/backup", "wrong", "job-not-found", 22);
    job("rcron /etc/rcron/rcron.conf", "wrong", "job-not-found", 22);
    job("rcron /etc/rcron", "wrong", "job-not-found", 22);
    job("rcron ''", "wrong", "job-not-found", 22);
    job("rcron 'bakup && b'", "wrong", "job-not-found", 23);
    job("/opt/rcron backup", "wrong", "rcron-not-found", 16);
    let tree = Tree::clean();
    tree.write(JOBS, "PATH=$PATH:/bin\n0 3 * * * root rcron /usr/bin/backup\n");
    tree.finds_only("wrong", "rcron-not-found", "/etc/cron.d/jobs:2:16");
}

#[test]
fn shell_words_without_a_shell_are_reported() {
    job("rcron cd /x '&&' b", "wrong", "shell-words", 28);
    job("rcron backup '&&' b", "hint", "shell-words", 29);
    job("rcron backup \\> /srv/f", "hint", "shell-words", 29);
    job("rcron backup '2>&1'", "hint", "shell-words", 29);
}

#[test]
fn percent_sign_ends_the_command() {
    job("rcron backup 50%", "hint", "percent", 31);
    job("rcron \"backup $(date +%F)\"", "wrong", "percent", 38);
    job("rcron 'backup", "wrong", "open-quote", 22);
}

#[test]
fn correct_lines_have_no_finding() {
    for command in [
        "rcron backup >/dev/null 2>&1",
        "rcron backup >>/var/log/backup 2>&1 || logger failed",
        "rcron 'backup && b > c | d; e'",
        "rcron --job x 'cd /x && ./job'",
        "cd /x && rcron ./job",
        "nice rcron anything",
        "A=1 rcron backup",
        "rcron PATH=/opt job",
        "rcron backup --conf /etc/backup.conf --dry-run -v",
        "rcron $JOB",
        "rcron backup +\\%F",
        "if rcron backup; then :; else b; fi",
        "/usr/bin/rcron \"backup $X\"",
        "[ -x /usr/bin/rcron ] && rcron backup",
    ] {
        let tree = Tree::clean();
        tree.job(command);
        assert_eq!(tree.findings(), [], "{command}");
    }
}

#[test]
fn ignored_crontab_is_wrong_if_it_has_wrapped_jobs() {
    let tree = Tree::clean();
    tree.mode(JOBS, 0o664);
    tree.finds_only("wrong", "crontab-ignored", JOBS);
    tree.write(JOBS, "0 3 * * * root backup\n");
    tree.mode(JOBS, 0o664);
    tree.finds_nothing();
    tree.job("rcron backup");
    if tree.give_away(JOBS) {
        tree.finds_only("wrong", "crontab-ignored", JOBS);
    }
}

#[test]
fn name_that_debian_ignores_is_wrong_on_debian() {
    let tree = Tree::clean();
    tree.use_cron(Cron::Cronie);
    tree.write("/etc/cron.d/more.sh", "0 4 * * * root rcron backup\n");
    tree.write("/etc/cron.d/jobs.dpkg-old", "0 4 * * * root rcron backup\n");
    tree.finds_nothing();
    tree.use_cron(Cron::Debian);
    tree.finds_only("wrong", "crontab-ignored", "/etc/cron.d/more.sh");
    assert!(tree.text(&[]).contains("-> rename it, for example to more-sh\n"));
    tree.write("/etc/default/cron", "EXTRA_OPTS='-l'\n");
    tree.finds_nothing();
}

#[test]
fn missing_last_newline_is_wrong() {
    let tree = Tree::clean();
    tree.write(MINE, "0 3 * * * rcron backup");
    tree.mode(MINE, 0o600);
    tree.finds_only("wrong", "crontab-no-newline", &format!("{MINE}:1:23"));
    tree.crontab("# a comment does no harm");
    tree.finds_nothing();
    tree.crontab("@daily rcron backup\n@daily other");
    tree.finds_only("wrong", "crontab-no-newline", &format!("{MINE}:2:13"));
    tree.use_cron(Cron::Cronie);
    tree.finds_nothing();
}

#[test]
fn directory_in_place_of_a_crontab_is_wrong() {
    let tree = Tree::clean();
    tree.directory("/etc/crontab");
    tree.finds_only("wrong", "crontab-unreadable", "/etc/crontab");
}

#[test]
fn user_field_belongs_in_system_crontabs_only() {
    let tree = Tree::clean();
    tree.crontab("0 3 * * * root rcron backup\n");
    tree.finds_only("wrong", "crontab-user", "/var/spool/cron/crontabs/me:1:11");
    let tree = Tree::clean();
    tree.write(JOBS, "0 3 * * * rcron backup\n");
    tree.finds_only("wrong", "crontab-user", "/etc/cron.d/jobs:1:17");
}

#[test]
fn job_name_of_two_commands_is_a_hint() {
    let tree = Tree::clean();
    tree.program("/usr/bin/other");
    tree.write(
        JOBS,
        "0 3 * * * root rcron -j x backup\n0 4 * * * root rcron -j x other\n",
    );
    tree.finds_only("hint", "job-name-twice", "/etc/cron.d/jobs:2:25");
}

#[test]
fn unwrapped_job_is_a_hint() {
    let tree = Tree::clean();
    let twins = "0 3 * * * root rcron backup --all\n";
    tree.write(
        "/etc/crontab",
        "0 4 * * * root backup --all >/dev/null\n5 * * * * root other\n",
    );
    tree.write(JOBS, twins);
    tree.finds_only("hint", "unwrapped", "/etc/crontab:1:16");
    tree.remove("/etc/crontab");
    let jobs = "@reboot root clean\n1 * * * * root cd / && run-parts /x\n2 * * * * root other\n";
    tree.write(JOBS, &format!("{}{jobs}", twins.repeat(4)));
    tree.finds_only("hint", "unwrapped", "/etc/cron.d/jobs:7:16");
}

/// In a crontab of 920 kB, a copy of the variables for each job took 4 GB and two minutes.
#[test]
fn large_crontab_takes_bounded_memory_and_time() {
    let tree = Tree::clean();
    tree.crontab(&"A=1\n@daily rcron backup\n".repeat(920_000 / 24));
    let start = Instant::now();
    let output = tree.check_with_memory(200 << 20, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(start.elapsed() < Duration::from_secs(100), "{:?}", start.elapsed());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("/crontabs/me: 38333 jobs, 38333 wrapped"), "{text}");
}

/// A crontab of 1 MiB has room for 69,905 of these lines.
#[test]
fn lines_that_are_not_examined_are_listed_as_not_seen() {
    let tree = Tree::clean();
    tree.crontab(&format!("{}@daily rcron -x\n", "@daily rcron x\n".repeat(69_000)));
    tree.program("/usr/bin/x");
    tree.finds_only("wrong", "usage", &format!("{MINE}:69001:14"));
    tree.crontab(&"@daily rcron x\n".repeat(100_000));
    let text = tree.text(&[]);
    let expected = "\
  not seen  /var/spool/cron/crontabs/me: line 69906 and all later lines, after 1048576 bytes
";
    assert!(text.contains(expected), "{text}");
    assert!(
        text.ends_with("nothing is wrong; not everything could be looked at\n"),
        "{text}"
    );
    let long = format!("@daily rcron {}\n", "x".repeat(5000));
    tree.crontab(&format!("{long}@daily rcron x\n"));
    let text = tree.text(&[]);
    assert!(
        text.contains("/crontabs/me: line 1, which is longer than 4096 bytes\n"),
        "{text}"
    );
    tree.crontab(&long.repeat(3));
    let text = tree.text(&[]);
    assert!(
        text.contains("/crontabs/me: 3 lines that are longer than 4096 bytes, from line 1 on\n"),
        "{text}"
    );
}

#[test]
fn many_mistakes_in_a_crontab_do_not_hide_others() {
    let tree = Tree::clean();
    tree.crontab(&"@daily rcron -x\n".repeat(150));
    tree.job("rcron -x");
    assert_eq!(tree.findings().len(), 101);
    let text = tree.text(&[]);
    assert!(
        text.contains("  not seen  /var/spool/cron/crontabs/me: 50 more findings of the kind usage\n"),
        "{text}"
    );
    assert!(text.contains("/etc/cron.d/jobs:1:22"), "{text}");
}

#[test]
fn many_configurations_in_a_crontab_are_not_all_examined() {
    let tree = Tree::clean();
    let job = |number: usize| {
        tree.write(&format!("/home/me/{number}.conf"), "nonsense\n");
        format!("@daily rcron --conf /home/me/{number}.conf backup\n")
    };
    let jobs: String = (0..120).map(job).collect();
    tree.crontab(&jobs);
    assert_eq!(tree.findings().len(), 100);
    let text = tree.text(&[]);
    assert!(
        text.contains("  not seen  crontabs name more than 100 configurations"),
        "{text}"
    );
}

/// A crontab is written by its user, and the report is read in root's terminal.
#[test]
fn control_and_invisible_characters_are_escaped() {
    let tree = Tree::clean();
    let hostile = "\u{1b}c\u{202e}\u{9b}1m";
    tree.crontab(&format!(
        "@daily rcron backup; {hostile}\n@daily rcron --{hostile}\n@daily rcron -j {hostile} x\n"
    ));
    tree.write(
        "/etc/crontab",
        &format!("@daily {hostile}/rcron x\n@daily root rcron {hostile}\n"),
    );
    for arguments in [&[][..], &["--json"]] {
        let text = tree.text(arguments);
        let is_safe = |character: char| character == '\n' || !(character.is_control() || character == '\u{202e}');
        assert!(text.chars().all(is_safe), "{text:?}");
        for place in ["/me:1:20", "/me:2:14", "/me:3:17", "/crontab:1:21", "/crontab:2:19"] {
            assert!(!arguments.is_empty() || text.contains(place), "{place}: {text}");
        }
    }
}

/// Cron says so in its log only, once, when it reads the file.
#[test]
fn line_that_cron_rejects_is_wrong() {
    for (line, column) in [
        ("60 * * * * root rcron backup", 1),
        ("*/0 * * * * root rcron backup", 1),
        ("@fortnightly root rcron backup", 1),
        ("H H * * * root rcron backup", 1),
        ("0 0 3 * * * root rcron backup", 11),
        ("0 0 3 * * 2026 root rcron backup", 11),
        ("0 3 * * * cd /x && rcron backup", 11),
        ("0 3 * * * nobody-here rcron backup", 11),
        ("\u{feff}0 3 * * * root rcron backup", 1),
    ] {
        let tree = Tree::clean();
        tree.write(JOBS, &format!("{line}\n"));
        tree.finds_only("wrong", "crontab-ignored", &format!("{JOBS}:1:{column}"));
        tree.use_cron(Cron::Cronie);
        tree.finds_only("wrong", "crontab-line-ignored", &format!("{JOBS}:1:{column}"));
    }
}

/// One bad line is the end of all jobs in the file with Debian's cron, and of itself with cronie.
#[test]
fn bad_line_of_another_job_is_wrong_with_debians_cron() {
    for bad in ["61 * * * * root other", "0 3 * * * nobody-here other", "A=", "hello"] {
        let tree = Tree::clean();
        tree.write(JOBS, &format!("0 3 * * * root rcron backup\n{bad}\n"));
        let findings = tree.findings();
        assert_eq!(findings.len(), 1, "{bad}: {findings:?}");
        tree.finds("wrong", "crontab-ignored", &findings[0].2);
        tree.use_cron(Cron::Cronie);
        tree.finds_nothing();
        tree.write(JOBS, &format!("0 3 * * * root backup\n{bad}\n"));
        tree.use_cron(Cron::Debian);
        tree.finds_nothing(); // nothing in this file has to do with rcron
    }
}

#[test]
fn long_command_is_rejected_by_debians_cron() {
    let tree = Tree::clean();
    tree.job(&format!("rcron backup {}", "x".repeat(985)));
    tree.finds_nothing();
    tree.job(&format!("rcron backup {}", "x".repeat(986)));
    tree.finds_only("wrong", "crontab-ignored", "/etc/cron.d/jobs:1:16");
    tree.use_cron(Cron::Cronie);
    tree.finds_nothing();
}

#[test]
fn file_that_cron_does_not_trust_is_wrong() {
    let tree = Tree::clean();
    std::fs::hard_link(tree.path(JOBS), tree.path("/etc/other")).expect("linked");
    tree.finds_only("wrong", "crontab-ignored", JOBS);
    tree.remove("/etc/other");
    tree.crontab("@daily rcron backup\n");
    tree.finds_nothing();
    tree.mode(MINE, 0o640);
    tree.finds_only("wrong", "crontab-ignored", MINE);
    tree.use_cron(Cron::Cronie);
    tree.finds_nothing();
    tree.mode(MINE, 0o660);
    tree.finds_only("wrong", "crontab-ignored", MINE);
    tree.mode(MINE, 0o600);
    std::fs::hard_link(tree.path(MINE), tree.path("/etc/other")).expect("linked");
    tree.finds_only("wrong", "crontab-ignored", MINE);
    tree.remove("/etc/other");
    tree.use_cron(Cron::Debian);
    tree.remove(MINE);
    std::os::unix::fs::symlink(JOBS, tree.path(MINE)).expect("linked");
    tree.finds("wrong", "crontab-ignored", MINE);
    tree.remove(MINE);
    let stranger = "/var/spool/cron/crontabs/stranger";
    tree.write(stranger, "@daily rcron backup\n");
    tree.mode(stranger, 0o600);
    tree.finds_only("wrong", "crontab-ignored", stranger);
}

#[test]
fn schedule_that_never_comes_is_wrong() {
    for schedule in ["0 0 31 2 *", "30-20 * * * *", "0 3 * * fri-mon", "0 22-6 * * *"] {
        let tree = Tree::clean();
        tree.write(JOBS, &format!("{schedule} root rcron backup\n"));
        tree.finds_only("wrong", "schedule-never", &format!("{JOBS}:1:1"));
    }
}

#[test]
fn line_that_is_read_with_more_than_it_shows_is_wrong() {
    let tree = Tree::clean();
    tree.write(JOBS, "0 3 * * * root rcron backup\r\n0 4 * * * root rcron backup\r\n");
    tree.finds_only("wrong", "crontab-carriage-return", &format!("{JOBS}:1:28"));
    tree.write(JOBS, "0 3 * * * root rcron backup \\\n0 4 * * * root rcron backup\n");
    tree.finds_only("wrong", "crontab-continuation", &format!("{JOBS}:1:30"));
    tree.write(JOBS, "0 3 * * * root rcron backup \\\n    --all\n");
    tree.finds("wrong", "crontab-ignored", &format!("{JOBS}:2:5"));
    assert!(tree.text(&[]).contains("-> write the job in one line: a backslash"));
}

#[test]
fn rules_of_another_cron_are_not_guessed() {
    let tree = Tree::clean();
    tree.use_cron(Cron::Busybox);
    tree.write(JOBS, "*/0 * * * * root rcron backup\n");
    tree.finds_nothing();
    let text = tree.text(&[]);
    let expected = "  not seen  /etc/cron.d/jobs: not judged, because the rules of /usr/sbin/crond are not known\n";
    assert!(text.contains(expected), "{text}");
}

/// In 0.1.0, a shell read the arguments once more.
#[test]
fn arguments_that_a_shell_expanded_are_hints() {
    job("rcron backup '/tmp/*.log'", "hint", "shell-words", 29);
    job("rcron backup \\$HOME", "hint", "shell-words", 29);
    job("rcron backup x'`date`'", "hint", "shell-words", 29);
    job("rcron backup '${HOME}/x'", "hint", "shell-words", 29);
}

/// Options have values, and programs have languages, that look like a shell's.
#[test]
fn arguments_that_only_look_like_shell_syntax_are_not_reported() {
    let tree = Tree::clean();
    for program in ["find", "psql", "mysql", "awk", "sed", "grep"] {
        tree.program(&format!("/usr/bin/{program}"));
    }
    for command in [
        "rcron find /srv -name '*.log' -exec rm {} \\;",
        "rcron find /srv '(' -name a -o -name b ')' -delete",
        "rcron psql -c 'select 1;'",
        "rcron psql 'host=a' --command 'select `x`;'",
        "rcron mysql -e 'delete from x where a > 1;'",
        "rcron backup --sep '|'",
        "rcron backup -F ';' x",
        "rcron backup '<tag>' 'a;b' 'x > y'",
        "rcron awk '{print $NF}' /srv/f",
        "rcron sed 's/x$//' /srv/f",
        "rcron grep '/srv/.*x' /srv/f",
        "rcron backup --include '/srv/*.log'",
    ] {
        tree.job(command);
        assert_eq!(tree.findings(), [], "{command}");
    }
}

/// As crontabs of other programs have this option, too, the file decides.
#[test]
fn option_after_the_job_is_rcrons_if_the_file_is() {
    let tree = Tree::clean();
    tree.write("/srv/a.conf", "cluster_name = web\n");
    tree.write("/srv/b.conf", "[server]\nname = x\n");
    tree.job("rcron backup --conf /srv/a.conf");
    tree.finds_only("wrong", "options-after-job", &format!("{JOBS}:1:29"));
    tree.job("rcron backup --conf /srv/b.conf -c /srv/none.conf");
    tree.finds_nothing();
}

#[test]
fn directories_and_locks_are_not_configurations() {
    let tree = Tree::clean();
    tree.directory("/etc/rcron/x.conf");
    tree.directory("/srv/d");
    std::os::unix::fs::symlink("/srv/d", tree.path("/etc/rcron/d.conf")).expect("linked");
    std::os::unix::fs::symlink("me@host.123", tree.path("/etc/rcron/.#web.conf")).expect("linked");
    tree.write("/etc/rcron/.web.conf.swp", "junk\n");
    tree.finds_nothing();
}
