#!/usr/bin/env python3
"""Regenerates the upgrade fixture: a database written by a release, and that release's answer to every read request.

usage: tests/upgrade/generate.py SERVER_BINARY

SERVER_BINARY is the release to upgrade from. For each engine the script starts it on an empty database, plays one
scenario through the REST API, records the answers to all read requests and dumps the database as SQL. It then restarts
the binary and asks again: an answer that differs depends on something other than the database, and fails the script.
Needs Python 3.11, PostgreSQL with pg_dump, and nothing else.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent.parent
SECRET = "a-secret-for-tests-a-secret-for-tests"

CHAT = "/api/v1/support"
DASHBOARD = "/api/v1/unified-admin/support"
HELP_CENTER = "/api/help-center/messages"

# Claims of the tokens; the test signs tokens with the same ones, so that the directory does not change.
PEOPLE = {
    "john": {"sub": "john", "role": "user", "email": "john@example.com", "first_name": "John", "last_name": "Doe",
             "phone_number": "+2348012345678", "smipay_tag": "johnny"},
    "ada": {"sub": "ada", "role": "user", "email": "Ada.Lovelace@example.com", "name": "Ada Lovelace",
            "picture": "https://example.com/ada.png"},
    # Nothing but an account: no name, no address, no number.
    "eve": {"sub": "auth0|eve-01"},
    "sarah": {"sub": "sarah", "role": "admin", "email": "sarah@support.example.com", "first_name": "Sarah",
              "last_name": "Johnson"},
    "mike": {"sub": "mike", "role": "admin", "email": "mike@support.example.com", "name": "Mike Śliwa"},
    # An agent without an address.
    "kim": {"sub": "kim", "role": "admin", "name": "Kim"},
}


def token(claims):
    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    header = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    payload = encode(json.dumps({**claims, "exp": int(time.time()) + 86400}).encode())
    signature = hmac.new(SECRET.encode(), header + b"." + payload, hashlib.sha256).digest()
    return b".".join([header, payload, encode(signature)]).decode()


class Server:
    """The release's server on one database."""

    def __init__(self, binary, url, folder):
        self.log = open(Path(folder) / "server.log", "ab")
        environment = {**os.environ, "PORT": "0", "JWT_SECRET": SECRET, "DATABASE_URL": url,
                       "SWITCHBOARD__SERVER__WORKERS": "2"}
        self.process = subprocess.Popen([binary, "serve"], env=environment, stdout=subprocess.PIPE, stderr=self.log)
        for line in self.process.stdout:
            found = re.search(rb"listens on (http://\S+)", line)
            if found:
                self.address = found[1].decode()
                break
        else:
            raise SystemExit(f"the server ended; see {self.log.name}")
        self.tokens = {name: token(claims) for name, claims in PEOPLE.items()}

    def request(self, method, person, path, body=None):
        # Each act gets a millisecond of its own, so that every list has one order.
        time.sleep(0.004)
        headers = {"content-type": "application/json", "user-agent": "upgrade-fixture/1.0"}
        if person:
            headers["authorization"] = f"Bearer {self.tokens[person]}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def do(self, method, person, path, body=None):
        status, answer = self.request(method, person, path, body)
        assert status in (200, 201), (method, path, body, status, answer)
        return answer.get("data")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0
        self.log.close()


