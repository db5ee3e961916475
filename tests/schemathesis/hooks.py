"""Who asks, and about what: Schemathesis makes requests, this gives them a user and ids that exist.

Users ask in turn, since the limits are per user and a refusal for haste would hide everything else. Each owns a group
and is a plain member of his neighbour's, so that the same requests can be made in different roles.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import threading
import time
import urllib.parse
import urllib.request
import uuid

import schemathesis

BASE = os.environ["BASE_URL"] + "/api"
SECRET = os.environ["CHAT_JWT_SECRET"].encode()
ROLE = os.environ["CHAT_ROLE"]
USERS = [f"{ROLE}-{n}" for n in range(40)]


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(user):
    claims = {"sub": user, "exp": int(time.time()) + 3600}
    signed = encoded(b'{"alg":"HS256","typ":"JWT"}') + b"." + encoded(json.dumps(claims).encode())
    return (signed + b"." + encoded(hmac.new(SECRET, signed, hashlib.sha256).digest())).decode()


TOKENS = {user: token(user) for user in USERS}


def ask(user, method, path, body=None):
    request = urllib.request.Request(
        BASE + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"authorization": f"Bearer {TOKENS[user]}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def furnish(n):
    """What a user has: a group with his neighbour in it, with a few messages."""
    user, neighbour = USERS[n], USERS[(n + 1) % len(USERS)]
    made = ask(user, "POST", "/conversations/group", {"name": f"Group {n}", "member_ids": [neighbour, USERS[(n + 2) % len(USERS)]]})
    group = made["conversation"]["id"]
    sent = [ask(user, "POST", f"/conversations/{group}/messages", {"text": f"hello {i}"}) for i in range(3)]
    return {"conversation": group, "messages": [each["message"]["id"] for each in sent], "member": neighbour}


for each in USERS:
    ask(each, "GET", "/me")
HOMES = [furnish(n) for n in range(len(USERS))]

TURN = itertools.count()
LOCK = threading.Lock()


def is_id(value):
    try:
        return bool(uuid.UUID(str(value)))
    except ValueError:
        return False


def home_of(n):
    """The group that is asked about: one's own, the neighbour's, or one of people one has nothing to do with."""
    return HOMES[(n - {"owner": 0, "member": 1, "stranger": 20}[ROLE]) % len(HOMES)]


@schemathesis.auth(refresh_interval=None)
class Turns:
    def get(self, case, context):
        with LOCK:
            return next(TURN)

    def set(self, case, data, context):
        n = data % len(USERS)
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {TOKENS[USERS[n]]}"
        # One in four keeps the ids that were made up.
        if data % 4:
            put_ids(case, home_of(n), data)


def put_ids(case, home, turn):
    given = case.path_parameters or {}
    message = home["messages"][turn % len(home["messages"])]
    path = case.operation.path
    for name, value in given.items():
        if name == "message_id" and is_id(value):
            given[name] = message
        elif name == "user_id" or path.startswith("/users/"):
            # Only what could be a user's id: others are there to be refused.
            if isinstance(value, str) and 0 < len(value) <= 128 and "\0" not in value:
                given[name] = home["member"]
        elif name == "id" and is_id(value):
            if path.startswith("/conversations/"):
                given[name] = home["conversation"]
            elif path.startswith("/messages/"):
                given[name] = message
    body = case.body
    if isinstance(body, dict):
        for name, value in body.items():
            if name == "conversation_id" and is_id(value):
                body[name] = home["conversation"]
            elif name in ("message_id", "reply_to") and is_id(value):
                body[name] = message
