//! Log lines on their way to standard error. A reader that stalls must not stall the server, so a thread of its own writes
//! them, from a queue whose bytes are bounded; lines beyond it are dropped and counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// How long the end of the program waits for lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Accepts lines without ever waiting for the reader. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct LogQueue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    capacity: usize,
    state: Mutex<State>,
    /// Lines have been queued, or all have been written.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Complete lines, at most `capacity` bytes of them.
    queued: Vec<u8>,
    /// Lines dropped since the last report.
    dropped: u64,
    /// Whether the thread has taken lines that it has not written yet.
    is_writing: bool,
}

/// Waits at the end of the program, but not for long, until the lines are written.
#[derive(Debug)]
pub(crate) struct FlushGuard(pub(super) Option<LogQueue>);

impl Drop for FlushGuard {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.flush(FLUSH_TIMEOUT);
        }
    }
}

impl LogQueue {
    /// Starts the thread that writes to `output`. `report_dropped` logs a number of dropped lines; it is called as soon as
    /// the reader reads again.
    ///
    /// # Errors
    /// When the system allows no further thread.
    pub(super) fn start(
        capacity: usize,
        output: impl Write + Send + 'static,
        report_dropped: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Shared { capacity, state: Mutex::default(), changed: Condvar::new() };
        let queue = Self(Arc::new(shared));
        let writer = queue.clone();
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writer.write_to(output, report_dropped))?;
        Ok(queue)
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.0.state.lock();
        if state.queued.len().saturating_add(line.len()) > self.0.capacity {
            state.dropped += 1;
            return;
        }
        state.queued.extend_from_slice(line);
        self.0.changed.notify_all();
    }

    fn write_to(&self, mut output: impl Write, report_dropped: impl Fn(u64)) {
        loop {
            let lines = self.take();
            // The output may be closed for good; the server continues without it.
            let _ = output.write_all(&lines).and_then(|()| output.flush());
            let dropped = std::mem::take(&mut self.0.state.lock().dropped);
            if dropped > 0 {
                report_dropped(dropped);
            }
        }
    }

    /// Waits for lines, and takes all of them.
    fn take(&self) -> Vec<u8> {
        let mut state = self.0.state.lock();
        state.is_writing = false;
        self.0.changed.notify_all();
        while state.queued.is_empty() {
            self.0.changed.wait(&mut state);
        }
        state.is_writing = true;
        std::mem::take(&mut state.queued)
    }

    /// Waits until everything is written, at most for `limit`.
    fn flush(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut state = self.0.state.lock();
        while state.is_writing || !state.queued.is_empty() {
            if self.0.changed.wait_until(&mut state, deadline).timed_out() {
                return;
            }
        }
    }
}

/// The formatter writes each line by a single call.
impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// How long anything here may take on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// An output whose reader takes one write at a time.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn queue(capacity: usize) -> (LogQueue, Receiver<Vec<u8>>, Receiver<u64>) {
        let (writes, reader) = sync_channel(0);
        let (reports, reported) = sync_channel(16);
        let queue = LogQueue::start(capacity, Pipe(writes), move |dropped| {
            reports.send(dropped).expect("the test is running");
        });
        (queue.expect("a thread"), reader, reported)
    }

    /// Gives the thread a first line, which it keeps until the reader reads.
    fn stall(queue: &LogQueue) {
        queue.push(b"first\n");
        let mut state = queue.0.state.lock();
        while !state.is_writing {
            assert!(!queue.0.changed.wait_for(&mut state, PATIENCE).timed_out() || state.is_writing);
            drop(state);
            std::thread::yield_now();
            state = queue.0.state.lock();
        }
    }

    #[test]
    fn lines_beyond_the_capacity_are_dropped_and_their_number_is_reported() {
        let (queue, reader, reported) = queue(10);
        stall(&queue);
        for line in [&b"1234\n"[..], b"12345\n", b"5678\n", b"\n"] {
            queue.push(line);
        }
        assert_eq!(reader.recv_timeout(PATIENCE).expect("a write"), b"first\n");
        assert_eq!(reported.recv_timeout(PATIENCE), Ok(2), "10 bytes fit, an 11th does not");
        assert_eq!(reader.recv_timeout(PATIENCE).expect("a write"), b"1234\n5678\n");
        queue.push(b"last\n");
        assert_eq!(reader.recv_timeout(PATIENCE).expect("a write"), b"last\n");
        assert!(reported.try_recv().is_err(), "nothing else was dropped");
    }

    #[test]
    fn a_stalled_reader_stalls_neither_a_line_nor_the_end() {
        let (queue, _reader, _) = queue(1000);
        stall(&queue);
        for _ in 0..10_000 {
            queue.push(b"a line that is not read\n");
        }
        queue.flush(Duration::from_millis(1));
        let state = queue.0.state.lock();
        assert!(state.queued.len() <= 1000 && state.dropped > 9000);
    }

    #[test]
    fn a_closed_output_is_ignored() {
        let (queue, reader, _) = queue(1000);
        drop(reader);
        for _ in 0..10 {
            queue.push(b"a line\n");
            queue.flush(PATIENCE);
        }
        assert!(queue.0.state.lock().queued.is_empty());
    }
}
