import static java.nio.charset.StandardCharsets.UTF_8;
import static org.apache.zookeeper.ZooDefs.Ids.CREATOR_ALL_ACL;
import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;
import static org.apache.zookeeper.ZooDefs.Ids.READ_ACL_UNSAFE;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** ZooKeeper's own Java client: what it can ask, waiting and not waiting. A line `name: outcome` each. */
public class JavaClient {
  static String[] members;
  static ZooKeeper zk;
  static final List<String> heard = Collections.synchronizedList(new ArrayList<>());

  static ZooKeeper connect(String host, int timeoutMs, long id, byte[] password) throws Exception {
    var connected = new CountDownLatch(1);
    Watcher watcher = event -> {
      if (event.getState() == Watcher.Event.KeeperState.SyncConnected) connected.countDown();
    };
    var client = id == 0
        ? new ZooKeeper(host, timeoutMs, watcher)
        : new ZooKeeper(host, timeoutMs, watcher, id, password);
    if (!connected.await(20, TimeUnit.SECONDS)) throw new IllegalStateException("not connected");
    return client;
  }

  static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  static String create(String path, String data, CreateMode mode) throws Exception {
    return zk.create(path, bytes(data), OPEN_ACL_UNSAFE, mode);
  }

  static String refusal(Callable<?> ask) throws Exception {
    try {
      return "granted " + ask.call();
    } catch (KeeperException error) {
      return error.code().name();
    }
  }

  static void hear(WatchedEvent event) {
    heard.add(event.getType() + " " + event.getPath());
  }

  /** Everything heard since, none still on its way. */
  static List<String> told() throws Exception {
    var synced = new CompletableFuture<Integer>();
    zk.sync("/", (code, path, context) -> synced.complete(code), null);
    synced.get(20, TimeUnit.SECONDS);
    // Callbacks and events have one thread, so that these events were taken before that callback.
    var events = List.copyOf(heard);
    heard.clear();
    return events;
  }

