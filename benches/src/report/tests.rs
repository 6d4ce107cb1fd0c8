use std::time::Duration;

use super::*;
use crate::outcome::Round;

fn played(rates: [f64; 3]) -> Played {
    let round = |rate| Round {
        rate,
        p50: 10.0,
        cpu: 5.0,
    };
    Played {
        setup: "1 connection".to_owned(),
        trials: Vec::new(),
        rounds: rates.map(round).to_vec(),
    }
}

fn row() -> Row {
    let mut case = crate::cases::all().remove(0);
    case.to_reach = Some(0.7);
    let outcome = Outcome {
        ours: played([60_000.0, 50_000.0, 70_000.0]),
        peer: played([100_000.0, 100_000.0, 100_000.0]),
        elsewhere: 0.5,
        window: Duration::from_secs(1),
    };
    Row::new(&case, &outcome)
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
    let mut report = Report {
        about: "here".to_owned(),
        rows: Vec::new(),
    };
    report.add(row());
    let table = report.to_string();
    assert!(
        table.contains("60,000  100,000   0.60  0.50-0.70  0.70 SHORT"),
        "{table}"
    );
    assert!(table.ends_with("others used up to 50 % of the time that the processors were busy"));
}
