import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs.Ids;

/**
 * Curator's recipes with its defaults, each between two clients that start on two members. Prints one line a scenario.
 *
 * <pre>java -cp curator-recipes.jar CuratorRecipes.java HOST:PORT,HOST:PORT,…</pre>
 */
public class CuratorRecipes {
  static final int WITHIN = 15;
  static final TimeUnit S = TimeUnit.SECONDS;
  static final List<ConnectionState> states = new CopyOnWriteArrayList<>();
  static String[] members;
  static CuratorFramework a;
  static CuratorFramework b;

  static CuratorFramework connect(String member) throws Exception {
    var client = CuratorFrameworkFactory.newClient(member, 10_000, 15_000, new ExponentialBackoffRetry(100, 3));
    client.getConnectionStateListenable().addListener((which, state) -> states.add(state));
    client.start();
    if (!client.blockUntilConnected(WITHIN, S)) throw new IllegalStateException("not connected");
    return client;
  }

  /** True as soon as the question has that answer; false when it never has. */
  static boolean eventually(Callable<Boolean> ask) throws Exception {
    var deadline = System.nanoTime() + S.toNanos(WITHIN);
    while (System.nanoTime() < deadline) {
      if (ask.call()) return true;
      Thread.sleep(10);
    }
    return false;
  }

  /** One thread: Curator's locks belong to the one that took them. */
  static ExecutorService other() {
    return Executors.newSingleThreadExecutor(work -> {
      var thread = new Thread(work);
      thread.setDaemon(true);
      return thread;
    });
  }

  static <T> T result(Future<T> future) throws Exception {
    return future.get(WITHIN, S);
  }

  static Object mutex() throws Exception {
    var mine = new InterProcessMutex(a, "/c/mutex");
    var yours = new InterProcessMutex(b, "/c/mutex");
    var other = other();
    var first = mine.acquire(WITHIN, S) && mine.acquire(WITHIN, S);
    var refused = result(other.submit(() -> yours.acquire(100, TimeUnit.MILLISECONDS)));
    var second = other.submit(() -> yours.acquire(WITHIN, S));
    var queued = eventually(() -> mine.getParticipantNodes().size() == 2);
    mine.release();
    var waited = mine.isAcquiredInThisProcess() && !second.isDone();
    mine.release();
    var got = result(second);
    other.submit(() -> { yours.release(); return true; }).get();
    return List.of(first, refused, queued, waited, got, yours.getParticipantNodes().size());
  }

  static Object mutexOfTheGone() throws Exception {
    var gone = connect(members[0]);
    var theirs = new InterProcessMutex(gone, "/c/orphan");
    var heir = new InterProcessMutex(b, "/c/orphan");
    var first = theirs.acquire(WITHIN, S);
    var second = other().submit(() -> heir.acquire(WITHIN, S));
    var queued = eventually(() -> heir.getParticipantNodes().size() == 2);
    gone.close();
    return List.of(first, queued, result(second), heir.getParticipantNodes().size());
  }

  static Object readWriteLock() throws Exception {
    var mine = new InterProcessReadWriteLock(a, "/c/rw");
    var yours = new InterProcessReadWriteLock(b, "/c/rw");
    var other = other();
    var both = mine.readLock().acquire(WITHIN, S)
        && result(other.submit(() -> yours.readLock().acquire(WITHIN, S)));
    var writer = other();
    var write = writer.submit(() -> yours.writeLock().acquire(WITHIN, S));
    var queued = eventually(() -> yours.writeLock().getParticipantNodes().size() == 1);
    mine.readLock().release();
    var waited = !write.isDone();
    other.submit(() -> { yours.readLock().release(); return true; }).get();
    var written = result(write);
    var reader = other().submit(() -> mine.readLock().acquire(WITHIN, S));
    var behind = eventually(() -> mine.readLock().getParticipantNodes().size() == 1) && !reader.isDone();
    var downgraded = result(writer.submit(() -> yours.readLock().acquire(WITHIN, S)));
    writer.submit(() -> { yours.writeLock().release(); return true; }).get();
    return List.of(both, queued, waited, written, behind, downgraded, result(reader));
  }

