//! Opening an SQLite file.

use std::os::unix::fs::PermissionsExt;

use switchboard::config::{Settings, Sources};
use switchboard::database::Database;

use crate::support::{ApiServer, Backend, SECRET, ScratchDatabase, TestUser};

/// A thousand times.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_can_be_opened_by_many_at_once() {
    for _ in 0..250 {
        let file = ScratchDatabase::create(Backend::Sqlite).await;
        // A slow disk must not fail the test.
        let variables = [
            ("DATABASE_URL", file.url.as_str()),
            ("JWT_SECRET", SECRET),
            ("SWITCHBOARD__DATABASE__TIMEOUT_MS", "60000"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let (_, settings) = Settings::load(&Sources { folder: None, variables }).unwrap();
        let opened = (0..4).map(|_| {
            let settings = settings.database.clone();
            tokio::spawn(async move { Database::connect(&settings, 1).await.map(drop) })
        });
        for opened in futures_util::future::join_all(opened).await {
            opened.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn only_the_owner_can_open_the_file_and_those_that_belong_to_it() {
    let permissions = |url: &str, suffix: &str| {
        let file = format!("{}{suffix}", url.trim_start_matches("sqlite://"));
        std::fs::metadata(file).map(|metadata| metadata.permissions().mode() & 0o777).ok()
    };
    for is_new in [true, false] {
        let file = ScratchDatabase::create(Backend::Sqlite).await;
        let path = file.url.trim_start_matches("sqlite://").to_owned();
        if !is_new {
            // As an earlier release has left them.
            let server = ApiServer::start(&file).await;
            server.open_conversation(&TestUser::customer("john")).await;
            drop(server);
            for suffix in ["", "-wal", "-shm"] {
                let Ok(metadata) = std::fs::metadata(format!("{path}{suffix}")) else { continue };
                let mut permissions = metadata.permissions();
                permissions.set_mode(0o644);
                std::fs::set_permissions(format!("{path}{suffix}"), permissions).unwrap();
            }
        }
        let server = ApiServer::start(&file).await;
        server.open_conversation(&TestUser::customer("john")).await;
        for suffix in ["", "-wal", "-shm"] {
            assert_eq!(permissions(&file.url, suffix), Some(0o600), "{suffix:?}, new: {is_new}");
        }
    }
}
