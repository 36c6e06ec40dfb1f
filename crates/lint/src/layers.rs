//! The direction of imports between the modules of `src/`, from `rules/layers.txt`.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::LintError;
use crate::finding::{Finding, Rule};
use crate::modules::{Module, ModuleGraph};

/// The table of layers.
pub(crate) struct Layers {
    /// The layer of each top-level module; a larger number is lower.
    layers: HashMap<String, usize>,
    /// Modules that import nothing of ours but what is listed.
    restricted: Vec<(String, Vec<String>)>,
}

impl Layers {
    /// Reads lines of modules, top layer first, and lines of `only MODULE: MODULE…`.
    pub(crate) fn parse(rules: &str) -> Result<Self, LintError> {
        let mut layers = Self { layers: HashMap::new(), restricted: Vec::new() };
        let lines = rules.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for (number, line) in lines.enumerate() {
            let modules = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            match line.strip_prefix("only ").map(|rule| rule.split_once(": ")) {
                Some(Some((module, allowed))) => layers.restricted.push((module.to_owned(), modules(allowed))),
                Some(None) => return Err(LintError::MalformedRule { file: "layers.txt", line: line.to_owned() }),
                None => layers.layers.extend(modules(line).into_iter().map(|module| (module, number))),
            }
        }
        Ok(layers)
    }

    /// Every import that does not point to a lower layer, and every module that is in none.
    pub(crate) fn check(&self, graph: &ModuleGraph) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut report = |module: &Module, line, subject: String, message| {
            findings.push(Finding { path: module.file.clone(), line, rule: Rule::Layer, subject, message });
        };
        let ours = |module: &&Module| module.krate.is_empty() && !module.path.is_empty();
        for module in graph.modules.iter().filter(ours) {
            if let Some(top) = module.path.first().filter(|top| !self.layers.contains_key(*top)) {
                report(module, 0, top.clone(), format!("module `{top}` has no layer in crates/lint/rules/layers.txt"));
            }
        }
        for edge in &graph.imports {
            let modules = (graph.modules.get(edge.from), graph.modules.get(edge.to));
            let (Some(from), Some(to)) = modules else { continue };
            let (importer, imported) = (from.path.join("::"), to.path.join("::"));
            if let Some(message) = self.violation(&importer, &imported).filter(|_| ours(&from)) {
                report(from, edge.line, imported, message);
            }
        }
        findings
    }

    /// Why `importer` must not import `imported`, if it must not.
    fn violation(&self, importer: &str, imported: &str) -> Option<String> {
        if let Some((module, allowed)) = self.restricted.iter().find(|(module, _)| is_in(importer, module))
            && !is_in(imported, module)
            && !allowed.iter().any(|allowed| is_in(imported, allowed))
        {
            return Some(format!("`{module}` imports nothing of ours but {}, not `{imported}`", allowed.join(", ")));
        }
        let top = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
        let (above, below) = (top(importer), top(imported));
        let (upper, lower) = (self.layers.get(&above)?, self.layers.get(&below)?);
        (above != below && lower <= upper)
            .then(|| format!("`{above}` must not import `{imported}`: `{below}` is not in a lower layer"))
    }
}

/// Whether a module is another or within it.
fn is_in(module: &str, other: &str) -> bool {
    module.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
