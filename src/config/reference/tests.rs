use std::collections::BTreeMap;

use config::{File, FileFormat, Map, Source, Value, ValueKind};

use super::{document, entries};
use crate::config::testing::load;

/// The settings of a file, with their values as TOML spells them.
fn settings_in(file: &str) -> BTreeMap<String, String> {
    fn flatten(key: &str, table: Map<String, Value>, settings: &mut BTreeMap<String, String>) {
        for (name, value) in table {
            let key = if key.is_empty() { name } else { format!("{key}.{name}") };
            match value.kind {
                ValueKind::Table(table) => flatten(&key, table, settings),
                other => drop(settings.insert(key, as_toml(&other))),
            }
        }
    }
    let mut settings = BTreeMap::new();
    flatten("", File::from_str(file, FileFormat::Toml).collect().expect("TOML"), &mut settings);
    settings
}

fn as_toml(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(items) => {
            format!("[{}]", items.iter().map(|item| as_toml(&item.kind)).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[test]
fn the_document_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CONFIGURATION.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, document()).expect("written");
    }
    let current = std::fs::read_to_string(path).unwrap_or_default();
    assert!(current == document(), "docs/CONFIGURATION.md is out of date: UPDATE_DOCS=1 scripts/test rust config");
}

#[test]
fn every_setting_is_described_with_the_default_that_the_files_give_it() {
    let production = settings_in(include_str!("../../../config/production.toml"));
    let expected: BTreeMap<String, String> = settings_in(include_str!("../../../config/default.toml"))
        .into_iter()
        .map(|(key, default)| {
            let default = match production.get(&key) {
                Some(other) => format!("`{default}`; production: `{other}`"),
                None => format!("`{default}`"),
            };
            (key, default)
        })
        .collect();
    let described: BTreeMap<String, String> = entries().into_iter().map(|entry| (entry.key, entry.default)).collect();
    assert_eq!(described, expected);
}

#[test]
fn every_setting_has_a_meaning_and_allowed_values() {
    for entry in entries() {
        assert!(!entry.meaning.is_empty() && !entry.allowed.is_empty(), "{}", entry.key);
    }
}

#[test]
fn every_range_of_numbers_is_the_one_that_is_enforced() {
    let mut ranges = 0;
    for entry in entries() {
        let Some((low, high)) = entry.allowed.split_once(" to ") else { continue };
        let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>()) else { continue };
        ranges += 1;
        let variable = format!("SWITCHBOARD__{}", entry.key.to_uppercase().replace('.', "__"));
        let expected = format!("{} is ", entry.key);
        for (value, is_allowed) in [(low - 1, false), (low, true), (high, true), (high + 1, false)] {
            let outcome = load(&[(&variable, &value.to_string())]).map_err(|error| error.to_string());
            // -1 is no number of the setting's type, which is reported in other words.
            let is_refused = outcome.is_err_and(|error| error.contains(&expected) || value < 0);
            assert_eq!(is_refused, !is_allowed, "{} = {value}", entry.key);
        }
    }
    assert!(ranges > 50, "{ranges}");
}
