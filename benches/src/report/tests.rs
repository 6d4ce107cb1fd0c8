use std::time::Duration;

use super::*;
use crate::cases::{self, Case};
use crate::outcome::{Outcome, Played, Round};
use crate::rounds::Plan;

fn played(rates: [f64; 3], p50: f64) -> Played {
    let round = |rate| Round {
        rate,
        p50: Some(p50),
        cpu: 5.0,
    };
    Played {
        setup: "1 connection".to_owned(),
        trials: Vec::new(),
        rounds: rates.map(round).to_vec(),
    }
}

fn case() -> Case {
    cases::all().remove(0).reaching(0.7).p50_no_worse()
}

fn row() -> Row {
    let outcome = Outcome {
        ours: played([60_000.0, 50_000.0, 70_000.0], 10.0),
        peer: played([100_000.0, 100_000.0, 100_000.0], 9.0),
        elsewhere: 0.5,
        window: Duration::from_secs(1),
    };
    Row::new(&case(), &outcome)
}

fn report(row: Row) -> Report {
    let plan = Plan {
        rounds: 3,
        window: Duration::from_secs(1),
        server: 0,
    };
    let mut report = Report::new(About::new(&plan, "nats-server: v0"));
    report.add(row);
    report
}

#[test]
fn a_row_has_the_medians_and_their_ratio() {
    let json = serde_json::to_value(row()).unwrap();
    for (key, value) in [("ours", 60_000.0), ("peer", 100_000.0), ("ratio", 0.6)] {
        assert_eq!(json[key], value, "{key}");
    }
    for key in ["id", "case", "peer_name", "unit"] {
        assert!(json[key].is_string(), "{key}");
    }
    assert!(json["callers"].is_u64());
    assert_eq!(json["round_ratios"], serde_json::json!([0.5, 0.6, 0.7]));
}

#[test]
fn the_table_says_what_fell_short() {
    let table = report(row()).to_string();
    assert!(
        table.contains("60,000  100,000   0.60  0.50-0.70  0.70 SHORT P50 WORSE"),
        "{table}"
    );
    assert!(table.contains("nats-server: v0"), "{table}");
    assert!(table.ends_with("others used up to 50 % of the time that the processors were busy"));
}

#[test]
fn a_case_that_did_not_run_says_why() {
    let row = Row::not_run(&case(), "there is no Go".to_owned());
    let json = serde_json::to_value(&row).unwrap();
    assert_eq!(
        (&json["not_run"], json.get("ratio")),
        (&"there is no Go".into(), None)
    );
    let report = report(row);
    assert!(report.to_string().contains("NOT RUN: there is no Go"));
    assert!(!report.page(None).contains("rounds-"));
}

#[test]
fn the_page_shows_every_plot() {
    let row = row();
    let plot = row.plot();
    let page = report(row).page(Some("flat"));
    for text in ["overview.svg", "soak.svg", "flat", &plot] {
        assert!(page.contains(text), "{text}: {page}");
    }
}
