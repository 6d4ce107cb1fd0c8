//! From the names of Rust to those of endpoints and services, and from text to durations.

use std::time::Duration;

/// `say_hello` becomes `SayHello`.
pub(crate) fn pascal(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
        .collect()
}

/// `RouteGuide` becomes `route-guide`, and `HTTPProxy` becomes `http-proxy`.
pub(crate) fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut kebab = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let after_small = index > 0 && !letters[index - 1].is_uppercase() && letters[index - 1] != '_';
        let before_small = index > 0 && letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) && !kebab.ends_with('-') {
            kebab.push('-');
        }
        match letter {
            '_' => kebab.push('-'),
            letter => kebab.extend(letter.to_lowercase()),
        }
    }
    kebab
}

/// Whether a name can stand on one side of the dot of an endpoint: the framework would refuse others at the start.
pub(crate) fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 120
        && !name.contains(['.', '*', '>'])
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Whether a name can be that of a service.
pub(crate) fn is_service(name: &str) -> bool {
    name.len() <= 255 && name.split('.').all(is_token)
}

/// A whole number and a unit: `200ms`, `2s`, `1m`, `1h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit.trim_start() {
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_become_endpoints_as_go_writes_them() {
        assert_eq!(pascal("hello"), "Hello");
        assert_eq!(pascal("list_features"), "ListFeatures");
        assert_eq!(pascal("get_2d_map"), "Get2dMap");
    }

    #[test]
    fn traits_become_services() {
        for (name, service) in [
            ("Greeter", "greeter"),
            ("RouteGuide", "route-guide"),
            ("HTTPProxy", "http-proxy"),
            ("Get2D", "get2-d"),
            ("Old_Name", "old-name"),
        ] {
            assert_eq!(kebab(name), service);
        }
    }

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(duration("200ms"), Some(Duration::from_millis(200)));
        assert_eq!(duration("2 s"), Some(Duration::from_secs(2)));
        assert_eq!(duration("1m"), Some(Duration::from_secs(60)));
        for text in ["", "2", "s", "-1s", "2 weeks", "99999999999999999999s"] {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }
}
