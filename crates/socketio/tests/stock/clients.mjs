// Stock clients 4.0, 4.6, 4.7 and 4.8 on each transport: connect with auth, refusal, acks both ways, binary, disconnect, reconnect.
// PORT: where examples/stock listens.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const url = `http://127.0.0.1:${process.env.PORT ?? 3000}/chat`;
const once = (socket, event) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), 5000);
    socket.once(event, (...values) => (clearTimeout(timer), resolve(values)));
  });
const ask = (socket, ...values) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ack of ${values[0]}`)), 5000);
    socket.emit(...values, (...answer) => (clearTimeout(timer), resolve(answer)));
  });

for (const version of ["client48", "client47", "client46", "client40"]) {
  const { io } = require(version);
  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
    const options = { transports, forceNew: true, reconnectionDelay: 30, reconnectionDelayMax: 60 };
    const refused = io(url, options);
    const [error] = await once(refused, "connect_error");
    assert.equal(error.message, "name and room required");
    assert.deepEqual(error.data, { code: "missing_field" });
    refused.close();

    const room = `${version} ${transports}`;
    const a = io(url, { ...options, auth: { name: "a", room } });
    const b = io(url, { ...options, auth: (callback) => callback({ name: "b", room }) });
    const welcomes = [once(a, "welcome"), once(b, "welcome")];
    // Exactly the arguments that the server sent: no offset.
    assert.deepEqual(await welcomes[0], [{ name: "a", recovered: false }]);
    await welcomes[1];
    const received = once(b, "message");
    const [number] = await ask(a, "send", "héllo ✓");
    assert.equal((await received)[0].text, "héllo ✓");
    assert.equal((await received)[0].number, number);
    assert.equal((await received).length, 1);
    const shown = once(b, "shown");
    a.emit("show", Buffer.from([4, 5]), "a title");
    assert.deepEqual(await shown, [Buffer.from([4, 5]), "a title"]);

    const binary = await ask(a, "echo", Buffer.from([1, 2, 3]), { deep: [Buffer.alloc(70_000, 7)] }, "x");
    assert.deepEqual(binary[0], Buffer.from([1, 2, 3]));
    assert.equal(binary[1].deep[0].length, 70_000);
    assert.equal(binary[2], "x");
    a.once("question", (why, answer) => answer("because", [why]));
    assert.deepEqual((await ask(a, "ask"))[0], ["because", ["why?"]]);
    assert.equal((await ask(a, "echo", "y".repeat(300_000)))[0].length, 300_000);
    const many = await Promise.all(Array.from({ length: 300 }, (_, i) => ask(a, "echo", i)));
    assert.deepEqual(many.flat(), Array.from({ length: 300 }, (_, i) => i));
    if (transports.length === 2) assert.equal(a.io.engine.transport.name, "websocket");

    // Disconnected by the server: the client does not reconnect.
    const disconnect = once(b, "disconnect");
    b.emit("disconnect-me");
    assert.equal((await disconnect)[0], "io server disconnect");
    // Closed by the server: the client reconnects.
    const id = a.id;
    const [closed, reconnected] = [once(a, "disconnect"), once(a, "connect")];
    a.emit("close-transport");
    assert.ok(["transport close", "io server disconnect"].includes((await closed)[0]), "closed by the transport");
    await reconnected;
    if (version !== "client40") assert.ok(a.recovered && a.id === id, "recovered");
    await ask(a, "echo", 1);
    a.close();
    b.close();
    console.log(`ok ${room}`);
  }
}
process.exit(0);
