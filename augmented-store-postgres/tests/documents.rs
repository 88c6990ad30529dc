//! The guides say what is so.

/// The macro that runs the promises.
const KIT: &str = include_str!("../../augmented-core/src/store/conformance/mod.rs");

const GUIDE: &str = include_str!("../../docs/store-authors.md");

/// The promises a store runs, as `area::promise`.
fn promises_of_the_kit() -> Vec<&'static str> {
    let list = KIT
        .split_once("store_promises! { $make, $run;")
        .and_then(|(_, rest)| rest.split_once('}'))
        .map_or("", |(list, _)| list);
    let names = list.split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).collect()
}

/// The promises in the tables of the guide.
fn promises_of_the_guide() -> Vec<&'static str> {
    let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.filter_map(|row| row.split_once('`').map(|(name, _)| name));
    names.filter(|name| name.contains("::")).collect()
}

#[test]
fn the_guide_for_store_authors_names_every_promise_once() {
    let mut kit = promises_of_the_kit();
    let mut guide = promises_of_the_guide();
    assert!(kit.len() > 40, "the list of the kit was not found: {kit:?}");
    kit.sort_unstable();
    guide.sort_unstable();
    assert_eq!(guide, kit);
}

#[test]
fn every_promise_of_the_guide_says_what_it_means_and_how_it_is_broken() {
    let rows = GUIDE
        .lines()
        .filter(|line| line.starts_with("| `") && line.contains("::"));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{row}");
        assert!(
            cells.iter().skip(1).take(3).all(|cell| !cell.is_empty()),
            "{row}"
        );
    }
}
