//! A row per agent and server that the agent has been connected to.

use sea_orm::entity::prelude::*;

/// When an agent had a socket on one server.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agent_sockets")]
pub struct Model {
    /// The agent's account.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub agent_id: String,
    /// The server, identified again with each start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_id: Uuid,
    /// A lease: until then the agent counts as connected, unless the server ends it. A server that was killed does not.
    pub connected_until: DateTimeUtc,
    /// When the agent last had a socket there, as far as the server has written it.
    pub last_socket_at: DateTimeUtc,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
