use super::*;

#[test]
fn what_is_published_is_read() {
    let config = Config {
        rerun: 2,
        start_within: Some(Duration::from_secs(600)),
        ..Config::default()
    };
    let conf = Some(conf_keys(&config));
    let keys = ClusterKeys {
        conf,
        ..keys("10s", &[])
    };
    let record = record(facts(), keys, &[BACKUP, ("root", "", "@daily", "UTC", true, 65535)]);
    let text = String::from_utf8(record.to_json()).expect("text");
    assert_eq!(
        text,
        r#"{"format":2,"rcrond":"1.0","rcron":"1.0","cron":true,"zone":"UTC0","max_skew":"10s","clusters":{"web":{"toml":{"lease":"10s"},"conf":{"rerun":"2","start_within":"10m"},"users":{"root":[{"s":"@daily","z":"UTC","o":true,"h":65535},{"j":"backup","s":"0 3 * * *","h":7}]}}}}"#
    );
    assert_eq!(NodeJobs::parse(text.as_bytes()), Some(record));
    let later = text.replace("\"cron\":true", "\"cron\":true,\"new\":{}");
    assert!(
        NodeJobs::parse(later.as_bytes()).is_some(),
        "a later version has more fields"
    );
    for other in [
        "",
        "{",
        "[]",
        "null",
        r#"{"format":1,"jobs":[]}"#,
        &text.replace(":2,", ":3,"),
        &"[".repeat(60_000),
    ] {
        assert_eq!(NodeJobs::parse(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn a_job_takes_at_most_100_bytes() {
    let jobs: Vec<String> = (0..400).map(|number| format!("nightly-backup-{number:05}")).collect();
    let lines: Vec<Line> = jobs
        .iter()
        .map(|job| {
            (
                "www-data",
                job.as_str(),
                "*/15 3-5 * * 1-5",
                "Europe/Berlin",
                true,
                65_535,
            )
        })
        .collect();
    let (none, all) = (with_lines(&[]).to_json().len(), with_lines(&lines).to_json().len());
    let each = (all - none) / jobs.len();
    println!("{none} bytes for a server, {each} for a job");
    assert!(none < 250 && each <= 100, "{none} {each}");
}

#[test]
fn jobs_for_ranks_have_a_name_of_their_own() {
    let once = |user, name| (user, name, "@daily", "", true, 1);
    let record = with_lines(&[
        once("root", "one"),
        once("root", "twice"),
        ("root", "twice", "@hourly", "", false, 1),
        once("root", ""),
        once("alice", "twice"),
        BACKUP,
    ]);
    let found = record.once_per_tick();
    let found: Vec<_> = found.iter().map(|job| (&*job.user, &*job.job)).collect();
    assert_eq!(found, [("alice", "twice"), ("root", "one")]);
}

/// One user's crontab cannot keep the jobs of others out of the record, and a job that was left out is not missing.
#[test]
fn a_long_record_is_cut_at_the_users_with_most_lines() {
    let names: Vec<String> = (0..100_000).map(|number| format!("job{number}")).collect();
    let hostile = names
        .iter()
        .map(|name| ("mallory", name.as_str(), "* * * * *", "", true, 1));
    let lines: Vec<Line> = hostile
        .chain([BACKUP, ("alice", "mine", "@daily", "", false, 1)])
        .collect();
    let cut = with_lines(&lines);
    assert!(cut.to_json().len() <= LONGEST_VALUE);
    assert_eq!(cut.left_out, 100_000);
    let small = with_lines(&[BACKUP, ("mallory", "job7", "* * * * *", "", true, 1)]);
    assert_eq!(
        found(&nodes([cut.clone(), small, cut])),
        [
            "incomplete  [n1] n1=100000 lines do not fit into the record",
            "incomplete  [n3] n3=100000 lines do not fit into the record",
            "job-missing alice/mine [n2] n1+n3=present n2=missing",
        ]
    );
    // Many users, each with some lines.
    let users: Vec<String> = (0..3000).map(|number| format!("user{number}")).collect();
    let lines: Vec<Line> = users
        .iter()
        .map(|user| (user.as_str(), "job", "@daily", "", true, 1))
        .collect();
    let many = with_lines(&lines);
    let length = many.to_json().len();
    assert!((LONGEST_VALUE * 3 / 4..=LONGEST_VALUE).contains(&length), "{length}");
    assert!(many.left_out > 0 && many.may_lack_lines_of("user2999"));
    // More clusters than fit.
    let names = (0..5000).map(|number| (format!("cluster{number}"), keys("10s", &[])));
    let clusters = NodeJobs::new(facts(), names.collect(), std::iter::empty());
    assert!(clusters.to_json().len() <= LONGEST_VALUE && clusters.left_out > 0);
}

#[test]
fn hostile_names_and_schedules_become_short_and_printable() {
    let long = "1,".repeat(5000);
    let other = format!("{long}2");
    let name = "a\nb\u{1b}[2J\u{202e}";
    let own = |schedule| with_lines(&[("mallory\n", name, schedule, "\u{1b}", false, 1)]);
    let text = String::from_utf8(own(&long).to_json()).expect("text");
    assert!(
        text.len() < 400 && !text.contains(['\n', '\u{1b}', '\u{202e}']) && !text.contains("\\u"),
        "{text}"
    );
    let differences = compared(&nodes([own(&long), own(&other)])).differences;
    assert_eq!(
        differences.len(),
        1,
        "long schedules differ though their beginnings do not"
    );
    assert_eq!(differences[0].kind, Kind::Schedule);
    // Bytes that are not UTF-8.
    let bytes = ServerLine {
        user: b"\xff",
        name: Some(b"\xfe"),
        schedule: b"\xfd",
        ..line(BACKUP)
    };
    let clusters = BTreeMap::from([("web".to_owned(), keys("10s", &[]))]);
    let record = NodeJobs::new(facts(), clusters, [bytes].into_iter());
    assert!(String::from_utf8(record.to_json()).expect("text").contains("\\\\xff"));
}

#[test]
fn jobs_of_root_are_listed_first_and_those_of_one_user_are_limited() {
    let names: Vec<String> = (0..500).map(|number| format!("job{number}")).collect();
    let hostile = names
        .iter()
        .map(|name| ("alice", name.as_str(), "* * * * *", "", true, 1));
    let lines: Vec<Line> = hostile
        .chain([BACKUP, ("bob", "mine", "@daily", "", false, 1)])
        .collect();
    let report = compared(&nodes([with_lines(&lines), with_lines(&[])]));
    let users: Vec<&str> = report
        .differences
        .iter()
        .filter_map(|found| found.user.as_deref())
        .collect();
    assert_eq!((users[0], users[1], users[users.len() - 1]), ("root", "alice", "bob"));
    assert!(users.len() == 52 && report.is_cut);
    let cluster = &report.clusters[0];
    assert_eq!((cluster.count, cluster.of_users), (502, 501), "only one job is root's");
}

/// A record that another server has written may contain anything.
#[test]
fn hostile_records_give_bounded_answers() {
    let text = "x\u{1b}\n".repeat(1000);
    let lines: Vec<String> = (0..600)
        .map(|number| format!(r#"{{"j":"{number}","s":{},"h":1}}"#, serde_json::json!(&text[..60])))
        .collect();
    let json = format!(
        r#"{{"format":2,"rcrond":{t},"zone":{t},"max_skew":{t},"clusters":{{"web":{{"toml":{{"lease":{t}}},"conf":{{"x":{t}}},
           "users":{{"root":[{}]}}}}}}}}"#,
        lines.join(","),
        t = serde_json::json!(text),
    );
    let hostile = NodeJobs::parse(json.as_bytes()).expect("a record");
    let report = compared(&nodes([hostile, with_lines(&[BACKUP])]));
    assert!(report.is_cut && report.clusters[0].count > 600);
    assert!(report.differences.len() < 100, "{}", report.differences.len());
    for difference in &report.differences {
        let texts = difference.values.iter().map(|value| &value.value);
        let mut texts = texts
            .chain(&difference.job)
            .chain(&difference.key)
            .chain(&difference.user);
        assert!(
            texts.all(|text| text.len() < 200 && !text.contains('\u{1b}')),
            "{difference:?}"
        );
    }
}

#[test]
fn keys_of_rcron_conf_that_are_compared_are_in_the_manual() {
    let manual = include_str!("../../../../../docs/man/rcrond.8");
    let (_, section) = manual
        .split_once(".Sh DIFFERENCES BETWEEN SERVERS\n")
        .expect("the section");
    let words: BTreeSet<&str> = section.split_whitespace().take(200).collect();
    for (key, _) in crate::drift::keys::all_conf_keys(&Config::default()) {
        assert!(words.contains(key), "{key}");
    }
}
