// The reference parsers as an oracle: they encode generated packets, examples/echo sends them back, and they decode the answers.
// PORT: where it listens. COUNT: how many packets, 10000 by default.
import assert from "node:assert/strict";
import WebSocket from "ws";
import * as sio from "socket.io-parser";
import * as eio from "engine.io-parser";
const port = process.env.PORT ?? 3000;
const count = Number(process.env.COUNT ?? 10_000);
let seed = Number(process.env.SEED ?? 1);
const random = (n) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0), (seed >>> 8) % n);
const text = () =>
  Array.from({ length: random(12) }, () => String.fromCodePoint([random(128), 32 + random(95), 0x80 + random(0x700), 0x1f600 + random(50)][random(4)])).join("");
const leaf = () => [() => null, () => random(2) === 0, () => random(1e6) - 5e5, () => random(1000) / 8, text, () => Buffer.from(text())][random(6)]();
const value = (depth) =>
  depth === 0 || random(3) === 0
    ? leaf()
    : random(2)
      ? Array.from({ length: random(4) }, () => value(depth - 1))
      : Object.fromEntries(Array.from({ length: random(4) }, (_, i) => [`${i}${text()}`, value(depth - 1)]));
const buffers = (v) => (Buffer.isBuffer(v) ? 1 : v && typeof v === "object" ? Object.values(v).reduce((n, w) => n + buffers(w), 0) : 0);

const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
const decoder = new sio.Decoder();
const encoder = new sio.Encoder();
const pending = [];
decoder.on("decoded", (packet) => pending.shift()?.(packet));
const next = () => new Promise((resolve) => pending.push(resolve));
socket.on("message", (data, binary) => {
  const packet = eio.decodePacket(binary ? data : data.toString(), "nodebuffer");
  assert.notEqual(packet.type, "error");
  if (packet.type === "ping") socket.send("3");
  if (packet.type === "message") decoder.add(packet.data);
});
const send = (packet) => {
  for (const part of encoder.encode(packet)) {
    eio.encodePacket({ type: "message", data: part }, true, (encoded) => socket.send(encoded));
  }
};
await new Promise((resolve) => socket.once("message", resolve));
for (const nsp of ["/", "/custom"]) {
  const [connected, auth] = [next(), next()];
  send({ type: sio.PacketType.CONNECT, nsp, data: { token: text() } });
  assert.equal((await connected).type, sio.PacketType.CONNECT);
  await auth;
}
for (let done = 0; done < count; ) {
  const batch = Array.from({ length: 50 }, () => {
    let data;
    do data = Array.from({ length: random(4) }, () => value(3));
    while (buffers(data) > 10);
    const nsp = random(2) ? "/" : "/custom";
    const id = random(2) ? random(2) ? random(100) : Number.MAX_SAFE_INTEGER - random(100) : undefined;
    return { nsp, data, id, answer: next() };
  });
  for (const { nsp, data, id } of batch) {
    const name = id === undefined ? "message" : "message-with-ack";
    send({ type: sio.PacketType.EVENT, nsp, id, data: [name, ...data] });
  }
  // Order is kept within a namespace, not between the two.
  const answers = await Promise.all(batch.map(({ answer }) => answer));
  for (const nsp of ["/", "/custom"]) {
    const sent = batch.filter((packet) => packet.nsp === nsp);
    const got = answers.filter((packet) => packet.nsp === nsp);
    assert.equal(got.length, sent.length);
    sent.forEach(({ data, id }, i) => {
      assert.deepEqual(got[i].data, id === undefined ? ["message-back", ...data] : data);
      assert.equal(got[i].id, id);
    });
  }
  done += batch.length;
}
console.log(`ok ${count} packets through both parsers`);
process.exit(0);
