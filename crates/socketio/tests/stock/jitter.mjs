// Stock clients whose connections are cut every few seconds for a second or two, under traffic in both directions. In one form both
// sides notice the cut; in the other only the client does, and the server's side stays open and silent. Every event must arrive once
// and in order.
// PORT: where examples/stock listens. CLIENTS (200), DURATION in seconds (60).
import assert from "node:assert/strict";
import net from "node:net";
import { io } from "client48";
const port = Number(process.env.PORT ?? 3000);
const clients = Number(process.env.CLIENTS ?? 200);
const seconds = Number(process.env.DURATION ?? 60);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

for (const form of ["both sides notice", "only the client notices"]) {
  const silent = [];
  let cuts = 0;
  const opened = Array.from({ length: clients }, (_, index) => {
    let up = true;
    const pairs = new Set();
    // A proxy for each client, whose connections are cut.
    const proxy = net.createServer((client) => {
      if (!up) return client.destroy();
      const server = net.connect(port, "127.0.0.1");
      const pair = { client, server };
      pairs.add(pair);
      client.pipe(server);
      server.pipe(client);
      for (const side of [client, server]) side.on("error", () => {});
      client.on("close", () => (pairs.delete(pair), pair.cut || server.destroy()));
      server.on("close", () => client.destroy());
    });
    const cut = () => {
      cuts++;
      up = false;
      for (const pair of pairs) {
        pair.cut = form === "only the client notices";
        pair.client.unpipe(pair.server);
        pair.server.unpipe(pair.client);
        pair.client.destroy();
        if (pair.cut) silent.push(pair.server.pause());
      }
      setTimeout(() => (up = true), 1000 + Math.random() * 1000);
    };
    const state = { news: [], messages: [], recovered: 0, fresh: 0, connects: 0, acked: 0 };
    return { index, proxy, cut, state };
  });
  await Promise.all(opened.map(({ proxy }) => new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve))));
  for (const client of opened) {
    const { state, proxy, index } = client;
    const name = `c${index}`;
    const socket = io(`http://127.0.0.1:${proxy.address().port}/chat`, {
      transports: ["websocket"], forceNew: true, auth: { name, room: "news" },
      reconnectionDelay: 100, reconnectionDelayMax: 400, ackTimeout: 3000, retries: 20,
    });
    client.socket = socket;
    socket.on("connect", () => (state.connects++, socket.recovered ? state.recovered++ : state.fresh++));
    socket.on("news", (number) => state.news.push(number));
    socket.on("message", ({ by, text, number }) => state.messages.push([number, by, text]));
  }
  await Promise.all(opened.map(({ socket }) => socket.connected || new Promise((resolve) => socket.once("connect", resolve))));
  const end = Date.now() + seconds * 1000;
  const work = opened.map(async ({ cut, socket, state }, index) => {
    await sleep(Math.random() * 3000);
    const cutting = (async () => {
      while (Date.now() < end - 3000) {
        cut();
        await sleep(4000 + Math.random() * 2000);
      }
    })();
    // A tenth of the clients send words; each is retried until it is acknowledged.
    for (let word = 0; index % 10 === 0 && Date.now() < end - 3000; word++) {
      await new Promise((resolve) => socket.emit("send", word, resolve));
      state.acked++;
      await sleep(200);
    }
    await cutting;
  });
  await Promise.all(work);
  // Every client must receive the newest event that any client has received by now.
  const newest = Math.max(...opened.map(({ state }) => state.news.at(-1) ?? 0));
  await sleep(4500);
  let lost = 0, duplicated = 0, reordered = 0, deliveries = 0;
  for (const { state } of opened) {
    for (const numbers of [state.news]) {
      deliveries += numbers.length;
      lost += Math.max(0, newest - (numbers.at(-1) ?? 0));
      for (let i = 1; i < numbers.length; i++) {
        const step = numbers[i] - numbers[i - 1];
        if (step > 1) lost += step - 1;
        if (step === 0) duplicated++;
        if (step < 0) reordered++;
      }
    }
  }
  // All clients received the same words; a retry may have sent a word twice, under two numbers.
  const receivedBy = opened.map(({ state }) => new Set(state.messages.map(([number]) => number)));
  const all = new Set(receivedBy.flatMap((set) => [...set]));
  const missing = receivedBy.reduce((sum, set) => sum + all.size - set.size, 0);
  const received = opened.reduce((sum, { state }) => sum + state.messages.length, 0);
  const duplicatedWords = received - receivedBy.reduce((sum, set) => sum + set.size, 0);
  const sum = (key) => opened.reduce((total, { state }) => total + state[key], 0);
  console.log(JSON.stringify({ form, clients, cuts, deliveries, lost, duplicated, reordered, words: all.size, missing, duplicatedWords, acked: sum("acked"), recovered: sum("recovered"), fresh: sum("fresh") }));
  for (const { socket, proxy } of opened) socket.close(), proxy.close();
  for (const server of silent) server.destroy();
  assert.deepEqual([lost, duplicated, reordered, missing, duplicatedWords], [0, 0, 0, 0, 0]);
  assert.equal(sum("fresh"), clients, "every client recovered");
}
process.exit(0);