  static Object semaphore() throws Exception {
    var mine = new InterProcessSemaphoreV2(a, "/c/semaphore", 2);
    var yours = new InterProcessSemaphoreV2(b, "/c/semaphore", 2);
    Lease first = mine.acquire(WITHIN, S);
    Lease second = yours.acquire(WITHIN, S);
    var full = yours.acquire(200, TimeUnit.MILLISECONDS) == null;
    var third = other().submit(() -> yours.acquire(WITHIN, S));
    var queued = eventually(() -> mine.getParticipantNodes().size() == 3) && !third.isDone();
    mine.returnLease(first);
    var got = result(third) != null;
    return List.of(first != null, second != null, full, queued, got, yours.getParticipantNodes().size());
  }

  static Object leaderLatch() throws Exception {
    var mine = new LeaderLatch(a, "/c/latch", "a");
    var yours = new LeaderLatch(b, "/c/latch", "b");
    mine.start();
    var first = mine.await(WITHIN, S);
    yours.start();
    var queued = eventually(() -> mine.getParticipants().size() == 2);
    var alone = !yours.hasLeadership();
    var leader = yours.getLeader().getId();
    mine.close();
    var second = yours.await(WITHIN, S);
    var after = yours.getLeader().getId();
    yours.close();
    return List.of(first, queued, alone, leader, second, after);
  }

  static Object leaderSelector() throws Exception {
    var led = new CopyOnWriteArrayList<String>();
    var yields = new CountDownLatch(1);
    class Lead extends LeaderSelectorListenerAdapter {
      final String name;

      Lead(String name) {
        this.name = name;
      }

      @Override
      public void takeLeadership(CuratorFramework client) throws Exception {
        led.add(name);
        if (led.size() == 1) yields.await(WITHIN, S);
      }
    }
    var mine = new LeaderSelector(a, "/c/selector", new Lead("a"));
    var yours = new LeaderSelector(b, "/c/selector", new Lead("b"));
    mine.setId("a");
    yours.setId("b");
    mine.start();
    var leads = eventually(() -> led.size() == 1);
    yours.start();
    var queued = eventually(() -> mine.getParticipants().size() == 2);
    var alone = List.copyOf(led);
    yields.countDown();
    var passed = eventually(() -> led.size() == 2);
    mine.requeue();
    var again = eventually(() -> led.size() == 3);
    mine.close();
    yours.close();
    return List.of(leads, queued, alone, passed, again, led);
  }

  static Object barrier() throws Exception {
    var mine = new DistributedBarrier(a, "/c/barrier");
    var yours = new DistributedBarrier(b, "/c/barrier");
    mine.setBarrier();
    eventually(() -> b.checkExists().forPath("/c/barrier") != null);
    var early = yours.waitOnBarrier(200, TimeUnit.MILLISECONDS);
    var passing = other().submit(() -> yours.waitOnBarrier(WITHIN, S));
    mine.removeBarrier();
    return List.of(early, result(passing));
  }

  static Object doubleBarrier() throws Exception {
    var mine = new DistributedDoubleBarrier(a, "/c/double", 2);
    var yours = new DistributedDoubleBarrier(b, "/c/double", 2);
    var other = other();
    var entering = other.submit(() -> yours.enter(WITHIN, S));
    var alone = eventually(() -> b.checkExists().forPath("/c/double") != null
        && !b.getChildren().forPath("/c/double").isEmpty()) && !entering.isDone();
    var entered = mine.enter(WITHIN, S) && result(entering);
    var leaving = other.submit(() -> yours.leave(WITHIN, S));
    var left = mine.leave(WITHIN, S) && result(leaving);
    return List.of(alone, entered, left);
  }

  static Object sharedCount() throws Exception {
    var mine = new SharedCount(a, "/c/count", 7);
    var yours = new SharedCount(b, "/c/count", 9);
    mine.start();
    yours.start();
    var seed = eventually(() -> mine.getCount() == 7 && yours.getCount() == 7);
    mine.setCount(20);
    var heard = eventually(() -> yours.getCount() == 20);
    var old = mine.getVersionedValue();
    var tried = yours.trySetCount(yours.getVersionedValue(), 21);
    var back = eventually(() -> mine.getCount() == 21);
    var stale = mine.trySetCount(old, 22);
    mine.close();
    yours.close();
    return List.of(seed, heard, tried, back, stale);
  }

