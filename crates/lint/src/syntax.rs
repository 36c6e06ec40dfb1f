//! Functions, imports and test modules in a sequence of Rust tokens.

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::lexer::Token;

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of `fn`.
    pub(crate) line: usize,
    /// From `fn` to the closing brace.
    pub(crate) lines: usize,
}

/// One path that a `use` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// As written, without `as`; a glob ends with `*`.
    pub(crate) path: Vec<String>,
    /// The name it has in this file.
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Whether it is visible outside the file, `pub` or `pub(crate)`: a re-export.
    pub(crate) is_public: bool,
}

/// The index of the brace that closes the one at `open`, or the end of the file.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len().saturating_sub(1)
}

fn text(tokens: &[Token], index: usize) -> &str {
    tokens.get(index).map_or("", |token| token.text.as_str())
}

fn line(tokens: &[Token], index: usize) -> usize {
    tokens.get(index).map_or(0, |token| token.line)
}

/// Every function with a body.
pub(crate) fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut functions = Vec::new();
    for index in (0..tokens.len()).filter(|index| text(tokens, *index) == "fn") {
        let Some(name) = tokens.get(index + 1).filter(|token| token.is_identifier()) else { continue };
        let body = (index..tokens.len()).find(|at| matches!(text(tokens, *at), "{" | ";"));
        if let Some(open) = body.filter(|at| text(tokens, *at) == "{") {
            let start = line(tokens, index);
            let lines = line(tokens, closing(tokens, open)) + 1 - start;
            functions.push(Function { name: name.text.clone(), line: start, lines });
        }
    }
    functions
}

/// The index of the `mod` of every module that is compiled into tests only.
fn test_modules_at(tokens: &[Token]) -> impl Iterator<Item = usize> {
    let is_test =
        |at: usize| ["#", "[", "cfg", "(", "test", ")", "]"].iter().zip(at..).all(|(t, i)| text(tokens, i) == *t);
    (0..tokens.len())
        .filter(move |at| is_test(*at))
        .filter_map(|at| (at + 7..at + 12).find(|i| text(tokens, *i) == "mod"))
}

/// The tokens of every inline module that is compiled into tests only, from `mod` to the closing brace.
pub(crate) fn test_modules(tokens: &[Token]) -> Vec<Range<usize>> {
    test_modules_at(tokens)
        .filter(|start| text(tokens, start + 2) == "{")
        .map(|start| start..closing(tokens, start + 2) + 1)
        .collect()
}

/// The name of every module that is compiled into tests only and is in a file of its own.
pub(crate) fn test_files(tokens: &[Token]) -> Vec<&str> {
    test_modules_at(tokens)
        .filter(|start| text(tokens, start + 2) == ";")
        .map(|start| text(tokens, start + 1))
        .collect()
}

/// The tokens outside inline test modules.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let tests = test_modules(tokens);
    let outside = |at: &usize| !tests.iter().any(|range| range.contains(at));
    tokens.iter().enumerate().filter(|(at, _)| outside(at)).map(|(_, token)| token.clone()).collect()
}

/// Every `use`, and the lines of those with braces within braces.
pub(crate) fn imports(tokens: &[Token]) -> (Vec<Import>, Vec<usize>) {
    let mut imports = Vec::new();
    let mut nested = Vec::new();
    for index in (0..tokens.len()).filter(|index| text(tokens, *index) == "use") {
        // `impl Trait + use<'a>` captures lifetimes.
        let before = if index == 0 { ";" } else { text(tokens, index - 1) };
        if !matches!(before, ";" | "}" | "{" | "pub" | ")" | "]") {
            continue;
        }
        let is_public = matches!(before, "pub" | ")");
        let end = (index..tokens.len()).find(|at| text(tokens, *at) == ";").unwrap_or(tokens.len());
        let tree = tokens.get(index + 1..end).unwrap_or_default();
        let mut depth = 0;
        for token in tree {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 2 {
                nested.push(token.line);
                break;
            }
        }
        let mut found = Vec::new();
        use_tree(&mut tree.iter().peekable(), &[], &mut found);
        imports.extend(found.into_iter().map(|(path, name, line)| Import { path, name, line, is_public }));
    }
    (imports, nested)
}

type Tree<'t> = std::iter::Peekable<std::slice::Iter<'t, Token>>;

/// Reads one branch of a use tree, up to `,`, `}` or the end.
fn use_tree(tree: &mut Tree<'_>, prefix: &[String], found: &mut Vec<(Vec<String>, String, usize)>) {
    let mut path = prefix.to_vec();
    let mut name = None;
    let mut line = 0;
    while let Some(token) = tree.next_if(|token| !matches!(token.text.as_str(), "," | "}")) {
        line = token.line;
        match token.text.as_str() {
            "::" => {}
            "as" => name = tree.next().map(|token| token.text.clone()),
            "{" => {
                while tree.peek().is_some() {
                    use_tree(tree, &path, found);
                    if tree.next().is_none_or(|token| token.text == "}") {
                        break;
                    }
                }
                return;
            }
            segment => path.push(segment.to_owned()),
        }
    }
    if path.len() > prefix.len() {
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
        found.push((path, name, line));
    }
}

/// Every path of at least two segments, with its line; not those in imports and visibilities.
pub(crate) fn paths(tokens: &[Token]) -> Vec<(Vec<String>, usize)> {
    let mut paths = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        if text(tokens, index) == "use" {
            index = (index..tokens.len()).find(|at| text(tokens, *at) == ";").unwrap_or(tokens.len());
        }
        let start = index;
        let mut path = Vec::new();
        while tokens.get(index).is_some_and(Token::is_identifier) {
            path.push(text(tokens, index).to_owned());
            index += 1;
            if text(tokens, index) != "::" {
                break;
            }
            index += 1;
        }
        let is_visibility = start > 1 && text(tokens, start - 1) == "in" && text(tokens, start - 2) == "(";
        if path.len() > 1 && !is_visibility {
            paths.push((path, line(tokens, start)));
        }
        index = index.max(start + 1);
    }
    paths
}
