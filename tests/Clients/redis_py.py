"""What an application does, done by redis-py. Usage: redis_py.py PORT. Says "now" when the gateway is to be killed, and goes
on when told of the new one. Ends with 0 if all of it went as it should. redis-py speaks RESP3 from 5.0 on: used if it is there."""
import sys
import threading
import time

import redis

PORT = int(sys.argv[1])


def step(name):
    print(f"redis-py {redis.__version__}: {name}", flush=True)


def equal(expected, actual):
    if expected != actual:
        sys.exit(f"expected {expected!r}, but got {actual!r}")


def message_on(subscription, patience=10):
    until = time.monotonic() + patience
    while time.monotonic() < until:
        message = subscription.get_message(timeout=1)
        if message and message["type"] == "message":
            return message["data"]
    return None


def use(client):
    step("read and write")
    equal(True, client.ping())
    equal(True, client.set("key", "value"))
    equal("value", client.get("key"))
    equal("value", client.get("key"))
    equal(None, client.get("nobody"))
    equal(["value", None], client.mget("key", "nobody"))
    client.hset("user", mapping={"name": "Ada"})
    equal({"name": "Ada"}, client.hgetall("user"))

    step("pipeline")
    with client.pipeline(transaction=False) as pipeline:
        for i in range(500):
            pipeline.set(f"pipelined:{i}", i)
            pipeline.get(f"pipelined:{i}")
        equal([reply for i in range(500) for reply in (True, str(i))], pipeline.execute())

    step("transaction")
    client.set("counter", "1")

    def increment(pipeline):
        value = int(pipeline.get("counter"))
        pipeline.multi()
        pipeline.set("counter", value + 1)

    equal([True], client.transaction(increment, "counter"))
    equal("2", client.get("counter"))
    with client.pipeline() as pipeline:
        pipeline.watch("counter")
        client.set("counter", "10")
        pipeline.multi()
        pipeline.set("counter", "lost")
        try:
            pipeline.execute()
            sys.exit("a transaction was carried out though the key was changed")
        except redis.WatchError:
            pass
    equal("10", client.get("counter"))

    step("publish and subscribe")
    subscription = client.pubsub(ignore_subscribe_messages=False)
    subscription.subscribe("channel")
    equal("subscribe", subscription.get_message(timeout=10)["type"])
    equal(1, client.publish("channel", "news"))
    equal("news", message_on(subscription))

    step("blocking pop")
    popped = []
    waiting = threading.Thread(target=lambda: popped.append(client.blpop("queue", timeout=10)))
    waiting.start()
    client.rpush("queue", "job")
    waiting.join()
    equal([("queue", "job")], popped)

    step("script")
    script = client.register_script("redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])")
    equal("scripted", script(keys=["key"], args=["scripted"]))  # EVALSHA, and the script is loaded if Redis does not know it
    equal("scripted", client.get("key"))
    equal("again", client.eval("redis.call('SET', KEYS[1], ARGV[1]); return ARGV[1]", 1, "key", "again"))
    equal("again", client.get("key"))

    step("scan")
    equal({f"pipelined:{i}" for i in range(500)}, set(client.scan_iter(match="pipelined:*", count=100)))
    return subscription


versions = [2, 3] if int(redis.__version__.split(".")[0]) >= 5 else [2]
for version in versions:
    client = redis.Redis("127.0.0.1", PORT, decode_responses=True, **({"protocol": version} if version == 3 else {}))
    subscription = use(client)

step("reconnect")
print("now", flush=True)
sys.stdin.readline()
equal("again", client.get("key"))
deadline = time.monotonic() + 10
while client.publish("channel", "back") == 0 and time.monotonic() < deadline:
    try:
        subscription.get_message(timeout=0.1)  # finds that its connection is lost, makes another, and subscribes again
    except redis.ConnectionError:
        pass
equal("back", message_on(subscription))
step("done")