  static Object atomicLong() throws Exception {
    var counts = new ArrayList<Future<Boolean>>();
    for (var client : List.of(a, b)) {
      var mine = new DistributedAtomicLong(client, "/c/long", new RetryNTimes(200, 5));
      var by = client == a ? 3L : -1L;
      counts.add(other().submit(() -> {
        for (int at = 0; at < 20; at++) if (!mine.add(by).succeeded()) return false;
        return true;
      }));
    }
    var succeeded = List.of(result(counts.get(0)), result(counts.get(1)));
    a.sync().forPath("/c/long");
    return List.of(succeeded, new DistributedAtomicLong(a, "/c/long", new RetryNTimes(1, 1)).get().postValue());
  }

  static Object persistentNode() throws Exception {
    var node = new PersistentNode(a, CreateMode.EPHEMERAL, false, "/c/persistent/node", "here".getBytes(UTF_8));
    node.start();
    var made = node.waitForInitialCreate(WITHIN, S);
    var seen = eventually(() -> b.checkExists().forPath("/c/persistent/node") != null);
    var before = b.checkExists().forPath("/c/persistent/node").getCzxid();
    b.delete().forPath("/c/persistent/node");
    var again = eventually(() -> {
      var stat = b.checkExists().forPath("/c/persistent/node");
      return stat != null && stat.getCzxid() > before;
    });
    var data = new String(b.getData().forPath("/c/persistent/node"), UTF_8);
    node.close();
    return List.of(made, seen, again, data, eventually(() -> b.checkExists().forPath("/c/persistent/node") == null));
  }

  static Object groupMember() throws Exception {
    var mine = new GroupMember(a, "/c/group", "a", "1".getBytes(UTF_8));
    var yours = new GroupMember(b, "/c/group", "b", "2".getBytes(UTF_8));
    mine.start();
    yours.start();
    var both = eventually(() -> mine.getCurrentMembers().keySet().equals(new TreeSet<>(List.of("a", "b")))
        && yours.getCurrentMembers().size() == 2);
    var payload = new String(mine.getCurrentMembers().get("b"), UTF_8);
    mine.close();
    var left = eventually(() -> yours.getCurrentMembers().keySet().equals(new TreeSet<>(List.of("b"))));
    yours.close();
    return List.of(both, payload, left);
  }

  static String nameOf(ChildData data) {
    return data == null ? "-" : data.getPath().substring("/c/cache".length()) + "=" + new String(data.getData(), UTF_8);
  }

  static Object curatorCache() throws Exception {
    a.create().creatingParentsIfNeeded().forPath("/c/cache/old", "0".getBytes(UTF_8));
    b.sync().forPath("/c/cache");
    var heard = new CopyOnWriteArrayList<String>();
    var filled = new CountDownLatch(1);
    var cache = CuratorCache.build(b, "/c/cache");
    cache.listenable().addListener(
        (type, before, after) -> {
          var of = after == null ? before : after;
          if (of.getPath().startsWith("/c/cache/new")) heard.add(type + " " + nameOf(before) + " " + nameOf(after));
        });
    cache.listenable().addListener(
        CuratorCacheListener.builder().forInitialized(filled::countDown).build());
    cache.start();
    var initialized = filled.await(WITHIN, S);
    var old = nameOf(cache.get("/c/cache/old").orElse(null));
    a.create().forPath("/c/cache/new", "1".getBytes(UTF_8));
    var steps = new ArrayList<Boolean>();
    steps.add(eventually(() -> heard.size() == 1));
    a.setData().forPath("/c/cache/new", "2".getBytes(UTF_8));
    steps.add(eventually(() -> heard.size() == 2));
    a.create().forPath("/c/cache/new/below", "3".getBytes(UTF_8));
    steps.add(eventually(() -> heard.size() == 3));
    a.delete().deletingChildrenIfNeeded().forPath("/c/cache/new");
    steps.add(eventually(() -> heard.size() == 5));
    cache.close();
    return List.of(initialized, old, steps, heard);
  }

