"""What kazoo is made to do while it is recorded."""
import sys
import time

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.security import OPEN_ACL_UNSAFE

hosts = sys.argv[1]


def refused(ask, *args, **options):
    try:
        ask(*args, **options)
    except KazooException:
        pass


def watch(_event):
    pass


zk = KazooClient(hosts, timeout=4)
zk.start()
zk.create("/k", b"one")
refused(zk.create, "/k")
refused(zk.create, "/k/no/parent")
zk.create("/k/e", b"", ephemeral=True)
refused(zk.create, "/k/e/child")
zk.create("/k/s-", b"two", sequence=True)
zk.create("/k/es-", ephemeral=True, sequence=True, include_data=True)
zk.create("/k/größe", "grün".encode(), include_data=True)
zk.exists("/k/later", watch=watch)
zk.create("/k/later")
zk.exists("/k/later")
zk.get("/k", watch=watch)
refused(zk.get, "/no")
zk.get_children("/k", watch=watch)
zk.get_children("/k", include_data=True)
refused(zk.get_children, "/no")
zk.set("/k", b"three", version=0)
refused(zk.set, "/k", b"four", version=9)
zk.get_acls("/k")
zk.set_acls("/k", OPEN_ACL_UNSAFE)
refused(zk.set_acls, "/k", [])
zk.sync("/k")
zk.delete("/k/later")
refused(zk.delete, "/k")
refused(zk.delete, "/no")
time.sleep(2)  # long enough for a ping

granted = zk.transaction()
granted.create("/k/t", b"x", ephemeral=True)
granted.check("/k", 1)
granted.set_data("/k", b"y", 1)
granted.delete("/k/t")
granted.commit()
failed = zk.transaction()
failed.create("/k/t")
failed.check("/k", 77)
failed.set_data("/k", b"z")
failed.commit()
zk.transaction().commit()

session = zk.client_id
print("CUT", flush=True)
time.sleep(1)
zk.retry(zk.get, "/k")
zk.stop()
zk.close()

late = KazooClient(hosts, timeout=4, client_id=session)
late.start()
late.get("/k")
late.stop()
late.close()
