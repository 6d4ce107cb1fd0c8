//! What `docs/security.md` says, for tests to try.

const PAGE: &str = include_str!("../../../../docs/security.md");

/// The block of permissions, as a server reads it.
pub(crate) fn permissions() -> &'static str {
    block("nats").next().expect("a block of permissions")
}

/// The arguments of each line that starts the greeter.
pub(crate) fn command_lines() -> Vec<Vec<&'static str>> {
    let lines = block("text").flat_map(str::lines);
    lines
        .filter_map(|line| line.split_once("greeter-server "))
        .map(|(_, arguments)| arguments.split_whitespace().collect())
        .collect()
}

/// The subjects of the page's lists, each with the user, and where its text begins.
pub(crate) fn subjects() -> Vec<(&'static str, &'static str, usize)> {
    let text = permissions();
    let mut user = "";
    let mut subjects = Vec::new();
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once("user: ") {
            user = rest.split(',').next().unwrap_or_default();
        }
        let Some((_, list)) = line.split_once("allow: [") else {
            continue;
        };
        for subject in list.split('"').skip(1).step_by(2) {
            subjects.push((user, subject, offset(text, subject)));
        }
    }
    subjects
}

/// The text without one of its subjects. An empty list would allow all.
pub(crate) fn without(offset: usize, subject: &str) -> String {
    let mut text = permissions().to_owned();
    text.replace_range(offset..offset + subject.len(), "nothing.else");
    text
}

fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// The blocks of code of one kind.
fn block(kind: &str) -> impl Iterator<Item = &'static str> {
    let mark = format!("```{kind}\n");
    let starts: Vec<_> = PAGE
        .match_indices(&mark)
        .map(|(at, mark)| at + mark.len())
        .collect();
    starts
        .into_iter()
        .filter_map(|start| PAGE.get(start..)?.split("```").next())
}
