use std::fs;

use tempfile::TempDir;

use super::RENAMED;
use crate::config::testing::{load, sources};
use crate::config::{Environment, OldName, Settings, Sources};

/// A value that no setting has by default and that every renamed one allows.
const VALUE: &str = "1000";

/// The value of a setting, by its current name.
fn value(settings: &Settings, key: &str) -> String {
    let Settings { journal, conversation, auth, limits, directory, .. } = settings;
    match key {
        "journal.queue_capacity" => journal.queue_capacity.to_string(),
        "conversation.threads" => conversation.threads.to_string(),
        "conversation.idempotency_cache_size" => conversation.idempotency_cache_size.to_string(),
        "conversation.watermark_cache_size" => conversation.watermark_cache_size.to_string(),
        "conversation.catch_up_max_events" => conversation.catch_up_max_events.to_string(),
        "conversation.trim_after_seconds" => conversation.trim_after_seconds.to_string(),
        "conversation.passivate_after_seconds" => conversation.passivate_after_seconds.to_string(),
        "conversation.in_doubt_seconds" => conversation.in_doubt_seconds.to_string(),
        "auth.token_cache_size" => auth.token_cache_size.to_string(),
        "limits.limiter_cache_size" => limits.limiter_cache_size.to_string(),
        "directory.user_cache_size" => directory.user_cache_size.to_string(),
        "directory.queue_capacity" => directory.queue_capacity.to_string(),
        other => panic!("{other} is not renamed"),
    }
}

fn variable(key: &str) -> String {
    format!("SWITCHBOARD__{}", key.to_uppercase().replace('.', "__"))
}

/// A folder with the built-in files, each followed by more lines.
fn folder(default: &str, development: &str) -> (TempDir, Sources) {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).expect("written");
    write("default.toml", format!("{}\n{default}", include_str!("../../../config/default.toml")));
    write("development.toml", format!("{}\n{development}", Environment::Development.built_in_file()));
    let sources = Sources { folder: Some(folder.path().to_owned()), ..Sources::default() };
    (folder, sources)
}

fn names(old_names: &[OldName]) -> Vec<(&str, &str, &str)> {
    old_names.iter().map(|name| (name.source_name.as_str(), name.old, name.new)).collect()
}

#[test]
fn a_variable_may_have_the_old_name() {
    for (old, new) in RENAMED {
        let sources = sources(&[(&variable(old), VALUE)]);
        let (_, settings) = Settings::load(&sources).expect("these settings should load");
        assert_eq!(value(&settings, new), VALUE, "{old}");
        assert_eq!(names(&sources.old_names().expect("names")), [("the environment", old, new)]);
    }
}

#[test]
fn a_file_of_the_environment_may_have_the_old_name_while_the_defaults_have_the_new_one() {
    for (old, new) in RENAMED {
        let (section, key) = old.split_once('.').expect("a section");
        let (_folder, sources) = folder("", &format!("[{section}]\n{key} = {VALUE}\n"));
        let (_, settings) = Settings::load(&sources).expect("these settings should load");
        assert_eq!(value(&settings, new), VALUE, "{old}");
        assert_eq!(names(&sources.old_names().expect("names")), [("development.toml", old, new)]);
    }
}

#[test]
fn a_default_file_of_the_previous_release_loads() {
    let mut default = include_str!("../../../config/default.toml").to_owned();
    // Two sections have a key of one new name, which differed before.
    for (old, new) in RENAMED {
        let (section, new_key) = new.split_once('.').expect("a section");
        let (_, old_key) = old.split_once('.').expect("a section");
        let start = default.find(&format!("[{section}]")).expect("the section");
        let key = start + default[start..].find(&format!("\n{new_key} = ")).expect("the key") + 1;
        default.replace_range(key..key + new_key.len(), old_key);
    }
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("default.toml"), default).expect("written");
    fs::write(folder.path().join("development.toml"), "").expect("written");
    let sources = Sources { folder: Some(folder.path().to_owned()), ..Sources::default() };
    let (_, settings) = Settings::load(&sources).expect("these settings should load");
    assert_eq!(settings.journal.queue_capacity, 8192);
    assert_eq!(sources.old_names().expect("names").len(), RENAMED.len());
}

#[test]
fn a_later_layer_overrides_an_earlier_one_whichever_names_they_use() {
    let (_folder, mut sources) = folder("", "[journal]\nintake = 1000\n");
    sources.variables.insert(variable("journal.queue_capacity"), "2000".to_owned());
    assert_eq!(Settings::load(&sources).expect("settings").1.journal.queue_capacity, 2000);

    let (_folder, mut sources) = folder("", "[journal]\nqueue_capacity = 1000\n");
    sources.variables.insert(variable("journal.intake"), "2000".to_owned());
    assert_eq!(Settings::load(&sources).expect("settings").1.journal.queue_capacity, 2000);
}

#[test]
fn both_names_in_one_source_are_refused() {
    let both = [("SWITCHBOARD__JOURNAL__INTAKE", "1000"), ("SWITCHBOARD__JOURNAL__QUEUE_CAPACITY", "2000")];
    let expected = "the environment sets both journal.queue_capacity and journal.intake, its old name; remove \
                    journal.intake";
    assert_eq!(load(&both).expect_err("refused").to_string(), expected);

    let (_folder, sources) = folder("", "[journal]\nintake = 1000\nqueue_capacity = 2000\n");
    let error = Settings::load(&sources).expect_err("refused").to_string();
    assert!(error.starts_with("development.toml sets both"), "{error}");
}

#[test]
fn the_warning_names_the_source_and_both_names() {
    let sources = sources(&[("SWITCHBOARD__LIMITS__REMEMBERED", "1000")]);
    let warnings: Vec<String> = sources.old_names().expect("names").iter().map(ToString::to_string).collect();
    let expected = "the environment sets limits.remembered, which is called limits.limiter_cache_size now; the old \
                    name will be refused by the next release";
    assert_eq!(warnings, [expected]);
}

#[test]
fn current_names_give_no_warning() {
    assert!(sources(&[]).old_names().expect("names").is_empty());
}
