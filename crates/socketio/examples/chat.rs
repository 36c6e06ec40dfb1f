//! A chat server: clients join a room under a name, and every message goes to the room. Listens on the
//! port in `PORT`, 3000 by default.

use actix_socketio::{
    ConnectRefusal, DisconnectReason, EngineConfig, Event, Handshake, Namespace, Socket, SocketIo, SocketIoConfig,
};
use actix_web::{App, HttpServer};
use serde::Deserialize;
use serde_json::json;

/// The auth payload of the stock clients: `io("/chat", { auth: { name, room } })`.
#[derive(Deserialize)]
struct Member {
    name: String,
    room: String,
}

async fn authorise(handshake: Handshake) -> Result<Member, ConnectRefusal> {
    let auth = handshake.auth.unwrap_or_default();
    serde_json::from_value(auth).map_err(|error| ConnectRefusal::new(error.to_string()))
}

fn chat() -> Namespace<Member> {
    Namespace::new("/chat", authorise)
        .on_connect(|socket: Socket<Member>| async move {
            let Member { name, room } = socket.data();
            socket.join(room.as_str());
            socket.to(room).emit("joined", name);
        })
        .on("message", |socket: Socket<Member>, event: Event| async move {
            let Member { name, room } = socket.data();
            let text: String = event.first().ok()?;
            socket.to(room).emit("message", &json!({"name": name, "text": text}));
            Some("delivered")
        })
        .on_disconnect(|socket: Socket<Member>, _: DisconnectReason| async move {
            let Member { name, room } = socket.data();
            socket.to(room).emit("left", name);
        })
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3000);
    let io = SocketIo::builder(EngineConfig::default(), SocketIoConfig::default()).namespace(chat()).build();
    HttpServer::new(move || App::new().configure(io.configure()))
        .h1_allow_half_closed(false)
        .bind(("127.0.0.1", port))?
        .run()
        .await
}
