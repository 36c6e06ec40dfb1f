//! One conversation an account in the help center: found by its account, and never a second one.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Partial, which the query builder does not spell for both databases.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX conversations_help_center_user_id \
                 ON conversations (user_id) WHERE channel = 'help_center'",
            )
            .await
            .map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared("DROP INDEX conversations_help_center_user_id").await.map(|_| ())
    }
}
