//! A namespace that says back what it hears.

use actix_socketio::{ConnectRefusal, Event, Namespace, Socket};

/// The main namespace: anybody may come, all are in the room `all`, and `echo` is answered with its own arguments.
pub fn echo() -> Namespace<()> {
    Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
        .on_connect(|socket: Socket<()>| async move {
            socket.join("all");
        })
        .on("echo", |socket: Socket<()>, event: Event| async move {
            socket.emit_arguments("echo", &event.into_arguments());
        })
}
