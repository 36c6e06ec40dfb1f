//! Modules that import each other.
//!
//! A module and its submodules are one unit: a submodule may use its parent and the parent its submodules. Between the
//! submodules of one parent, each with all that is in it, imports make no circle.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Finding, Rule};
use crate::modules::{Module, ModuleGraph};

/// A submodule of some parent, by its crate and path.
type Unit<'m> = (&'m str, &'m [String]);

/// One finding for each set of modules in which every one imports every other, directly or through others.
pub(crate) fn check(graph: &ModuleGraph) -> Vec<Finding> {
    let mut imported: BTreeMap<Unit<'_>, BTreeSet<Unit<'_>>> = BTreeMap::new();
    for edge in &graph.imports {
        let modules = (graph.modules.get(edge.from), graph.modules.get(edge.to));
        if let (Some(from), Some(to)) = modules
            && let Some((from, to)) = siblings(from, to)
        {
            imported.entry(from).or_default().insert(to);
        }
    }
    let reached: BTreeMap<Unit<'_>, BTreeSet<Unit<'_>>> =
        imported.keys().map(|start| (*start, reachable(&imported, *start))).collect();
    let reaches = |from: &Unit<'_>, to: &Unit<'_>| reached.get(from).is_some_and(|reached| reached.contains(to));
    let mut findings = Vec::new();
    for first in reached.keys() {
        let circle: Vec<_> = reached.keys().filter(|unit| reaches(first, unit) && reaches(unit, first)).collect();
        if circle.first() != Some(&first) {
            continue; // In no circle, or in one that is reported at its first module.
        }
        let subject = circle.iter().map(|(_, path)| path.join("::")).collect::<Vec<_>>().join(", ");
        let (krate, path) = first;
        let file = graph.modules.iter().find(|module| module.krate == *krate && module.path == **path);
        findings.push(Finding {
            path: file.map_or_else(|| (*krate).to_owned(), |module| module.file.clone()),
            line: 0,
            rule: Rule::Circle,
            message: format!("modules that import each other: {subject}"),
            subject,
        });
    }
    findings
}

/// The two submodules of the closest common parent that the modules are in; none if one is in the other.
fn siblings<'m>(from: &'m Module, to: &'m Module) -> Option<(Unit<'m>, Unit<'m>)> {
    let common = from.path.iter().zip(&to.path).take_while(|(a, b)| a == b).count();
    let unit = |module: &'m Module| Some((module.krate.as_str(), module.path.get(..=common)?));
    Some((unit(from)?, unit(to)?))
}

/// Everything that `start` imports, directly or through others; itself only if it is in a circle.
fn reachable<'m>(imported: &BTreeMap<Unit<'m>, BTreeSet<Unit<'m>>>, start: Unit<'m>) -> BTreeSet<Unit<'m>> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(next) = waiting.pop() {
        for unit in imported.get(&next).into_iter().flatten() {
            if reached.insert(*unit) {
                waiting.push(*unit);
            }
        }
    }
    reached
}
