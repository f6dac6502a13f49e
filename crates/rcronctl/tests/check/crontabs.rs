//! Crontabs.

use crate::tree::{JOBS, Tree};

const MINE: &str = "/var/spool/cron/crontabs/me";

/// Root's job in /etc/cron.d gives this finding alone, at this column.
#[track_caller]
fn job(command: &str, severity: &str, kind: &str, column: usize) {
    let tree = Tree::clean();
    tree.job(command);
    tree.finds_only(severity, kind, &format!("{JOBS}:1:{column}"));
}

#[test]
fn what_the_shell_does_outside_of_rcron_is_told() {
    job("rcron backup && b", "wrong", "outside-runs", 29);
    job("rcron backup; b", "wrong", "outside-runs", 28);
    job("rcron backup > /srv/f", "wrong", "outside-truncates", 29);
    job("rcron backup | b", "hint", "outside-pipe", 29);
}

#[test]
fn what_rcron_refuses_is_told_in_its_words() {
    job("rcron --cnf x backup", "wrong", "usage", 16);
    job("rcron", "wrong", "usage", 16);
    job("rcron -n backup", "hint", "dry-run", 16);
    job("rcron --conf /etc/rcron/no.conf backup", "wrong", "conf-missing", 16);
    job(
        "rcron backup --conf /etc/rcron/rcron.conf",
        "wrong",
        "options-after-job",
        29,
    );
    job("rcron backup -o nice_level=3", "wrong", "options-after-job", 29);
}

#[test]
fn a_program_that_cron_does_not_find_is_told() {
    job("rcron bakup", "wrong", "job-not-found", 16);
    job("rcron /opt/backup", "wrong", "job-not-found", 16);
    job("rcron /etc/rcron/rcron.conf", "wrong", "job-not-found", 16);
    job("rcron 'bakup && b'", "wrong", "job-not-found", 16);
    job("/opt/rcron backup", "wrong", "rcron-not-found", 16);
    let tree = Tree::clean();
    tree.write(JOBS, "PATH=$PATH:/bin\n0 3 * * * root rcron /usr/bin/backup\n");
    tree.finds_only("wrong", "rcron-not-found", "/etc/cron.d/jobs:2:16");
}

#[test]
fn words_for_a_shell_that_none_reads_are_told() {
    job("rcron cd /x '&&' b", "wrong", "shell-words", 16);
    job("rcron backup '&&' b", "hint", "shell-words", 16);
}

#[test]
fn a_percent_sign_cuts_the_line() {
    job("rcron backup 50%", "hint", "percent", 31);
    job("rcron \"backup $(date +%F)\"", "wrong", "percent", 38);
    job("rcron 'backup", "wrong", "open-quote", 22);
}

#[test]
fn what_is_right_is_left_alone() {
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
        "if rcron backup; then b; fi",
        "/usr/bin/rcron \"backup $X\"",
        "[ -x /usr/bin/rcron ] && rcron backup",
    ] {
        let tree = Tree::clean();
        tree.job(command);
        assert_eq!(tree.findings(), [], "{command}");
    }
}

#[test]
fn a_crontab_that_cron_ignores_is_told_if_it_has_wrapped_jobs() {
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
fn a_name_that_debian_ignores_is_told_on_debian() {
    let tree = Tree::clean();
    tree.write("/etc/cron.d/more.sh", "0 4 * * * root rcron backup\n");
    tree.write("/etc/cron.d/jobs.dpkg-old", "0 4 * * * root rcron backup\n");
    tree.finds_nothing();
    tree.write("/etc/debian_version", "13.1\n");
    tree.finds_only("wrong", "crontab-ignored", "/etc/cron.d/more.sh");
}

#[test]
fn a_last_line_without_newline_is_told() {
    let tree = Tree::clean();
    tree.write(MINE, "0 3 * * * rcron backup");
    tree.finds_only("wrong", "crontab-no-newline", MINE);
}

#[test]
fn something_else_than_a_file_is_told() {
    let tree = Tree::clean();
    tree.directory("/etc/crontab");
    tree.finds_only("wrong", "crontab-unreadable", "/etc/crontab");
}

#[test]
fn the_user_belongs_into_system_crontabs_only() {
    let tree = Tree::clean();
    tree.write(MINE, "0 3 * * * root rcron backup\n");
    tree.finds_only("wrong", "crontab-user", "/var/spool/cron/crontabs/me:1:11");
    let tree = Tree::clean();
    tree.write(JOBS, "0 3 * * * rcron backup\n");
    tree.finds_only("wrong", "crontab-user", "/etc/cron.d/jobs:1:17");
}

#[test]
fn a_job_name_for_two_commands_is_a_hint() {
    let tree = Tree::clean();
    tree.program("/usr/bin/other");
    tree.write(
        JOBS,
        "0 3 * * * root rcron -j x backup\n0 4 * * * root rcron -j x other\n",
    );
    tree.finds_only("hint", "job-name-twice", "/etc/cron.d/jobs:2:16");
}

#[test]
fn a_forgotten_job_is_a_hint() {
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
