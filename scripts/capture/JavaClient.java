import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** What the Java client is made to do while it is recorded. */
public class JavaClient {
    static final Watcher WATCH = event -> {};

    public static void main(String[] args) throws Exception {
        ZooKeeper zk = connected(args[0], 4000);
        creating(zk);
        readingAndChanging(zk);
        multi(zk);
        Thread.sleep(2500); // long enough for a ping
        resume(zk, args[0]);
        System.exit(0);
    }

    static void creating(ZooKeeper zk) throws Exception {
        zk.create("/j", "one".getBytes(), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        zk.create("/j/null", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, new Stat());
        zk.create("/j/e", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL, new Stat());
        String readOnly = zk.create("/j/s-", new byte[300], Ids.READ_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL);
        zk.create("/j/es-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
        refused(() -> zk.create("/j", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        refused(() -> zk.create("/j/e/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        refused(() -> zk.create("/no/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        refused(() -> zk.setData(readOnly, null, -1));
    }

    static void readingAndChanging(ZooKeeper zk) throws Exception {
        zk.exists("/j/later", WATCH);
        zk.create("/j/later", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        zk.exists("/j/later", WATCH);
        zk.getData("/j", WATCH, new Stat());
        zk.getData("/j/null", false, null);
        zk.getChildren("/j", WATCH);
        zk.getChildren("/j", WATCH, new Stat());
        zk.setData("/j", "größe".getBytes("UTF-8"), 0);
        refused(() -> zk.setData("/j", null, 9));
        refused(() -> zk.getData("/no", false, null));
        refused(() -> zk.getChildren("/no", false));
        zk.getACL("/j", new Stat());
        zk.setACL("/j", Ids.OPEN_ACL_UNSAFE, 0);
        refused(() -> zk.setACL("/j", Ids.OPEN_ACL_UNSAFE, 9));
        CountDownLatch synced = new CountDownLatch(1);
        zk.sync("/j", (rc, path, context) -> synced.countDown(), null);
        synced.await();
        zk.delete("/j/later", -1);
        refused(() -> { zk.delete("/j", -1); return null; });
        refused(() -> { zk.delete("/j", 9); return null; });
        refused(() -> { zk.delete("/no", -1); return null; });
    }

    static void multi(ZooKeeper zk) throws Exception {
        zk.multi(List.of(
            Op.create("/j/t", "x".getBytes(), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.create("/j/t/s-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL),
            Op.check("/j/t", 0),
            Op.setData("/j/t", "y".getBytes(), 0),
            Op.delete("/j/t/s-0000000000", -1),
            Op.delete("/j/t", -1)));
        refused(() -> zk.multi(List.of(
            Op.create("/j/u", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.check("/j", 77),
            Op.delete("/j", -1))));
        zk.multi(List.of());
    }

    /** A cut link, watches set again; the session taken over by another handle; closed, and asked for once more. */
    static void resume(ZooKeeper zk, String hosts) throws Exception {
        zk.getData("/j", WATCH, null);
        zk.exists("/j/never", WATCH);
        zk.getChildren("/j", WATCH);
        System.out.println("CUT");
        Thread.sleep(2500);
        zk.setData("/j", "z".getBytes(), -1);
        long id = zk.getSessionId();
        byte[] password = zk.getSessionPasswd();
        ZooKeeper heir = new ZooKeeper(hosts, 4000, WATCH, id, password);
        heir.getData("/j/e", false, null);
        heir.close();
        Thread.sleep(200);
        ZooKeeper late = new ZooKeeper(hosts, 4000, WATCH, id, password);
        refused(() -> late.getData("/j", false, null));
    }

    static ZooKeeper connected(String hosts, int timeoutMs) throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        ZooKeeper zk = new ZooKeeper(hosts, timeoutMs, event -> latch.countDown());
        latch.await();
        return zk;
    }

    static void refused(Callable<?> ask) throws Exception {
        try {
            ask.call();
        } catch (KeeperException expected) {
            return;
        }
        throw new IllegalStateException("granted");
    }
}
