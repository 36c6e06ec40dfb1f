//! HTTP/1.1 written by hand on one TCP connection, for tests of the connection itself: a client library would silently
//! open another.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request and reads the complete answer. `head` is the request line and any headers; `Host`, `Content-Length`
/// and the empty line are added. Returns the status line.
pub(crate) async fn exchange(connection: &mut TcpStream, head: &str, body: &str) -> String {
    let request = format!("{head}\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let length = connection.read_buf(&mut answer).await.unwrap();
        assert!(length > 0, "the connection ended: {}", String::from_utf8_lossy(&answer));
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let content_length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == content_length.parse::<usize>().unwrap() {
            return head.lines().next().unwrap().to_owned();
        }
    }
}
