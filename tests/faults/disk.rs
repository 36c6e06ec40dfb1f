//! The disk that SQLite's file is on, and how it fills up.
//!
//! Where the test may mount one, it is a small tmpfs, filled by a second file. Where not, `RLIMIT_FSIZE` forbids the server
//! to write beyond the first page of any file, which SQLite also reports as a disk error. Either way the fault strikes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder for one database file. It is unmounted and removed when dropped.
pub(crate) struct Disk {
    folder: TempDir,
    is_mounted: bool,
}

impl Disk {
    /// Creates a folder; a `small` one on a tmpfs of its own, if possible.
    pub(crate) fn create(small: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let is_mounted =
            small && run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(folder.path()));
        Self { folder, is_mounted }
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("switchboard.db").display())
    }

    /// Makes every write fail, on a mounted disk or of this server process. Returns whether it did.
    pub(crate) fn fill(&self, server: Option<u32>) -> bool {
        if self.is_mounted {
            let mut ballast = File::create(self.ballast()).unwrap();
            // In ever smaller pieces, to the last byte.
            for size in [1 << 20, 1 << 12, 1] {
                while ballast.write_all(&vec![0; size]).is_ok() {}
            }
            true
        } else {
            server.is_some_and(|server| set_limit(server, "--fsize=4096:"))
        }
    }

    /// Makes writes succeed again.
    pub(crate) fn free(&self, server: Option<u32>) {
        if self.is_mounted {
            // The file does not exist if the disk was never filled.
            let _ = fs::remove_file(self.ballast());
        } else if let Some(server) = server {
            set_limit(server, "--fsize=unlimited:");
        }
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            run(Command::new("umount").arg("--lazy").arg(self.folder.path()));
        }
    }
}

/// Sets a limit of a running server with `prlimit`, which needs no privilege. Returns whether it did: the server may
/// have ended.
pub(crate) fn set_limit(server: u32, limit: &str) -> bool {
    run(Command::new("prlimit").arg(format!("--pid={server}")).arg(limit))
}

fn run(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
