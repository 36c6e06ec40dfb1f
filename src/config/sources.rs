//! The sources of settings, as layers that override each other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use config::{ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::renamed::{self, OldName};
use super::{Environment, SettingsError, unreadable};

/// What the variables of all settings begin with.
const PREFIX: &str = "switchboard__";

/// Short variables, and the settings they set. They override everything else; an empty one counts as absent.
const SHORT_VARIABLES: [(&str, &str); 4] = [
    ("PORT", "server.port"),
    ("DATABASE_URL", "database.url"),
    ("JWT_SECRET", "auth.jwt_secret"),
    ("REDIS_URL", "cluster.redis_url"),
];

/// Settings that are lists; a variable separates their items with commas.
const LISTS: [&str; 5] =
    ["auth.agent_roles", "auth.supervisor_roles", "auth.audience", "cors.origins", "server.trusted_proxies"];

/// Where settings are read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Folder with files that replace the built-in ones.
    pub folder: Option<PathBuf>,
    /// Environment variables.
    pub variables: HashMap<String, String>,
}

impl Sources {
    /// The environment variables of this process, and a folder if one is given.
    ///
    /// # Errors
    /// [`SettingsError::NotUnicode`] if a variable that sets a setting is not valid Unicode. Others are ignored.
    pub fn of_process(folder: Option<PathBuf>) -> Result<Self, SettingsError> {
        let mut variables = HashMap::new();
        // Not `vars`, which panics on a value that is not Unicode, and prints it.
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(variables.insert(name, value)),
                Err(_) if is_ours(&name) => return Err(SettingsError::NotUnicode(name)),
                Err(_) => {}
            }
        }
        Ok(Self { folder, variables })
    }

    /// The settings that are given under a name they had in the previous release.
    ///
    /// # Errors
    /// As [`Settings::load`](super::Settings::load).
    pub fn old_names(&self) -> Result<Vec<OldName>, SettingsError> {
        let layers = self.layers(Environment::from_variables(&self.variables)?)?;
        Ok(layers.into_iter().flat_map(|layer| layer.old_names).collect())
    }

    /// Every layer under current names, the lowest first.
    pub(super) fn layers(&self, environment: Environment) -> Result<Vec<Layer>, SettingsError> {
        let mut layers = Vec::new();
        for (name, built_in) in [
            ("default", include_str!("../../config/default.toml")),
            (environment.as_str(), environment.built_in_file()),
        ] {
            let mut settings = Map::new();
            for (section, value) in self.file(name, built_in)? {
                flatten(section, value, &mut settings);
            }
            layers.push(Layer::new(&format!("{name}.toml"), settings)?);
        }
        layers.push(Layer::new("the environment", self.long_variables())?);
        layers.push(Layer::new("the environment", self.short_variables())?);
        Ok(layers)
    }

    fn file(&self, name: &str, built_in: &str) -> Result<Map<String, Value>, SettingsError> {
        let name = format!("{name}.toml");
        let text = match self.folder.as_deref() {
            Some(folder) => Cow::Owned(read(&folder.join(&name)).map_err(SettingsError::Unreadable)?),
            None => Cow::Borrowed(built_in),
        };
        File::from_str(&text, FileFormat::Toml)
            .collect()
            .map_err(|error| SettingsError::Unreadable(unreadable::malformed(&name, &error)))
    }

    fn long_variables(&self) -> Map<String, Value> {
        let mut settings = Map::new();
        for (name, value) in &self.variables {
            if let Some(key) = name.to_lowercase().strip_prefix(PREFIX) {
                let key = key.replace("__", ".");
                // Values stay texts, which become numbers where a setting is one: a secret of digits is none.
                let kind = match LISTS.contains(&key.as_str()) {
                    true => ValueKind::Array(items(value).map(|item| Value::new(Some(name), item)).collect()),
                    false => ValueKind::String(value.clone()),
                };
                settings.insert(key, Value::new(Some(name), kind));
            }
        }
        settings
    }

    fn short_variables(&self) -> Map<String, Value> {
        let value = |name: &str| self.variables.get(name).filter(|value| !value.is_empty()).cloned();
        let given = SHORT_VARIABLES.iter().filter_map(|(name, key)| Some((name, key, value(name)?)));
        given.map(|(name, key, value)| ((*key).to_owned(), Value::new(Some(&(*name).to_owned()), value))).collect()
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| unreadable::unopened(path, &error))
}

/// The items of a list; none of a blank one.
fn items(list: &str) -> impl Iterator<Item = &str> {
    let is_blank = list.trim().is_empty();
    list.split(',').map(str::trim).filter(move |_| !is_blank)
}

/// Whether a variable sets a setting, or chooses the environment.
fn is_ours(name: &str) -> bool {
    let is_short = SHORT_VARIABLES.iter().any(|(short, _)| *short == name);
    is_short || name == "SWITCHBOARD_ENV" || name.to_lowercase().starts_with(PREFIX)
}

/// Turns nested tables into keys such as `server.port`. An empty table keeps its key, so that an unknown one is refused.
fn flatten(key: String, value: Value, settings: &mut Map<String, Value>) {
    match value.kind {
        ValueKind::Table(table) if !table.is_empty() => {
            for (name, value) in table {
                flatten(format!("{key}.{name}"), value, settings);
            }
        }
        _ => drop(settings.insert(key, value)),
    }
}

/// The settings of one source, by keys such as `server.port`.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    settings: Map<String, Value>,
    old_names: Vec<OldName>,
}

impl Layer {
    /// Renamed here, not by serde: an old name in one layer must meet the new name of another as the same setting.
    fn new(source: &str, mut settings: Map<String, Value>) -> Result<Self, SettingsError> {
        if let Some(fault) = unreadable::misplaced(source, &settings) {
            return Err(SettingsError::Unreadable(fault));
        }
        let old_names = renamed::apply(source, &mut settings)?;
        Ok(Self { settings, old_names })
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.settings.clone())
    }
}
