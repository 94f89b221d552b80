import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.CreateMode;

/**
 * Curator as it is by default, EnsembleTracker and all, while the members change. One command a line, one answer a line.
 *
 * <pre>java -cp curator-recipes.jar CuratorMembers.java HOST:PORT,…</pre>
 */
public class CuratorMembers {
  public static void main(String[] args) throws Exception {
    List<ConnectionState> states = new CopyOnWriteArrayList<>();
    var client =
        CuratorFrameworkFactory.builder()
            .connectString(args[0])
            .sessionTimeoutMs(10_000)
            .connectionTimeoutMs(15_000)
            .retryPolicy(new RetryForever(100))
            .authorization("digest", "super:secret".getBytes(UTF_8))
            .build();
    client.getConnectionStateListenable().addListener((which, state) -> states.add(state));
    client.start();
    client.blockUntilConnected();
    client.create().withMode(CreateMode.EPHEMERAL).forPath("/mine");
    System.out.println("connected");
    var lines = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    for (var line = lines.readLine(); line != null; line = lines.readLine()) {
      var words = line.split(" ", 2);
      switch (words[0]) {
        case "remove" -> client.reconfig().leaving(words[1]).forEnsemble();
        case "add" -> client.reconfig().joining(words[1]).forEnsemble();
        case "write" -> client.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/n-");
        default -> {}
      }
      var servers = client.getZookeeperClient().getCurrentConnectionString();
      var isMine = client.checkExists().forPath("/mine") != null;
      System.out.println(words[0] + ": servers " + servers + " mine " + isMine + " lost " + states.contains(ConnectionState.LOST));
    }
    client.close();
    System.exit(0);
  }
}
