//! The README's table of settings is what the files say.

use std::collections::BTreeMap;

use config::{Config, File, FileFormat, Value, ValueKind};

fn flat(section: &str, value: Value, into: &mut BTreeMap<String, String>) {
    match value.kind {
        ValueKind::Table(table) => {
            for (key, value) in table {
                let name = if section.is_empty() { key } else { format!("{section}.{key}") };
                flat(&name, value, into);
            }
        }
        other => {
            into.insert(section.to_owned(), as_json(&other));
        }
    }
}

fn as_json(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(items) => {
            format!("[{}]", items.iter().map(|item| as_json(&item.kind)).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn settings_in(name: &str) -> BTreeMap<String, String> {
    let path = format!("{}/config/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let file = Config::builder().add_source(File::new(&path, FileFormat::Toml)).build().unwrap();
    let mut settings = BTreeMap::new();
    flat("", file.cache, &mut settings);
    settings
}

#[test]
fn the_table_in_the_readme_names_every_setting_with_its_default() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let told: BTreeMap<String, String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once("` | `"))
        .map(|(key, rest)| (key.to_owned(), rest.split(" | ").next().unwrap().to_owned()))
        .collect();
    let production = settings_in("production");
    let expected: BTreeMap<String, String> = settings_in("default")
        .into_iter()
        .map(|(key, default)| {
            let told = match production.get(&key) {
                Some(other) => format!("{default}`; production: `{other}`"),
                None => format!("{default}`"),
            };
            (key, told)
        })
        .collect();
    assert_eq!(told, expected);
}