  static Object nodes() throws Exception {
    var stat = new Stat();
    var out = new ArrayList<Object>();
    out.add(create("/j", "one", CreateMode.PERSISTENT));
    out.add(create("/j/e", "", CreateMode.EPHEMERAL));
    out.add(create("/j/s-", "", CreateMode.PERSISTENT_SEQUENTIAL));
    out.add(create("/j/es-", "", CreateMode.EPHEMERAL_SEQUENTIAL));
    out.add(zk.create("/j/c", null, OPEN_ACL_UNSAFE, CreateMode.CONTAINER, stat));
    out.add(zk.create("/j/stat", bytes("four"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, stat));
    out.add(stat.getDataLength());
    out.add(new String(zk.getData("/j", false, stat), UTF_8) + stat.getVersion());
    out.add(zk.setData("/j", bytes("two"), 0).getVersion());
    out.add(new TreeSet<>(zk.getChildren("/j", false)));
    out.add(zk.exists("/j/none", false));
    out.add(zk.exists("/j/e", false).getEphemeralOwner() == zk.getSessionId());
    out.add(zk.getAllChildrenNumber("/j"));
    out.add(new TreeSet<>(zk.getEphemerals("/j")));
    zk.delete("/j/s-0000000001", 0);
    out.add(zk.exists("/j", false).getCversion());
    return out;
  }

  static Object refusals() throws Exception {
    return List.of(
        refusal(() -> create("/j", "", CreateMode.PERSISTENT)),
        refusal(() -> create("/j/none/a", "", CreateMode.PERSISTENT)),
        refusal(() -> create("/j/e/a", "", CreateMode.PERSISTENT)),
        refusal(() -> zk.setData("/j", null, 7)),
        refusal(() -> { zk.delete("/j", -1); return ""; }),
        refusal(() -> zk.getData("/j/none", false, null)),
        refusal(() -> zk.create("/j/a", null, CREATOR_ALL_ACL, CreateMode.PERSISTENT)));
  }

  static Object callbacks() throws Exception {
    var order = Collections.synchronizedList(new ArrayList<String>());
    var all = new CountDownLatch(7);
    zk.create("/j/a", bytes("1"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT,
        (code, path, context, name) -> { order.add("create " + code + name); all.countDown(); }, null);
    zk.getData("/j/a", false,
        (code, path, context, data, stat) -> { order.add("get " + code + new String(data, UTF_8)); all.countDown(); }, null);
    zk.setData("/j/a", bytes("2"), -1,
        (code, path, context, stat) -> { order.add("set " + code + stat.getVersion()); all.countDown(); }, null);
    zk.exists("/j/a", false,
        (code, path, context, stat) -> { order.add("exists " + code + stat.getVersion()); all.countDown(); }, null);
    zk.getChildren("/j/a", false,
        (code, path, context, names, stat) -> { order.add("children " + code + names); all.countDown(); }, null);
    zk.delete("/j/a", 9, (code, path, context) -> { order.add("delete " + code); all.countDown(); }, null);
    zk.delete("/j/a", 1, (code, path, context) -> { order.add("delete " + code); all.countDown(); }, null);
    if (!all.await(20, TimeUnit.SECONDS)) return "only " + order;
    return order;
  }

  static Object pipelined() throws Exception {
    var done = new CountDownLatch(2000);
    var order = Collections.synchronizedList(new ArrayList<Integer>());
    for (var at = 0; at < 2000; at++) {
      zk.setData("/j", bytes("" + at), -1,
          (code, path, context, stat) -> { order.add((Integer) context); done.countDown(); }, at);
    }
    done.await(30, TimeUnit.SECONDS);
    for (var at = 0; at < 2000; at++) if (order.get(at) != at) return "out of order at " + at;
    return new String(zk.getData("/j", false, null), UTF_8);
  }

  static Object multi() throws Exception {
    var granted = zk.multi(List.of(
        Op.create("/j/m", bytes("1"), OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
        Op.create("/j/m/s-", null, OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL),
        Op.setData("/j/m", bytes("2"), 0),
        Op.check("/j/m", 1),
        Op.delete("/j/m/s-0000000000", -1)));
    var refused = new ArrayList<Object>();
    try {
      zk.transaction().setData("/j/m", null, -1).check("/j/m", 9).delete("/j/m", -1).commit();
    } catch (KeeperException error) {
      refused.add(error.code());
      for (var one : error.getResults()) refused.add(((OpResult.ErrorResult) one).getErr());
    }
    var later = new CompletableFuture<Object>();
    zk.multi(List.of(Op.delete("/j/m", 1)),
        (code, path, context, results) -> later.complete(code + " " + results.size()), null);
    var read = zk.multi(List.of(Op.getData("/j"), Op.getChildren("/j/e"), Op.getData("/j/none")));
    return List.of(
        ((OpResult.CreateResult) granted.get(1)).getPath(),
        ((OpResult.SetDataResult) granted.get(2)).getStat().getVersion(),
        granted.size(), refused, later.get(20, TimeUnit.SECONDS),
        new String(((OpResult.GetDataResult) read.get(0)).getData(), UTF_8),
        ((OpResult.GetChildrenResult) read.get(1)).getChildren(),
        ((OpResult.ErrorResult) read.get(2)).getErr());
  }

  static Object standardWatches() throws Exception {
    create("/j/w", "", CreateMode.PERSISTENT);
    zk.getData("/j/w", JavaClient::hear, null);
    zk.exists("/j/w/x", JavaClient::hear);
    zk.getChildren("/j/w", JavaClient::hear);
    zk.setData("/j/w", null, -1);
    zk.setData("/j/w", null, -1);
    create("/j/w/x", "", CreateMode.PERSISTENT);
    zk.delete("/j/w/x", -1);
    return told();
  }

  static Object stayingWatches() throws Exception {
    Watcher watcher = JavaClient::hear;
    zk.addWatch("/j/w", watcher, AddWatchMode.PERSISTENT_RECURSIVE);
    create("/j/w/y", "", CreateMode.PERSISTENT);
    zk.setData("/j/w/y", null, -1);
    zk.delete("/j/w/y", -1);
    var recursive = told();
    zk.removeWatches("/j/w", watcher, Watcher.WatcherType.Any, false);
    var removed = told();
    zk.addWatch("/j/w", watcher, AddWatchMode.PERSISTENT);
    create("/j/w/y", "", CreateMode.PERSISTENT);
    zk.delete("/j/w/y", -1);
    var persistent = told();
    zk.removeAllWatches("/j/w", Watcher.WatcherType.Any, false);
    told();
    zk.setData("/j/w", null, -1);
    return List.of(recursive, removed, persistent, told(),
        refusal(() -> { zk.removeAllWatches("/j/w", Watcher.WatcherType.Any, false); return ""; }));
  }

  static Object access() throws Exception {
    zk.addAuthInfo("digest", bytes("bob:pw"));
    zk.create("/j/mine", bytes("m"), CREATOR_ALL_ACL, CreateMode.PERSISTENT);
    var stat = new Stat();
    var acl = zk.getACL("/j/mine", stat).get(0);
    var stranger = connect(members[members.length - 1], 10_000, 0, null);
    stranger.sync("/j/mine", (code, path, context) -> { }, null);
    var shut = refusal(() -> stranger.getData("/j/mine", false, null));
    var aversion = zk.setACL("/j/mine", READ_ACL_UNSAFE, 0).getAversion();
    stranger.sync("/j/mine", (code, path, context) -> { }, null);
    var open = new String(stranger.getData("/j/mine", false, null), UTF_8);
    stranger.close();
    var mine = new TreeSet<String>();
    for (var one : zk.whoAmI()) mine.add(one.getAuthScheme() + " " + one.getUser());
    return List.of(acl.getId().getScheme(), acl.getId().getId(), shut, aversion, open, mine);
  }

  static Object sessions() throws Exception {
    var first = connect(members[0], 10_000, 0, null);
    first.create("/j/held", null, OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
    var second = connect(members[members.length - 1], 10_000, first.getSessionId(), first.getSessionPasswd());
    var isSame = second.getSessionId() == first.getSessionId();
    second.sync("/j", (code, path, context) -> { }, null);
    var isHeld = second.exists("/j/held", false) != null;
    second.close();
    told();
    return List.of(isSame, isHeld, zk.exists("/j/held", false) == null);
  }

  public static void main(String[] args) throws Exception {
    members = args[0].split(",");
    zk = connect(members[0], 10_000, 0, null);
    Map<String, Callable<Object>> scenarios = new LinkedHashMap<>();
    scenarios.put("nodes", JavaClient::nodes);
    scenarios.put("refusals", JavaClient::refusals);
    scenarios.put("callbacks", JavaClient::callbacks);
    scenarios.put("pipelined", JavaClient::pipelined);
    scenarios.put("multi", JavaClient::multi);
    scenarios.put("watches", JavaClient::standardWatches);
    scenarios.put("watches that stay", JavaClient::stayingWatches);
    scenarios.put("access", JavaClient::access);
    scenarios.put("sessions", JavaClient::sessions);
    for (var scenario : scenarios.entrySet()) {
      Object outcome;
      try {
        outcome = scenario.getValue().call();
      } catch (Exception error) {
        outcome = error + " " + List.of(error.getStackTrace());
      }
      System.out.println(scenario.getKey() + ": " + outcome);
    }
    zk.close();
    System.exit(0);
  }
}
