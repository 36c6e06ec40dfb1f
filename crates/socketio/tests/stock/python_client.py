"""python-socketio 5.18 or 5.5 against examples/stock, on each transport: auth, refusal, acks both ways, binary, disconnect, reconnect.

PORT: where examples/stock listens.
"""
import asyncio
import os

import socketio

URL = f"http://127.0.0.1:{os.environ.get('PORT', '3000')}"
NAMESPACE = "/chat"


async def connected(transports, auth):
    client = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.1)
    events = asyncio.Queue()
    client.on("*", lambda event, *values: events.put_nowait((event, values)), namespace=NAMESPACE)
    # With one parameter, which an additional argument breaks.
    client.on("question", lambda why: ("because", [why]), namespace=NAMESPACE)
    client.on("welcome", lambda data: events.put_nowait(("welcome", (data,))), namespace=NAMESPACE)
    client.on("message", lambda data: events.put_nowait(("message", (data,))), namespace=NAMESPACE)
    client.on("shown", lambda data: events.put_nowait(("shown", (data,))), namespace=NAMESPACE)
    client.on("connect", lambda: events.put_nowait(("connect", ())), namespace=NAMESPACE)
    client.on("disconnect", lambda *reason: events.put_nowait(("disconnect", ())), namespace=NAMESPACE)
    await client.connect(URL, auth=auth, transports=transports, namespaces=[NAMESPACE], wait_timeout=5)
    return client, events


async def wait_for(events, event):
    while True:
        name, values = await asyncio.wait_for(events.get(), 5)
        if name == event:
            return values


async def run(transports):
    try:
        await connected(transports, {})
    except socketio.exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("accepted without a name")
    room = "python " + " ".join(transports)
    a, events_a = await connected(transports, {"name": "a", "room": room})
    b, events_b = await connected(transports, {"name": "b", "room": room})
    await wait_for(events_a, "welcome")
    await wait_for(events_b, "welcome")
    number = await a.call("send", "héllo", namespace=NAMESPACE)
    message = (await wait_for(events_b, "message"))[0]
    assert message["text"] == "héllo" and message["number"] == number, message
    data = bytes(range(256)) * 300
    assert await a.call("echo", data, namespace=NAMESPACE) == data
    await a.emit("show", data, namespace=NAMESPACE)
    assert await wait_for(events_b, "shown") == (data,)
    assert list(await a.call("echo", ({"deep": [data]}, 1), namespace=NAMESPACE)) == [{"deep": [data]}, 1]
    assert await a.call("ask", namespace=NAMESPACE) == ["because", ["why?"]]
    for index in range(100):
        assert await a.call("echo", index, namespace=NAMESPACE) == index
    await b.emit("disconnect-me", namespace=NAMESPACE)
    await wait_for(events_b, "disconnect")
    await a.emit("close-transport", namespace=NAMESPACE)
    await wait_for(events_a, "disconnect")
    # This client takes the close packet that a poll receives as a wanted disconnect; after a WebSocket close it reconnects.
    if transports != ["polling"]:
        await wait_for(events_a, "connect")
        assert await a.call("echo", 1, namespace=NAMESPACE) == 1
        await a.disconnect()
    await b.disconnect()
    print("ok", room)


async def main():
    for transports in (["websocket"], ["polling"], ["polling", "websocket"]):
        await run(transports)


asyncio.run(main())
