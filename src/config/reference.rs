//! `docs/CONFIGURATION.md`, generated from the doc comments of the settings. Only a test needs it, which compares the
//! file with what is generated.

mod tests;

use std::fmt::Write;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Settings;
use super::renamed::RENAMED;

const INTRODUCTION: &str = "\
# Configuration

Generated from the doc comments in `src/config/`; `UPDATE_DOCS=1 scripts/test rust config` writes it.

Settings are read from these sources, each overriding the ones before:

1. `config/default.toml`, built into the program
2. `config/<environment>.toml`, built in as well; `SWITCHBOARD_ENV` is `development` (the default) or `production`
3. environment variables `SWITCHBOARD__<SECTION>__<KEY>`, such as `SWITCHBOARD__SERVER__PORT`; the items of a list are
   separated by commas, without quotes or brackets: `SWITCHBOARD__CORS__ORIGINS=https://a.example,https://b.example`; an
   empty variable is an empty list
4. the variables `PORT`, `DATABASE_URL`, `JWT_SECRET` and `REDIS_URL`, unless empty

`--config FOLDER` reads the files from a folder instead. An unknown key is an error. All values are checked before the
server listens; it reports every invalid one and exits.

| key | default | allowed | meaning |
|---|---|---|---|
";

const OLD_NAMES: &str = "
## Renamed settings

Settings that were renamed in this release also work under their old names, in files and in variables, with a warning at
the start. Setting both names in the same source is an error.

| old name | name |
|---|---|
";

/// A setting, as its doc comment describes it.
struct Entry {
    /// Section and key, such as `server.port`.
    key: String,
    meaning: String,
    allowed: String,
    /// As `config/default.toml` spells it, in backticks; followed by that of `config/production.toml` if it differs.
    default: String,
}

/// The text of `docs/CONFIGURATION.md`.
fn document() -> String {
    let mut document = INTRODUCTION.to_owned();
    for Entry { key, meaning, allowed, default } in entries() {
        // Writing to a string does not fail.
        let _ = writeln!(document, "| `{key}` | {default} | {allowed} | {meaning} |");
    }
    document.push_str(OLD_NAMES);
    for (old, new) in RENAMED {
        let _ = writeln!(document, "| `{old}` | `{new}` |");
    }
    document
}

/// Every setting, in alphabetical order.
fn entries() -> Vec<Entry> {
    let generator = SchemaSettings::default().with(|settings| settings.inline_subschemas = true).into_generator();
    let schema = generator.into_root_schema_for::<Settings>();
    let mut entries = Vec::new();
    collect("", schema.as_value(), &mut entries);
    entries
}

fn collect(key: &str, schema: &Value, entries: &mut Vec<Entry>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            collect(&key, property, entries);
        }
        return;
    }
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
    let (meaning, rest) = description.split_once(" Allowed: ").unwrap_or((&description, ""));
    let (allowed, default) = rest.split_once(". Default: ").unwrap_or((rest, ""));
    entries.push(Entry {
        key: key.to_owned(),
        meaning: meaning.trim_end_matches('.').to_owned(),
        allowed: allowed.to_owned(),
        default: default.trim_end_matches('.').to_owned(),
    });
}
