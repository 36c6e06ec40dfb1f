//! What a JSON text will cost when it is parsed, found in one pass over it.

use serde_json::Value;

/// Bytes that an object takes for each key and value: a B-tree's node has room for eleven entries.
const ENTRY: usize = size_of::<String>() + size_of::<Value>();
const NODE: usize = 11 * ENTRY + 64;

/// The nesting depth of a JSON text, and a bound for the memory of the parsed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    depth: usize,
    memory: usize,
}

impl Shape {
    /// Of any text: what is no JSON costs no more than it would if it were.
    pub(super) fn of(json: &str) -> Self {
        let (mut depth, mut deepest, mut values, mut objects) = (0_usize, 0, 1_usize, 0_usize);
        let (mut is_quoted, mut is_escaped) = (false, false);
        for byte in json.bytes() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                _ if is_quoted => {}
                b'[' | b'{' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                    values += 1;
                    objects += usize::from(byte == b'{');
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                b',' => values += 1,
                _ => {}
            }
        }
        // A vector that grows by doubling has up to twice the room that it needs, and four values at least; a node of a
        // B-tree is at least half full, but for an object's first.
        let memory = json.len() + 4 * values * size_of::<Value>() + objects * NODE + 2 * values * ENTRY;
        Self { depth: deepest, memory }
    }

    pub(super) fn fits(self, depth: usize, memory: usize) -> bool {
        self.depth <= depth && self.memory <= memory
    }

    pub(super) fn depth(self) -> usize {
        self.depth
    }

    /// In bytes.
    pub(super) fn memory(self) -> usize {
        self.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        for (json, depth) in [("1", 0), ("[]", 1), (r#"["[[[", {"a\"[": [1]}]"#, 3), ("[[]]]]][", 2), ("", 0)] {
            assert_eq!(Shape::of(json).depth, depth, "{json}");
        }
    }

    #[test]
    fn memory_grows_with_values_and_most_with_objects() {
        let memory = |piece: &str| Shape::of(&format!("[{}]", [piece; 1000].join(","))).memory;
        let (numbers, arrays, objects) = (memory("1"), memory("[]"), memory(r#"{"":1}"#));
        assert!(numbers < arrays && arrays < objects, "{numbers} {arrays} {objects}");
        // As measured with a counting allocator: a map of one entry takes a node of its own.
        assert!(objects >= 1000 * (NODE + size_of::<Value>()), "{objects}");
        assert_eq!(Shape::of(r#"["a,[{"]"#).memory, Shape::of(r#"["aaaa"]"#).memory, "text in strings is text");
    }
}
