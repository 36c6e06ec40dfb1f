//! Where SQLite's file lies, and how it runs out of room.
//!
//! A small tmpfs where one may be mounted, filled up by a file beside the database. Where not, the server is forbidden
//! to write beyond the first page of any file (`RLIMIT_FSIZE`): to SQLite an error of the disk too, if another one. So
//! the fault is never left out.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// See the module. Unmounted and removed when dropped.
pub(crate) struct Disk {
    folder: TempDir,
    is_mounted: bool,
}

impl Disk {
    pub(crate) fn make(small: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let is_mounted =
            small && run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(folder.path()));
        Self { folder, is_mounted }
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("switchboard.db").display())
    }

    /// No byte more can be written: whether it is so.
    pub(crate) fn fill(&self, server: u32) -> bool {
        if self.is_mounted {
            let mut ballast = File::create(self.ballast()).unwrap();
            // In ever smaller pieces, to the last byte.
            for size in [1 << 20, 1 << 12, 1] {
                while ballast.write_all(&vec![0; size]).is_ok() {}
            }
            true
        } else {
            limit(server, "--fsize=4096:")
        }
    }

    /// There is room again.
    pub(crate) fn empty(&self, server: u32) {
        if self.is_mounted {
            // Not there where it was never full.
            let _ = fs::remove_file(self.ballast());
        } else {
            limit(server, "--fsize=unlimited:");
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

/// Limits a running server; no privilege is needed for it. Whether it did: the server may just have ended.
pub(crate) fn limit(server: u32, limit: &str) -> bool {
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