class Scenario:
    """Writes everything that a database can hold, through the API."""

    def __init__(self, server):
        self.server = server
        self.conversations = []
        self.tickets = []
        self.guest_tickets = []

    def post(self, person, path, body=None):
        return self.server.do("POST", person, path, body)

    def open(self, person, message, **more):
        path = f"{CHAT}/chat/send" if person else f"{CHAT}/chat/send-unauthenticated"
        conversation = self.post(person, path, {"message": message, **more})["conversation"]["id"]
        self.conversations.append(conversation)
        return conversation

    def send(self, person, conversation, message, **more):
        path = f"{CHAT}/chat/send" if person else f"{CHAT}/chat/send-unauthenticated"
        self.post(person, path, {"message": message, "conversation_id": conversation, **more})

    def act(self, agent, conversation, action, body=None):
        return self.post(agent, f"{DASHBOARD}/conversations/{conversation}/{action}", body)

    def reply(self, agent, conversation, message, **more):
        self.act(agent, conversation, "reply", {"message": message, **more})

    def hand_over(self, agent, conversation, to, reason=None):
        return self.act(agent, conversation, "handover", {"to_admin_id": to, "reason": reason})["handover_id"]

    def respond(self, agent, handover, status):
        self.post(agent, f"{DASHBOARD}/handovers/{handover}/respond", {"status": status})

    def change(self, agent, ticket, what, body):
        self.server.do("PUT", agent, f"{DASHBOARD}/{ticket}/{what}", body)

    def play(self):
        for agent in ("sarah", "mike", "kim"):
            self.server.do("GET", agent, f"{DASHBOARD}/agents")
        time.sleep(2)  # the directory is written in the background
        self.conversation_with_everything()
        self.handovers()
        self.guests()
        self.standalone_tickets()
        self.help_center()
        time.sleep(2)

    def conversation_with_everything(self):
        full = self.open("john", "My transfer is stuck \U0001f44b\nPlease 'help' \\ \"me\"", client_message_id="first-send",
                         device_metadata={"platform": "ios", "app_version": "2.1.0", "nested": {"a": [1, None, True]}})
        self.send("john", full, "Anyone there?", client_message_id="second-send")
        self.act("sarah", full, "claim")
        self.reply("sarah", full, "Hello John, let me look.", client_message_id="reply-1")
        self.reply("mike", full, "He wrote last week, too.", is_internal=True)
        self.send("john", full, "Thank you")
        ticket = self.act("sarah", full, "create-ticket", {
            "subject": "Transfer stuck", "description": "A transfer of 5000 is pending.",
            "support_type": "TRANSACTION_ISSUE", "priority": "medium", "related_transaction_id": "tx-77"})["ticket"]
        self.tickets.append(ticket)
        self.change("sarah", ticket["id"], "priority", {"priority": "urgent"})
        self.change("sarah", ticket["id"], "assign", {"assigned_to": "mike"})
        self.change("mike", ticket["id"], "status", {"status": "escalated"})
        self.change("mike", ticket["id"], "status", {"status": "resolved", "resolution_notes": "Paid out by hand."})
        self.reply("sarah", full, "It is paid out.")
        self.act("sarah", full, "close")
        self.post("john", f"{CHAT}/conversations/{full}/rate", {"rating": 5, "feedback": "Quick & kind"})
        self.post("john", f"{CHAT}/ticket/{ticket['ticket_number']}/rate", {"rating": 4})
        # Waits for support; nobody has it.
        self.send("john", self.open("john", "Second question"), "Still there?")
        self.open("eve", "No name, no address")

    def handovers(self):
        accepted = self.open("ada", "My card is blocked")
        self.act("sarah", accepted, "claim")
        self.respond("mike", self.hand_over("sarah", accepted, "mike", "Cards are Mike's"), "accepted")
        self.reply("mike", accepted, "Unblocked.")
        rejected = self.open("ada", "Wrong fee")
        self.act("mike", rejected, "claim")
        self.respond("kim", self.hand_over("mike", rejected, "kim"), "rejected")
        self.respond("sarah", self.hand_over("mike", rejected, "sarah", "Lunch"), "accepted")
        closed = self.open("ada", "Close it over a handover")
        self.act("kim", closed, "claim")
        self.hand_over("kim", closed, "sarah", "Holiday")
        self.act("kim", closed, "close")
        self.post("ada", f"{CHAT}/conversations/{closed}/rate", {"rating": 1, "feedback": "Too slow"})
        pending = self.open("ada", "A handover waits here")
        self.act("sarah", pending, "claim")
        self.hand_over("sarah", pending, "kim", "End of shift")
        # Rejected by its target, who then had nothing to do with the close that follows at once.
        answered = self.open("john", "Rejected, then closed")
        self.act("mike", answered, "claim")
        self.respond("sarah", self.hand_over("mike", answered, "sarah"), "rejected")
        self.act("mike", answered, "close")

    def guests(self):
        guest = self.open(None, "I cannot register", email="Guest@Example.com", phone_number="08012345678")
        self.send(None, guest, "Hello?", email="guest@example.com", phone_number="0999", client_message_id="g" * 32)
        self.act("sarah", guest, "claim")
        self.reply("sarah", guest, "Try again now.")
        self.open(None, "Only an address", email="other@example.com")

    def standalone_tickets(self):
        own = self.post("john", f"{CHAT}/create-ticket", {
            "subject": "Feature wish", "description": "Dark mode, please.", "support_type": "FEATURE_REQUEST"})["ticket"]
        self.tickets.append(own)
        self.post("john", f"{CHAT}/ticket/add-message", {"ticket_number": own["ticket_number"], "message": "And blue."})
        self.post("kim", f"{DASHBOARD}/{own['id']}/reply", {"message": "Noted."})
        self.post("kim", f"{DASHBOARD}/{own['id']}/reply", {"message": "For us only.", "is_internal": True})
        self.change("kim", own["id"], "assign", {"assigned_to": "kim"})
        self.change("kim", own["id"], "status", {"status": "closed", "resolution_notes": "On the list."})
        self.post("john", f"{CHAT}/ticket/{own['ticket_number']}/rate", {"rating": 3, "feedback": "Fine"})
        self.tickets.append(self.post("ada", f"{CHAT}/create-ticket", {
            "subject": "Login", "description": "The code never arrives.", "support_type": "LOGIN_ISSUE"})["ticket"])
        guests = self.post(None, f"{CHAT}/request-support", {
            "subject": "Registration", "description": "Step 3 fails.", "support_type": "REGISTRATION_ISSUE",
            "email": "Guest@Example.com", "phone_number": "08012345678"})["ticket"]
        self.guest_tickets.append((guests["ticket_number"], "guest@example.com"))
        self.tickets.append(guests)
        self.post(None, f"{CHAT}/ticket/add-message", {
            "ticket_number": guests["ticket_number"], "message": "Step 4, too.", "email": "guest@example.com"})
        self.change("mike", guests["id"], "status", {"status": "in_progress"})
        self.post("mike", f"{DASHBOARD}/{guests['id']}/reply", {"message": "We look into it."})

    def help_center(self):
        self.post("ada", HELP_CENTER, {"text": "Where is my statement?"})
        data = self.server.do("GET", "sarah", f"{DASHBOARD}/conversations?channel=help_center")
        chat = next(iter(data["conversations"]))["id"]
        self.conversations.append(chat)
        self.post("ada", HELP_CENTER, {"text": "It is urgent", "client_message_id": "help-1"})
        self.act("mike", chat, "claim")
        self.reply("mike", chat, "Under Profile, Statements.")
        self.act("mike", chat, "close")
        # Reopens it; the auto-reply answers.
        self.post("ada", HELP_CENTER, {"text": "And last year's?"})
        self.post("john", HELP_CENTER, {"text": "Hello from John"})
        data = self.server.do("GET", "sarah", f"{DASHBOARD}/conversations?channel=help_center")
        self.conversations += [row["id"] for row in data["conversations"] if row["id"] != chat]


