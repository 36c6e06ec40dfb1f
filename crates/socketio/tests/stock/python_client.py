"""python-socketio 5 against examples/chat, on each transport: auth, refusal, acks both ways, binary, leaving, coming back.

PORT: where examples/chat listens.
"""
import asyncio
import os

import socketio

URL = f"http://127.0.0.1:{os.environ.get('PORT', '3000')}"
NAMESPACE = "/chat"


async def connected(transports, auth):
    client = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.1)
    heard = asyncio.Queue()
    client.on("*", lambda event, *values: heard.put_nowait((event, values)), namespace=NAMESPACE)
    client.on("question", lambda why, *offset: ("because", [why]), namespace=NAMESPACE)
    client.on("connect", lambda: heard.put_nowait(("connect", ())), namespace=NAMESPACE)
    client.on("disconnect", lambda *reason: heard.put_nowait(("disconnect", ())), namespace=NAMESPACE)
    await client.connect(URL, auth=auth, transports=transports, namespaces=[NAMESPACE], wait_timeout=5)
    return client, heard


async def wait_for(heard, event):
    while True:
        name, values = await asyncio.wait_for(heard.get(), 5)
        if name == event:
            return values


async def run(transports):
    try:
        await connected(transports, {})
    except socketio.exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("let in without a name")
    room = "python " + " ".join(transports)
    a, heard_a = await connected(transports, {"name": "a", "room": room})
    b, heard_b = await connected(transports, {"name": "b", "room": room})
    await wait_for(heard_a, "welcome")
    await wait_for(heard_b, "welcome")
    number = await a.call("say", "héllo", namespace=NAMESPACE)
    said = (await wait_for(heard_b, "said"))[0]
    assert said["text"] == "héllo" and said["number"] == number, said
    data = bytes(range(256)) * 300
    assert await a.call("echo", data, namespace=NAMESPACE) == data
    assert list(await a.call("echo", ({"deep": [data]}, 1), namespace=NAMESPACE)) == [{"deep": [data]}, 1]
    assert await a.call("ask me", namespace=NAMESPACE) == ["because", ["why?"]]
    for index in range(100):
        assert await a.call("echo", index, namespace=NAMESPACE) == index
    await b.emit("leave me", namespace=NAMESPACE)
    await wait_for(heard_b, "disconnect")
    await a.emit("cut me", namespace=NAMESPACE)
    await wait_for(heard_a, "disconnect")
    # This client takes a close packet, which is what a poll gets, for an end that it wants; it comes back from a WebSocket's.
    if transports != ["polling"]:
        await wait_for(heard_a, "connect")
        assert await a.call("echo", 1, namespace=NAMESPACE) == 1
        await a.disconnect()
    await b.disconnect()
    print("ok", room)


async def main():
    for transports in (["websocket"], ["polling"], ["polling", "websocket"]):
        await run(transports)


asyncio.run(main())
