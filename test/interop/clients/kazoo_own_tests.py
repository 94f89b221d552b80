"""One module of kazoo's own tests, as Debian packs them, against servers that are up already. A line `test: outcome` each.

    kazoo_own_tests.py HOSTS MODULE [TEST TO LEAVE OUT ...]

The tests want pytest, mock and objgraph for a few small things; those are here, so that nothing else must be installed.
"""
import gc
import os
import sys
import types
import unittest
from unittest import mock

members = sys.argv[1].split(",")
module = sys.argv[2]
left_out = set(sys.argv[3:])


class raises:
    """pytest.raises"""

    def __init__(self, expected):
        self.expected = expected

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            raise AssertionError("nothing was raised, not %r" % (self.expected,))
        self.value = value
        return issubclass(kind, self.expected)


def skip(reason):
    raise unittest.SkipTest(reason)


def count(name):
    return sum(1 for one in gc.get_objects() if type(one).__name__ == name)


pytest = types.ModuleType("pytest")
pytest.raises, pytest.skip = raises, skip
objgraph = types.ModuleType("objgraph")
objgraph.count = count
sys.modules.update(pytest=pytest, mock=mock, objgraph=objgraph)


class Server:
    running = True

    def __init__(self, address):
        self.address = address

    def stop(self):
        raise unittest.SkipTest("stops a server")

    run = stop


class Cluster(list):
    def start(self):
        pass


from kazoo.testing import harness  # noqa: E402

cluster = Cluster(Server(address) for address in members)
harness.get_global_cluster = lambda: cluster
os.environ["ZOOKEEPER_VERSION"] = "3.8.0"


class Told(unittest.TestResult):
    def tell(self, test, outcome):
        print("%s: %s" % (test.id().split("kazoo.tests.")[1], outcome), flush=True)

    def addSuccess(self, test):
        self.tell(test, "ok")

    def addSkip(self, test, reason):
        self.tell(test, "skipped, %s" % reason)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.tell(test, "failed")
        print(self.failures[-1][1], file=sys.stderr)

    def addError(self, test, error):
        super().addError(test, error)
        self.tell(test, "failed")
        print(self.errors[-1][1], file=sys.stderr)


def tests_of(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from tests_of(one)
        else:
            yield one


told = Told()
for test in tests_of(unittest.defaultTestLoader.loadTestsFromName("kazoo.tests." + module)):
    name = test.id().split(".")[-1]
    if name in left_out:
        told.tell(test, "left out")
    else:
        test.run(told)
# A thread that a test left behind must not keep this alive.
sys.stdout.flush()
os._exit(0 if told.wasSuccessful() else 1)
