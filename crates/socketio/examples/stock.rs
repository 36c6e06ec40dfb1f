//! The server of `tests/stock`, which runs stock clients against it: rooms, acknowledgements both ways, binary events,
//! recovery. Listens on the port in `PORT`, 3000 by default; `PING_INTERVAL` and `PING_TIMEOUT` are milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_socketio::{
    ConnectRefusal, EngineConfig, Event, HalfCloseStream, Handshake, Namespace, NamespaceHandle, Socket, SocketIo,
    SocketIoConfig,
};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use serde_json::{Value, json};

/// The data of a socket.
struct Member {
    name: String,
    room: String,
}

/// Accepts clients that send a name and a room.
async fn authorise(handshake: Handshake) -> Result<Member, ConnectRefusal> {
    let auth = handshake.auth.unwrap_or_default();
    let field = |key: &str| auth.get(key).and_then(Value::as_str).map(str::to_owned);
    match (field("name"), field("room")) {
        (Some(name), Some(room)) => Ok(Member { name, room }),
        _ => Err(ConnectRefusal {
            message: "name and room required".to_owned(),
            data: Some(json!({"code": "missing_field"})),
        }),
    }
}

fn chat() -> Namespace<Member> {
    let next_number = Arc::new(AtomicU64::new(0));
    Namespace::new("/chat", authorise)
        .recover_if(|old: &Member, new: &Member| old.name == new.name && old.room == new.room)
        .on_connect(|socket: Socket<Member>| async move {
            let member = socket.data();
            socket.join(member.room.as_str());
            socket.emit("welcome", &json!({"name": member.name, "recovered": socket.recovered()}));
        })
        // The room receives the text with a number, the sender too; the acknowledgement is the number.
        .on("send", move |socket: Socket<Member>, event: Event| {
            let next_number = Arc::clone(&next_number);
            async move {
                let text: Value = event.first().ok()?;
                let number = next_number.fetch_add(1, Ordering::Relaxed);
                let member = socket.data();
                let message = json!({"number": number, "by": member.name, "text": text});
                socket.emit("message", &message);
                socket.to(&member.room).emit("message", &message);
                Some(number)
            }
        })
        // The number of other members in the room.
        .on("count", |socket: Socket<Member>, _: Event| async move {
            Some(socket.to(&socket.data().room).socket_ids().len())
        })
        // Forwards any arguments, for example a picture, to the other members.
        .on("show", |socket: Socket<Member>, event: Event| async move {
            socket.to(&socket.data().room).emit_arguments("shown", &event.into_arguments());
        })
        .on("echo", |_: Socket<Member>, event: Event| async move { event.into_arguments() })
        .on("ask", |socket: Socket<Member>, _: Event| async move {
            let answer = socket.emit_with_ack("question", &"why?", Duration::from_secs(1));
            answer.await.ok().map(|arguments| arguments.values)
        })
        .on("disconnect-me", |socket: Socket<Member>, _: Event| async move { socket.disconnect() })
        .on("close-transport", |socket: Socket<Member>, _: Event| async move { socket.close_transport() })
}

/// Sends a numbered event to the room `news` every 20 ms, from outside the handlers.
async fn publish_news(namespace: NamespaceHandle) {
    let mut number = 0_u64;
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        namespace.to("news").emit("news", &number);
        number += 1;
    }
}

/// A number in an environment variable.
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = variable("PORT").and_then(|port| port.try_into().ok()).unwrap_or(3000_u16);
    let mut engine = EngineConfig::default();
    engine.ping_interval = variable("PING_INTERVAL").map_or(engine.ping_interval, Duration::from_millis);
    engine.ping_timeout = variable("PING_TIMEOUT").map_or(engine.ping_timeout, Duration::from_millis);
    let io = SocketIo::builder(engine, SocketIoConfig::default()).namespace(chat()).build();
    if let Some(namespace) = io.namespace("/chat") {
        actix_web::rt::spawn(publish_news(namespace));
    }
    // On streams that end with their WebSockets, which `HttpServer` has no place for.
    actix_server::Server::build()
        .bind("http", ("127.0.0.1", port), move || {
            let app = App::new().configure(io.configure());
            let http = HttpService::build()
                .h1_allow_half_closed(true)
                .client_disconnect_timeout(Duration::from_secs(2))
                .on_connect_ext(|stream: &HalfCloseStream<TcpStream>, data| stream.register(data))
                .finish(map_config(app, |_| AppConfig::default()));
            fn_service(|stream: TcpStream| async {
                let peer = stream.peer_addr().ok();
                Ok((HalfCloseStream::new(stream), Protocol::Http1, peer))
            })
            .and_then(http)
        })?
        .run()
        .await
}
