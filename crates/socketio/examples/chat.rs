//! A small chat, for newcomers to read and for `tests/stock` to run stock clients against: rooms, acknowledgements,
//! presence, clients that come back. It listens on the port in `PORT`, 3000 by default.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_socketio::{ConnectRefusal, DisconnectReason, Event, Handshake, Namespace, Socket, SocketIo, SocketIoConfig};
use actix_web::{App, HttpServer};
use engineio::EngineConfig;
use serde_json::{Value, json};

/// Who is on a socket.
struct Member {
    name: String,
    room: String,
}

/// Lets in whoever says a name and a room.
async fn admit(handshake: Handshake) -> Result<Member, ConnectRefusal> {
    let auth = handshake.auth.unwrap_or_default();
    let said = |key: &str| auth.get(key).and_then(Value::as_str).map(str::to_owned);
    match (said("name"), said("room")) {
        (Some(name), Some(room)) => Ok(Member { name, room }),
        _ => Err(ConnectRefusal {
            message: "say who you are and where you want to be".to_owned(),
            data: Some(json!({"code": "who"})),
        }),
    }
}

fn chat() -> Namespace<Member> {
    let counter = Arc::new(AtomicU64::new(0));
    Namespace::new("/chat", admit)
        .recover_if(|old: &Member, new: &Member| old.name == new.name && old.room == new.room)
        .on_connect(|socket: Socket<Member>| async move {
            let member = socket.data();
            socket.join(member.room.as_str());
            socket.emit("welcome", &json!({"name": member.name, "recovered": socket.recovered()}));
        })
        // Everyone in the room hears it, the sender too, with a number; the acknowledgement is the number.
        .on("say", move |socket: Socket<Member>, event: Event| {
            let counter = Arc::clone(&counter);
            async move {
                let text: Value = event.first().ok()?;
                let number = counter.fetch_add(1, Ordering::Relaxed);
                let member = socket.data();
                let said = json!({"number": number, "by": member.name, "text": text});
                socket.emit("said", &said);
                socket.to(&member.room).emit("said", &said);
                Some(number)
            }
        })
        .on(
            "who",
            |socket: Socket<Member>, _: Event| async move { Some(socket.to(&socket.data().room).socket_ids().len()) },
        )
        // Whatever it is, a picture say, goes on to everyone else in the room.
        .on("show", |socket: Socket<Member>, event: Event| async move {
            socket.to(&socket.data().room).emit_arguments("shown", &event.into_arguments());
        })
        .on("echo", |_: Socket<Member>, event: Event| async move { event.into_arguments() })
        .on("ask me", |socket: Socket<Member>, _: Event| async move {
            let answer = socket.emit_with_ack("question", &"why?", Duration::from_secs(1));
            answer.await.ok().map(|arguments| arguments.values)
        })
        .on("leave me", |socket: Socket<Member>, _: Event| async move { socket.disconnect() })
        .on("cut me", |socket: Socket<Member>, _: Event| async move { socket.close_transport() })
        .on_disconnect(|socket: Socket<Member>, reason: DisconnectReason| async move {
            let member = socket.data();
            tracing::info!(name = %member.name, %reason, "left");
        })
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3000);
    let io = SocketIo::builder(EngineConfig::default(), SocketIoConfig::default()).namespace(chat()).build();
    let namespace = io.namespace("/chat");
    // News for everyone, as any thread of a program may have some.
    actix_web::rt::spawn(async move {
        let mut number = 0_u64;
        while let Some(namespace) = &namespace {
            tokio::time::sleep(Duration::from_millis(20)).await;
            namespace.to("news").emit("news", &number);
            number += 1;
        }
    });
    HttpServer::new(move || App::new().configure(io.configure()))
        .h1_allow_half_closed(false)
        .client_disconnect_timeout(Duration::from_secs(2))
        .bind(("127.0.0.1", port))?
        .run()
        .await
}
