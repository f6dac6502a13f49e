use super::*;
use std::time::Duration;

fn row() -> Row {
    Row {
        cluster: "web".into(),
        user: "root".into(),
        job: "nightly".into(),
        last_start: Some(1_795_000_000_123_456),
        last_end: Some(LastEnd {
            at: 1_795_000_060_000_000,
            duration: Duration::from_millis(59_877),
            exit_code: Some(143),
        }),
        last_success: None,
        running: 1,
        interrupted: 2,
        period: Some(Duration::from_secs(86_400)),
        once_per_tick: true,
    }
}

fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn each_value_is_a_sample() {
    let table = Table {
        rows: vec![row()],
        omitted: 3,
        unnamed: 4,
        unreadable: 5,
    };
    let labels = "{cluster=\"web\",user=\"root\",job_name=\"nightly\"}";
    let expected = [
        format!("rcron_job_last_start_timestamp_seconds{labels} 1795000000.123456"),
        format!("rcron_job_last_end_timestamp_seconds{labels} 1795000060"),
        format!("rcron_job_last_duration_seconds{labels} 59.877"),
        format!("rcron_job_last_exit_code{labels} 143"),
        format!("rcron_job_running{labels} 1"),
        format!("rcron_job_interrupted_runs{labels} 2"),
        format!("rcron_job_period_seconds{labels} 86400"),
        "rcron_jobs_omitted{reason=\"limit\"} 3".into(),
        "rcron_jobs_omitted{reason=\"unnamed\"} 4".into(),
        "rcron_journal_unreadable_files 5".into(),
    ];
    assert_eq!(samples(&table.text()), expected);
}

#[test]
fn labels_are_escaped() {
    let nasty = Row {
        cluster: "a\"b\\c\nd,e{f=\"g\"} 1 # grün".into(),
        job: "\\".into(),
        ..row()
    };
    let text = Table {
        rows: vec![nasty],
        ..Table::default()
    }
    .text();
    let expected = r#"rcron_job_running{cluster="a\"b\\c\nd,e{f=\"g\"} 1 # grün",user="root",job_name="\\"} 1"#;
    assert!(text.contains(&format!("\n{expected}\n")), "{text}");
}

#[test]
fn missed_ticks_are_those_of_jobs_whose_ticks_are_granted() {
    let other = Row {
        job: "other".into(),
        once_per_tick: false,
        ..row()
    };
    let table = Table {
        rows: vec![row(), other],
        ..Table::default()
    };
    let text = table.missed_text(|row| u64::try_from(row.job.len()).expect("small"));
    let sample = "rcron_job_missed_ticks_total{cluster=\"web\",user=\"root\",job_name=\"nightly\"} 7";
    assert_eq!(samples(&text), [sample]);
    assert!(text.contains("# TYPE rcron_job_missed_ticks counter\n"), "{text}");
}
