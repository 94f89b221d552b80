"""Creates sequential nodes until its input ends, then looks for the last hundred it was told of."""
import logging
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError

logging.basicConfig(level=logging.CRITICAL)
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()

client = KazooClient(
    hosts=sys.argv[1],
    timeout=30,
    connection_retry={"max_tries": -1, "delay": 0.1, "max_delay": 1, "backoff": 2},
)
session = None


def told(state):
    # kazoo says LOST also when it could not connect for a while; the session's number says whether it was.
    global session
    if state == KazooState.CONNECTED:
        if session is not None and client.client_id[0] != session:
            print("lost", flush=True)
        session = client.client_id[0]


client.add_listener(told)
client.start(timeout=60)
created = []
asked = set()
while not over.is_set():
    try:
        if "root" not in asked:
            client.ensure_path("/chaos-kazoo")
            asked.add("root")
        path = client.create("/chaos-kazoo/n-", b"", sequence=True)
        print("created", path, flush=True)
        created.append(path)
        if len(created) > 100:
            client.delete(created.pop(0))
    except (KazooException, KazooTimeoutError):
        time.sleep(0.05)
    time.sleep(0.02)
for _ in range(60):
    try:
        client.sync("/chaos-kazoo")
        there = set(client.get_children("/chaos-kazoo"))
        for path in created:
            if path.rsplit("/", 1)[1] not in there:
                print("missing", path, flush=True)
        break
    except (KazooException, KazooTimeoutError):
        time.sleep(1)
client.stop()
