//! Which module of a crate imports which, test code left out.
//!
//! A name that a module re-exports counts for the module that defines it: the importer depends on that one. A
//! re-export alone makes no dependency of the module that contains it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use crate::source_files::{Language, SourceFile};
use crate::syntax::{self, Import};

/// The modules of all crates, and their imports.
pub(crate) struct ModuleGraph {
    pub(crate) modules: Vec<Module>,
    pub(crate) imports: Vec<Edge>,
}

/// A file of a crate's `src/`.
pub(crate) struct Module {
    /// The file.
    pub(crate) file: String,
    /// The folder of the crate; empty for the one at the root.
    pub(crate) krate: String,
    /// The path within the crate; empty for `lib.rs`.
    pub(crate) path: Vec<String>,
}

/// An import, by the indices of the modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) line: usize,
}

/// What resolution needs to know.
struct Index<'m> {
    /// By crate and path.
    modules: HashMap<(&'m str, &'m [String]), usize>,
    /// For each module, its imports by the names they have there.
    names: Vec<HashMap<&'m str, &'m Import>>,
}

/// How many re-exports a name is followed through.
const REEXPORTS: usize = 8;

impl ModuleGraph {
    pub(crate) fn build(files: &[SourceFile]) -> Self {
        let mut sources: Vec<(&SourceFile, Module)> =
            files.iter().filter_map(|file| Some((file, module_of(file)?))).collect();
        let tests: BTreeSet<(String, Vec<String>)> = sources.iter().flat_map(|(file, at)| tests_in(file, at)).collect();
        sources.retain(|(_, Module { krate, path, .. })| {
            let is_test = |length| path.get(..length).is_some_and(|p| tests.contains(&(krate.clone(), p.to_vec())));
            !(1..=path.len()).any(is_test)
        });
        let tokens: Vec<_> = sources.iter().map(|(file, _)| syntax::without_tests(&file.tokens)).collect();
        let (_, modules): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
        let imports: Vec<Vec<Import>> = tokens.iter().map(|tokens| syntax::imports(tokens).0).collect();
        let index = Index {
            modules: (0..).zip(&modules).map(|(i, m)| ((m.krate.as_str(), m.path.as_slice()), i)).collect(),
            names: (imports.iter())
                .map(|imports| imports.iter().map(|import| (import.name.as_str(), import)).collect())
                .collect(),
        };

        let mut edges = Vec::new();
        for ((from, tokens), imports) in tokens.iter().enumerate().zip(&imports) {
            let paths = syntax::paths(tokens);
            let used: BTreeSet<&str> = names_outside_imports(tokens);
            let imported = imports.iter().filter(|import| !import.is_public || used.contains(import.name.as_str()));
            let all =
                imported.map(|import| (&import.path, import.line)).chain(paths.iter().map(|(p, line)| (p, *line)));
            for (path, line) in all {
                if let Some(to) = index.resolve(&modules, from, path, REEXPORTS).filter(|to| *to != from) {
                    edges.push(Edge { from, to, line });
                }
            }
        }
        Self { modules, imports: edges }
    }
}

/// The crate and path of the modules in `file` that are compiled into tests only.
fn tests_in(file: &SourceFile, module: &Module) -> Vec<(String, Vec<String>)> {
    let path = |name: &str| module.path.iter().cloned().chain([name.to_owned()]).collect();
    syntax::test_files(&file.tokens).into_iter().map(|name| (module.krate.clone(), path(name))).collect()
}

fn names_outside_imports(tokens: &[crate::lexer::Token]) -> BTreeSet<&str> {
    let mut in_import = false;
    let mut names = BTreeSet::new();
    for token in tokens {
        match token.text.as_str() {
            "use" => in_import = true,
            ";" => in_import = false,
            name if !in_import => drop(names.insert(name)),
            _ => {}
        }
    }
    names
}

impl Index<'_> {
    /// The module that defines what `path` names in module `from`; none if it is in another crate.
    fn resolve(&self, modules: &[Module], from: usize, path: &[String], reexports: usize) -> Option<usize> {
        let Module { krate, path: here, .. } = modules.get(from)?;
        let absolute = self.absolute(krate, here, path)?;
        let mut length = 0;
        while (absolute.get(..=length)).is_some_and(|path| self.modules.contains_key(&(krate.as_str(), path))) {
            length += 1;
        }
        let module = *self.modules.get(&(krate.as_str(), absolute.get(..length)?))?;
        let imported = absolute.get(length).and_then(|name| self.names.get(module)?.get(name.as_str()));
        match imported {
            // A private import is visible to the module's own submodules only.
            Some(import)
                if module != from
                    && reexports > 0
                    && (import.is_public || here.starts_with(absolute.get(..length)?)) =>
            {
                let target: Vec<String> = import.path.iter().chain(absolute.get(length + 1..)?).cloned().collect();
                // What another crate defines is no dependency on the module that re-exports it.
                self.resolve(modules, module, &target, reexports - 1)
            }
            _ => Some(module),
        }
    }

    fn absolute(&self, krate: &str, here: &[String], path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => here.to_vec(),
            "super" => here.get(..here.len().checked_sub(1)?)?.to_vec(),
            child => {
                let base: Vec<String> = here.iter().cloned().chain([child.to_owned()]).collect();
                self.modules.contains_key(&(krate, base.as_slice())).then_some(base)?
            }
        };
        for segment in rest {
            match segment.as_str() {
                "super" => drop(base.pop()?),
                _ => base.push(segment.clone()),
            }
        }
        Some(base)
    }
}

/// The module that a file is; none if it is not in a `src/`, or compiled into tests only.
fn module_of(file: &SourceFile) -> Option<Module> {
    if file.language != Language::Rust || file.is_test() {
        return None;
    }
    let (krate, path) = match file.path.strip_prefix("src/") {
        Some(path) => ("", path),
        None => file.path.split_once("/src/")?,
    };
    let path: Vec<String> = match path.strip_suffix(".rs")? {
        "lib" => Vec::new(),
        "main" => return None,
        path => path.split('/').map(str::to_owned).collect(),
    };
    Some(Module { file: file.path.clone(), krate: krate.to_owned(), path })
}
