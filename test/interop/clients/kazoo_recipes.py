"""kazoo's recipes, each between two clients on two members. Prints one line a scenario.

    python3 kazoo_recipes.py HOST:PORT,HOST:PORT,…
"""

import sys
import threading
import time
from datetime import timedelta

from kazoo.client import KazooClient
from kazoo.exceptions import NoAuthError
from kazoo.recipe.cache import TreeCache
from kazoo.recipe.lease import MultiNonBlockingLease
from kazoo.retry import KazooRetry
from kazoo.security import make_digest_acl

members = sys.argv[1].split(",")
WITHIN_S = 15


def connect(member, **options):
    """Patient with lost races, of which a counter that two change has many."""
    retry = KazooRetry(max_tries=100, delay=0.01, max_delay=0.1)
    client = KazooClient(hosts=member, timeout=5.0, command_retry=retry, **options)
    client.start(timeout=WITHIN_S)
    return client


def ended(client):
    client.stop()
    client.close()


def eventually(ask):
    """True as soon as the question has that answer; False when it never has."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if ask():
            return True
        time.sleep(0.01)
    return False


class Task(threading.Thread):
    """A call that may block, beside us."""

    def __init__(self, call, *args, **kwargs):
        super().__init__(daemon=True)
        self.call = lambda: call(*args, **kwargs)
        self.value = None
        self.start()

    def run(self):
        try:
            self.value = self.call()
        except Exception as error:
            self.value = type(error).__name__

    def waits(self):
        return self.is_alive()

    def result(self):
        self.join(WITHIN_S)
        return "never" if self.is_alive() else self.value


def lock():
    mine, yours = a.Lock("/r/lock", "a"), b.Lock("/r/lock", "b")
    first = mine.acquire(timeout=WITHIN_S)
    refused = yours.acquire(blocking=False)
    second = Task(yours.acquire, timeout=WITHIN_S)
    queued = eventually(lambda: mine.contenders() == ["a", "b"])
    waited = second.waits()
    mine.release()
    got = second.result()
    yours.release()
    return [first, refused, queued, waited, got, mine.contenders()]


def lock_of_the_gone():
    gone = connect(members[0])
    gone.Lock("/r/orphan", "gone").acquire(timeout=WITHIN_S)
    heir = b.Lock("/r/orphan", "b")
    second = Task(heir.acquire, timeout=WITHIN_S)
    queued = eventually(lambda: len(heir.contenders()) == 2)
    ended(gone)
    return [queued, second.result(), heir.contenders()]


def read_write_lock():
    reads = [client.ReadLock("/r/rw", name) for client, name in ((a, "ra"), (b, "rb"))]
    write = b.WriteLock("/r/rw", "wb")
    both = [read.acquire(timeout=WITHIN_S) for read in reads]
    writer = Task(write.acquire, timeout=WITHIN_S)
    queued = eventually(lambda: len(write.contenders()) == 3)
    waited = writer.waits()
    reads[0].release()
    still = writer.waits()
    reads[1].release()
    written = writer.result()
    reader = Task(reads[0].acquire, timeout=WITHIN_S)
    behind = eventually(lambda: len(a.get_children("/r/rw")) == 2) and reader.waits()
    write.release()
    return [both, queued, waited, still, written, behind, reader.result()]


def semaphore():
    mine, yours = [client.Semaphore("/r/sem", name, max_leases=2) for client, name in ((a, "a"), (b, "b"))]
    third = b.Semaphore("/r/sem", "b2", max_leases=2)
    both = [mine.acquire(timeout=WITHIN_S), yours.acquire(timeout=WITHIN_S)]
    full = third.acquire(blocking=False)
    holders = sorted(yours.lease_holders())
    waiting = Task(third.acquire, timeout=WITHIN_S)
    waited = eventually(lambda: waiting.waits() and a.get_children("/r/sem-__lock__") != [])
    mine.release()
    got = waiting.result()
    b.sync("/r/sem")
    return [both, full, holders, waited, got, sorted(yours.lease_holders())]


def election():
    led, leads, yields = [], threading.Event(), threading.Event()

    def lead(name):
        led.append(name)
        leads.set()
        if name == "a":
            yields.wait(WITHIN_S)

    mine, yours = a.Election("/r/election", "a"), b.Election("/r/election", "b")
    first = Task(mine.run, lead, "a")
    leads.wait(WITHIN_S)
    second = Task(yours.run, lead, "b")
    queued = eventually(lambda: mine.contenders() == ["a", "b"])
    alone = list(led)
    yields.set()
    first.result()
    second.result()
    return [queued, alone, led]


def barrier():
    mine, yours = a.Barrier("/r/barrier"), b.Barrier("/r/barrier")
    mine.create()
    b.sync("/r/barrier")
    held = yours.wait(timeout=0.2)
    passing = Task(yours.wait, timeout=WITHIN_S)
    removed = mine.remove()
    passed = passing.result()
    return [held, removed, passed, mine.remove()]


def double_barrier():
    mine, yours = a.DoubleBarrier("/r/double", 2, "a"), b.DoubleBarrier("/r/double", 2, "b")
    first = Task(mine.enter)
    alone = eventually(lambda: a.exists("/r/double") and a.get_children("/r/double") != []) and first.waits()
    yours.enter()
    first.result()
    inside = [mine.participating, yours.participating]
    leaving = Task(mine.leave)
    yours.leave()
    left = leaving.result()
    a.sync("/r/double")
    return [alone, inside, left, a.get_children("/r/double")]


def counter():
    def count(client, by):
        mine = client.Counter("/r/counter")
        for _ in range(20):
            mine += by

    tasks = [Task(count, a, 3), Task(count, b, -1)]
    ends = [task.result() for task in tasks]
    a.sync("/r/counter")
    half = a.Counter("/r/float", default=0.5)
    half += 1.25
    return [ends, a.Counter("/r/counter").value, half.value]


def party_of(recipe, path):
    mine, yours = getattr(a, recipe)(path, "a"), getattr(b, recipe)(path, "b")
    mine.join()
    yours.join()
    together = [sorted(yours), len(yours)]
    mine.leave()
    b.sync(path)
    left = list(yours)
    guest = connect(members[0])
    getattr(guest, recipe)(path, "guest").join()
    came = eventually(lambda: sorted(yours) == ["b", "guest"])
    ended(guest)
    return [together, left, came, eventually(lambda: list(yours) == ["b"])]


def queue():
    mine, yours = a.Queue("/r/queue"), b.Queue("/r/queue")
    for value, priority in ((b"late", 200), (b"first", 100), (b"second", 100), (b"urgent", 1)):
        mine.put(value, priority)
    b.sync("/r/queue")
    length = len(yours)
    return [length, [yours.get() for _ in range(4)], yours.get()]


def queue_between_two():
    writer, readers = a.Queue("/r/shared"), [a.Queue("/r/shared"), b.Queue("/r/shared")]
    for at in range(20):
        writer.put(str(at).encode())
    b.sync("/r/shared")

    def drain(mine):
        values = []
        while (value := mine.get()) is not None:
            values.append(int(value))
        return values

    taken = [task.result() for task in [Task(drain, mine) for mine in readers]]
    return sorted(taken[0] + taken[1]) == list(range(20))


def locking_queue():
    mine, yours = a.LockingQueue("/r/locking"), b.LockingQueue("/r/locking")
    mine.put_all([b"1", b"2"])
    mine.put(b"0", 1)
    b.sync("/r/locking")
    taken = [yours.get(WITHIN_S), mine.get(WITHIN_S)]
    held = [yours.holds_lock(), mine.holds_lock()]
    done = yours.consume()
    back = mine.release()
    again = yours.get(WITHIN_S)
    yours.consume()
    last = yours.get(WITHIN_S)
    yours.consume()
    empty = Task(mine.get, WITHIN_S)
    yours.put(b"new")
    return [taken, held, done, back, again, last, empty.result(), mine.consume()]


def lease():
    hour, soon = timedelta(hours=1), timedelta(seconds=1)
    mine = bool(a.NonBlockingLease("/r/lease", hour, identifier="a"))
    b.sync("/r/lease")
    yours = bool(b.NonBlockingLease("/r/lease", hour, identifier="b"))
    renewed = bool(a.NonBlockingLease("/r/lease", hour, identifier="a"))
    a.NonBlockingLease("/r/short", soon, identifier="a")
    b.sync("/r/short")
    expired = eventually(lambda: bool(b.NonBlockingLease("/r/short", hour, identifier="b")))
    two = []
    for client, name in ((a, "a"), (b, "b"), (a, "c")):
        client.sync("/r")
        two.append(bool(MultiNonBlockingLease(client, 2, "/r/leases", hour, identifier=name)))
    return [mine, yours, renewed, expired, two]


def partitioner():
    items, parts, ends = set(range(6)), {}, {"a": threading.Event(), "b": threading.Event()}

    def take_part(client, name):
        mine = client.SetPartitioner("/r/partition", items, identifier=name, time_boundary=0.5)
        while not ends[name].is_set() and not mine.failed:
            if mine.release:
                parts.pop(name, None)
                mine.release_set()
            elif mine.acquired:
                parts[name] = list(mine)
                ends[name].wait(0.01)
            else:
                mine.wait_for_acquire(0.1)
        parts.pop(name, None)
        failed = mine.failed
        mine.finish()
        return failed

    def shares():
        return sorted(len(part) for part in list(parts.values()))

    tasks = [Task(take_part, a, "a"), Task(take_part, b, "b")]
    halved = eventually(lambda: shares() == [3, 3])
    whole = sorted(sum(parts.values(), [])) == list(items)
    ends["a"].set()
    failed = [tasks[0].result()]
    alone = eventually(lambda: sorted(parts.get("b", [])) == list(items))
    ends["b"].set()
    return [halved, whole, failed, alone, tasks[1].result()]


def tree_cache():
    a.ensure_path("/r/tree")
    b.sync("/r/tree")
    cache, heard, faults = TreeCache(b, "/r/tree"), [], []
    cache.listen(lambda event: heard.append(event))
    cache.listen_fault(faults.append)
    cache.start()
    a.create("/r/tree/x/y", b"one", makepath=True)
    filled = eventually(lambda: getattr(cache.get_data("/r/tree/x/y"), "data", None) == b"one")
    a.set("/r/tree/x/y", b"two")
    changed = eventually(lambda: cache.get_data("/r/tree/x/y").data == b"two")
    children = cache.get_children("/r/tree")
    a.delete("/r/tree/x", recursive=True)
    gone = eventually(lambda: cache.get_data("/r/tree/x") is None)
    cache.close()
    # Added, updated, removed: 0, 1, 2 in TreeEvent.
    of_y = [e.event_type for e in heard if e.event_data is not None and e.event_data.path == "/r/tree/x/y"]
    return [filled, changed, children, gone, of_y, faults]


def data_watch():
    seen = []
    b.DataWatch("/r/data")(lambda data, stat, event: seen.append((data, event and event.type)))
    a.create("/r/data", b"0")
    steps = [eventually(lambda: len(seen) == 2)]
    for at in range(1, 4):
        a.set("/r/data", str(at).encode())
        steps.append(eventually(lambda: len(seen) == 2 + at))
    a.delete("/r/data")
    steps.append(eventually(lambda: len(seen) == 6))
    a.create("/r/data", b"again")
    steps.append(eventually(lambda: len(seen) == 7))
    return [all(steps), seen]


def children_watch():
    seen = []
    a.ensure_path("/r/children")
    b.sync("/r/children")
    b.ChildrenWatch("/r/children")(lambda children: seen.append(sorted(children)))
    for at, change in enumerate((lambda: a.create("/r/children/x"), lambda: a.create("/r/children/y"), lambda: a.delete("/r/children/x"))):
        change()
        if not eventually(lambda: len(seen) == at + 2):
            return seen
    return seen


def digest_acl():
    def refused(call, *args):
        try:
            return call(*args)
        except NoAuthError:
            return "NoAuthError"

    owner = connect(members[0], auth_data=[("digest", "ann:secret")])
    owner.create("/r/private", b"p", acl=[make_digest_acl("ann", "secret", all=True)])
    b.sync("/r")
    barred = [refused(b.get, "/r/private"), refused(b.set, "/r/private", b""), refused(b.create, "/r/private/c")]
    wrong = connect(members[-1], auth_data=[("digest", "ann:guess")])
    barred.append(refused(wrong.get, "/r/private"))
    friend = connect(members[-1])
    friend.add_auth("digest", "ann:secret")
    read = friend.get("/r/private")[0]
    set_ = friend.set("/r/private", b"q").version
    for client in (owner, wrong, friend):
        ended(client)
    return [barred, read, set_]


def transaction():
    together = a.transaction()
    together.create("/r/t", b"1")
    together.set_data("/r/t", b"2")
    together.check("/r/t", version=1)
    together.create("/r/t/child", ephemeral=True)
    done = [r if isinstance(r, (str, bool)) else type(r).__name__ for r in together.commit()]
    b.sync("/r/t")
    seen = [b.get("/r/t")[0], b.get_children("/r/t")]
    never = b.transaction()
    never.delete("/r/t/child")
    never.check("/r/t", version=7)
    never.set_data("/r/t", b"3")
    refused = [type(r).__name__ for r in never.commit()]
    a.sync("/r/t")
    return [done, seen, refused, a.get("/r/t")[0], a.get_children("/r/t")]


scenarios = {
    "Lock": lock,
    "Lock of a client that went": lock_of_the_gone,
    "ReadLock and WriteLock": read_write_lock,
    "Semaphore": semaphore,
    "Election": election,
    "Barrier": barrier,
    "DoubleBarrier": double_barrier,
    "Counter": counter,
    "Party": lambda: party_of("Party", "/r/party"),
    "ShallowParty": lambda: party_of("ShallowParty", "/r/shallow"),
    "Queue": queue,
    "Queue two drain": queue_between_two,
    "LockingQueue": locking_queue,
    "NonBlockingLease": lease,
    "SetPartitioner": partitioner,
    "TreeCache": tree_cache,
    "DataWatch": data_watch,
    "ChildrenWatch": children_watch,
    "digest ACL": digest_acl,
    "transaction": transaction,
}

a, b = connect(members[0]), connect(members[-1])
a.ensure_path("/r")
b.sync("/r")
for name, scenario in scenarios.items():
    began = time.monotonic()
    try:
        outcome = scenario()
    except Exception as error:
        outcome = f"{type(error).__name__} {error}"
    print(f"{name}: {outcome}", flush=True)
    print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
ended(a)
ended(b)