  static Object transactions() throws Exception {
    var op = a.transactionOp();
    var done = a.transaction().forOperations(
        op.create().forPath("/c/t", "1".getBytes(UTF_8)),
        op.setData().withVersion(0).forPath("/c/t", "2".getBytes(UTF_8)),
        op.check().withVersion(1).forPath("/c/t"),
        op.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/c/t/child-"));
    b.sync().forPath("/c/t");
    var refused = "not refused";
    try {
      b.transaction().forOperations(
          b.transactionOp().setData().forPath("/c/t", "3".getBytes(UTF_8)),
          b.transactionOp().delete().withVersion(9).forPath("/c/t"));
    } catch (KeeperException error) {
      refused = error.code() + " " + error.getResults().stream().map(r -> r.getClass().getSimpleName()).toList();
    }
    a.sync().forPath("/c/t");
    return List.of(
        done.stream().map(CuratorTransactionResult::getType).toList(),
        done.get(3).getResultPath(),
        refused,
        new String(a.getData().forPath("/c/t"), UTF_8));
  }

  static Object digest() throws Exception {
    var owner = CuratorFrameworkFactory.builder().connectString(members[0])
        .retryPolicy(new ExponentialBackoffRetry(100, 3)).authorization("digest", "ann:secret".getBytes(UTF_8)).build();
    owner.start();
    owner.create().withACL(Ids.CREATOR_ALL_ACL).forPath("/c/private", "p".getBytes(UTF_8));
    b.sync().forPath("/c/private");
    var barred = "not barred";
    try {
      b.getData().forPath("/c/private");
    } catch (KeeperException error) {
      barred = error.code().toString();
    }
    var read = new String(owner.getData().forPath("/c/private"), UTF_8);
    owner.close();
    return List.of(barred, read);
  }

  /** EnsembleTracker has read /zookeeper/config, which names no client's address: nobody is sent elsewhere or loses the session. */
  static Object ensemble() throws Exception {
    var config = new String(b.getConfig().forEnsemble(), UTF_8);
    return List.of(
        config.lines().filter(line -> line.startsWith("server.")).count(),
        a.getZookeeperClient().getCurrentConnectionString().equals(members[0]),
        states.contains(ConnectionState.LOST));
  }

  public static void main(String[] args) throws Exception {
    members = args[0].split(",");
    a = connect(members[0]);
    b = connect(members[members.length - 1]);
    a.createContainers("/c");
    eventually(() -> b.checkExists().forPath("/c") != null);
    Map<String, Callable<Object>> scenarios = new LinkedHashMap<>();
    scenarios.put("InterProcessMutex", CuratorRecipes::mutex);
    scenarios.put("InterProcessMutex of a client that went", CuratorRecipes::mutexOfTheGone);
    scenarios.put("InterProcessReadWriteLock", CuratorRecipes::readWriteLock);
    scenarios.put("InterProcessSemaphoreV2", CuratorRecipes::semaphore);
    scenarios.put("LeaderLatch", CuratorRecipes::leaderLatch);
    scenarios.put("LeaderSelector", CuratorRecipes::leaderSelector);
    scenarios.put("DistributedBarrier", CuratorRecipes::barrier);
    scenarios.put("DistributedDoubleBarrier", CuratorRecipes::doubleBarrier);
    scenarios.put("SharedCount", CuratorRecipes::sharedCount);
    scenarios.put("DistributedAtomicLong", CuratorRecipes::atomicLong);
    scenarios.put("PersistentNode", CuratorRecipes::persistentNode);
    scenarios.put("GroupMember", CuratorRecipes::groupMember);
    scenarios.put("CuratorCache", CuratorRecipes::curatorCache);
    scenarios.put("transactions", CuratorRecipes::transactions);
    scenarios.put("digest ACL", CuratorRecipes::digest);
    scenarios.put("EnsembleTracker", CuratorRecipes::ensemble);
    for (var scenario : scenarios.entrySet()) {
      var began = System.nanoTime();
      Object outcome;
      try {
        outcome = scenario.getValue().call();
      } catch (Exception error) {
        outcome = error + " " + Arrays.toString(error.getStackTrace());
      }
      System.out.println(scenario.getKey() + ": " + outcome);
      System.err.println(scenario.getKey() + ": " + (System.nanoTime() - began) / 1_000_000 + " ms");
    }
    a.close();
    b.close();
    System.exit(0);
  }
}
