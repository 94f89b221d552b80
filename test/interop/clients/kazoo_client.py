"""kazoo, the Python client, told to do everything a stock client does. Prints one line a step.

    python3 kazoo_client.py HOST:PORT,HOST:PORT,…
"""

import sys
import threading

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    NodeExistsError,
    NoChildrenForEphemeralsError,
    NoNodeError,
    NotEmptyError,
)

hosts = sys.argv[1]
members = hosts.split(",")


def connect(to):
    client = KazooClient(hosts=to, timeout=5.0)
    client.start(timeout=20)
    return client


def step(name, value):
    print(f"{name}: {value}", flush=True)


def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
        return "not refused"
    except Exception as error:
        return type(error).__name__


client = connect(hosts)
states = []
client.add_listener(states.append)

step("create", client.create("/k", b"one"))
step("create ephemeral", client.create("/k/e", b"", ephemeral=True))
step("create sequential", client.create("/k/s", b"", sequence=True))
step("create both", client.create("/k/es", b"", ephemeral=True, sequence=True))
path, stat = client.create("/k/c2", b"two", include_data=True)
step("create2", f"{path} version {stat.version} length {stat.dataLength}")
data, stat = client.get("/k")
step("get", f"{data} version {stat.version} cversion {stat.cversion} children {stat.numChildren}")
step("set", f"version {client.set('/k', b'changed', version=0).version}")
step("children", sorted(client.get_children("/k")))
step("exists", client.exists("/k/e").ephemeralOwner == client.client_id[0])
step("exists not", client.exists("/k/none"))
acls, stat = client.get_acls("/k")
step("acl", [(acl.perms, acl.id.scheme, acl.id.id) for acl in acls])
step("set acl", f"aversion {client.set_acls('/k', acls).aversion}")
step("sync", client.sync("/k"))

step("no node", refused(client.get, "/nowhere"))
step("exists already", refused(client.create, "/k"))
step("bad version", refused(client.set, "/k", b"", version=7))
step("not empty", refused(client.delete, "/k"))
step("below an ephemeral", refused(client.create, "/k/e/x"))
step("no parent", refused(client.create, "/none/x"))

transaction = client.transaction()
transaction.check("/k", version=1)
transaction.create("/k/t", b"t")
transaction.set_data("/k/t", b"tt")
transaction.delete("/k/c2")
step("multi", [type(result).__name__ for result in transaction.commit()])
transaction = client.transaction()
transaction.create("/k/never", b"")
transaction.check("/k", version=9)
transaction.create("/k/after", b"")
step("multi refused", [type(result).__name__ for result in transaction.commit()])
step("multi left nothing", client.exists("/k/never"))

other = connect(members[1])
heard = []
first = threading.Event()


def hear(event):
    heard.append(f"{event.type} {event.path}")
    first.set()


client.get("/k", watch=hear)
other.sync("/k")
other.set("/k", b"by another")
other.set("/k", b"and again")
first.wait(10)
client.sync("/k")
step("data watch", heard)

counted = threading.Semaphore(0)
numbers = []


@client.DataWatch("/k/t")
def on_data(data, stat):
    numbers.append(data)
    counted.release()


for number in range(3):
    counted.acquire(timeout=10)
    other.set("/k/t", str(number).encode())
counted.acquire(timeout=10)
step("DataWatch recipe", numbers)

lock = client.Lock("/k/lock", "first")
rival = other.Lock("/k/lock", "second")
lock.acquire(timeout=10)
step("lock contenders", sorted(lock.contenders()))
got = threading.Event()
threading.Thread(target=lambda: (rival.acquire(timeout=10), got.set())).start()
step("second waits", not got.wait(0.3))
lock.release()
step("second gets it", got.wait(10))
rival.release()

results = [client.create_async("/k/n-", b"", sequence=True) for _ in range(300)]
names = [result.get(timeout=20) for result in results]
step("pipelined in order", names == sorted(names) and len(set(names)) == 300)

ephemeral = other.create("/k/owned", b"", ephemeral=True)
vanished = threading.Event()
client.sync("/k")
client.exists("/k/owned", watch=lambda event: vanished.set())
other.stop()
other.close()
step("ephemeral vanishes", vanished.wait(10) and client.exists(ephemeral) is None)

client.delete("/k", recursive=True)
step("deleted", client.exists("/k"))
step("states", states)
client.stop()
client.close()