def read_requests(scenario):
    """Every read of the API, as (person, path)."""
    quote = urllib.parse.quote
    requests = []
    for person in ("john", "ada", "eve", "sarah"):
        requests += [(person, f"{CHAT}/conversations"), (person, f"{CHAT}/my-tickets")]
    for person in ("john", "ada", "eve"):
        requests.append((person, HELP_CENTER))
    requests += [("ada", f"{HELP_CENTER}?limit=2"), ("sarah", f"{DASHBOARD}/agents")]

    for conversation in scenario.conversations:
        for person in ("john", "ada"):
            requests.append((person, f"{CHAT}/conversations/{conversation}"))
        for page in ("", "/timeline"):
            requests.append(("sarah", f"{DASHBOARD}/conversations/{conversation}{page}"))
    full = scenario.conversations[0]
    for query in ("?after_seq=2", "?before_seq=4&limit=2", "?limit=1"):
        requests.append(("john", f"{CHAT}/conversations/{full}{query}"))
    for query in ("?after_position=3", "?before_seq=3", "?limit=2"):
        requests.append(("mike", f"{DASHBOARD}/conversations/{full}{query}"))
    for query in ("?after_position=4&limit=3", "?before_position=6&limit=2", "?limit=1"):
        requests.append(("mike", f"{DASHBOARD}/conversations/{full}/timeline{query}"))

    # A page is short, to keep the fixture small; its `total` shows what else the filter finds.
    queue = ["", "?limit=3&page=2", "?limit=3&page=99", "?assigned_to=unassigned&limit=1", "?assigned_to=sarah&limit=1",
             "?assigned_to=mike&status=active&limit=1", "?user_id=ada&limit=1", "?has_ticket=true&limit=1",
             "?has_ticket=false&limit=1", "?channel=support&limit=1", "?channel=help_center&limit=1",
             "?date_from=2999-01-01", "?date_to=2999-01-01&limit=1", "?date_from=not-a-date"]
    queue += [f"?status={status}&limit=1" for status in ("active", "waiting_support", "waiting_user", "closed")]
    queue += [f"?sort_by={by}&sort_order={order}&limit={limit}" for order, limit in (("asc", 2), ("desc", 1))
              for by in ("createdAt", "updatedAt", "last_message_at", "status")]
    queue += [f"?search={quote(words)}&limit=1" for words in (
        "transfer", "stuck \U0001f44b", "last week", "08012345678", "guest@", "johnny", "lovelace", "doe", "no", "%", "zzz")]
    requests += [("kim", f"{DASHBOARD}/conversations{query}") for query in queue]

    tickets = ["", "?limit=1&page=2", "?assigned_to=unassigned&limit=1", "?assigned_to=mike&limit=1",
               "?user_id=john&limit=1", "?priority=urgent&limit=1", "?support_type=LOGIN_ISSUE&limit=1",
               "?date_to=2999-01-01&limit=1", "?date_from=2999-01-01"]
    tickets += [f"?status={status}&limit=1" for status in ("pending", "in_progress", "resolved", "closed", "escalated")]
    tickets += [f"?sort_by={by}&sort_order={order}&limit=1" for order in ("asc", "desc")
                for by in ("createdAt", "updatedAt", "priority", "status", "support_type")]
    tickets += [f"?search={quote(words)}&limit=1" for words in ("SMI-", "stuck", "guest@", "0801", "dark", "zz")]
    requests += [("sarah", f"{DASHBOARD}{query}") for query in tickets]
    for ticket in scenario.tickets:
        requests.append(("mike", f"{DASHBOARD}/{ticket['id']}"))
        for person in ("john", "ada"):
            requests.append((person, f"{CHAT}/ticket?ticket_number={ticket['ticket_number']}"))
    for number, email in scenario.guest_tickets:
        requests.append((None, f"{CHAT}/ticket?ticket_number={number}&email={quote(email)}"))
        requests.append((None, f"{CHAT}/ticket?ticket_number={number}&email=other@example.com"))
    requests += [("eve", f"{CHAT}/conversations/{scenario.conversations[2]}"), (None, f"{CHAT}/conversations")]
    return requests


