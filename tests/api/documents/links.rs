//! Every relative link in the project's documents leads to a file.

use std::path::{Path, PathBuf};

fn documents(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Not ours, or not written by hand.
        let is_skipped =
            name.starts_with('.') || ["target", "node_modules", "data", "contract"].contains(&name.as_str());
        if path.is_dir() && !is_skipped {
            documents(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            into.push(path);
        }
    }
}

#[test]
fn every_relative_link_in_a_document_leads_to_a_file() {
    let mut found = Vec::new();
    documents(Path::new(env!("CARGO_MANIFEST_DIR")), &mut found);
    assert!(found.len() > 20, "only {} documents", found.len());
    let mut broken = Vec::new();
    for document in found {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            let is_relative = !target.is_empty() && !target.contains("://") && !target.contains(' ');
            if is_relative && !document.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
