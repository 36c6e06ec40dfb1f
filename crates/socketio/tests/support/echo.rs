//! A namespace that echoes.

use actix_socketio::{ConnectRefusal, Event, Namespace, Socket};

/// The main namespace: every client may join and is in the room `all`; `echo` is sent back with its arguments.
pub fn echo_namespace() -> Namespace<()> {
    Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
        .on_connect(|socket: Socket<()>| async move {
            socket.join("all");
        })
        .on("echo", |socket: Socket<()>, event: Event| async move {
            socket.emit_arguments("echo", &event.into_arguments());
        })
}
