//! What the server observes of a client.

use std::net::IpAddr;

use crate::domain::DeviceMetadata;

/// Characters of a `User-Agent` that are stored.
const USER_AGENT_LENGTH: usize = 512;

/// A client's address and program; a conversation stores them when it is created.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientInfo {
    /// As the server, or a trusted proxy, saw it.
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
    /// The device, where headers describe it.
    pub(crate) device_metadata: Option<DeviceMetadata>,
}

impl ClientInfo {
    pub(crate) fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        Self {
            ip_address: address.as_ref().map(IpAddr::to_string),
            user_agent: user_agent.map(|value| value.chars().take(USER_AGENT_LENGTH).collect()),
            device_metadata: None,
        }
    }
}