def answers(server, requests):
    return [dict(zip(("person", "path", "status", "body"), (person, path, *server.request("GET", person, path))))
            for person, path in requests]


def normalised(value):
    """Without what depends on the request or the clock; `tests/api/upgrade.rs` leaves out the same."""
    if isinstance(value, dict):
        return {key: normalised(item) for key, item in value.items()
                if key not in ("request_id", "new_today", "new_this_week", "new_this_month")}
    return [normalised(item) for item in value] if isinstance(value, list) else value


def record(binary, url, folder):
    """Plays the scenario and gives the answers to all reads, an answer a line."""
    server = Server(binary, url, folder)
    scenario = Scenario(server)
    scenario.play()
    requests = read_requests(scenario)
    recorded = normalised(answers(server, requests))
    server.stop()
    server = Server(binary, url, folder)
    assert recorded == normalised(answers(server, requests)), "the answers do not depend on the database alone"
    server.stop()
    return ",\n".join(json.dumps(answer, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for answer in recorded)


def sqlite(binary, folder):
    file = Path(folder) / "switchboard.db"
    recorded = record(binary, f"sqlite://{file}", folder)
    with sqlite3.connect(file) as connection:
        dump = "\n".join(connection.iterdump())
    (FOLDER / "sqlite.sql").write_text(dump + "\n", encoding="utf-8")
    return recorded


def postgres(binary, folder):
    script = str(REPOSITORY / "scripts" / "postgres")
    run = lambda *command: subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    cluster = Path(folder) / "postgres"
    url = run(script, "start", str(cluster)).strip()
    try:
        recorded = record(binary, url, folder)
        dump = run("pg_dump", "--inserts", "--no-owner", "--no-privileges", url)
    finally:
        run(script, "stop", str(cluster))
    # Commands of psql, and settings that an older PostgreSQL does not know.
    lines = [line for line in dump.splitlines() if not line.startswith(("\\", "--", "SET ")) and line]
    (FOLDER / "postgres.sql").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return recorded


def template(recorded):
    """The answers with `#0#`, `#1#`, … for ids and times, and these in that order: only they differ between engines."""
    values = []

    def place(found):
        if found[0] not in values:
            values.append(found[0])
        return f"#{values.index(found[0])}#"

    assert not re.search(r"#\d+#", recorded)
    identifier = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    timestamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    return re.sub(f"{identifier}|{timestamp}", place, recorded), values


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    templates, values = [], {}
    for engine in (sqlite, postgres):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o711)  # PostgreSQL's user has to reach its own folder in it
            made, values[engine.__name__] = template(engine(sys.argv[1], folder))
            templates.append(made)
    assert templates[0] == templates[1], "the engines answer differently"
    people, values = json.dumps(PEOPLE, ensure_ascii=False), json.dumps(values, separators=(",", ":"))
    text = '{"people": %s,\n"values": %s,\n"answers": [\n%s\n]}\n' % (people, values, templates[0])
    (FOLDER / "answers.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
