//! Opening an SQLite file that does not exist yet.

use switchboard::config::{Settings, Sources};
use switchboard::database::Database;

use crate::support::{Backend, SECRET, ScratchDatabase};

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
