//! Reading a conversation back over REST.

use serde_json::Value;

/// The most messages that the server returns in one page.
pub const PAGE_SIZE: usize = 200;

/// Reads all messages of a conversation in ascending order, page by page.
///
/// `fetch` gets a path with its query and returns the body of the answer; `path` is a customer's or an agent's detail of
/// the conversation; `cursor` is the field that it is paged by, `seq` or `position`.
pub async fn read_messages(fetch: impl AsyncFn(String) -> Value, path: &str, cursor: &str) -> Vec<Value> {
    let (mut messages, mut last) = (Vec::new(), 0);
    loop {
        let body = fetch(format!("{path}?after_{cursor}={last}&limit={PAGE_SIZE}")).await;
        let data = &body["data"];
        let page = data["conversation"]["messages"].as_array().or(data["messages"].as_array());
        let page = page.cloned().unwrap_or_default();
        let length = page.len();
        last = page.iter().filter_map(|message| message[cursor].as_i64()).fold(last, i64::max);
        messages.extend(page);
        if length < PAGE_SIZE {
            return messages;
        }
    }
}
