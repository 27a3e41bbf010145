"""
A Sparkplug host application that believes nothing: it decodes what an edge node says with Google's protobuf and Eclipse's
paho, shares no code with the node, and holds every message against the rules of Sparkplug 3.0.0.

    sparkplug-host.py PORT [--id HOST] [--also FILTER] [--show]

Needs Debian's python3-paho-mqtt, python3-protobuf and protobuf-compiler. On standard output: one JSON object per message;
`wrong` lists the rules that it broke. With --show, text for people. On standard input: `rebirth GROUP NODE`, `online`, `offline`.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt

DOUBLE, INT32, INT64, BOOLEAN = 10, 3, 4, 11
REBIRTH = "Node Control/Rebirth"
SUBSCRIBE_QOS = 1


def load_schema():
    """Compile the schema beside this file, and import what comes of it."""
    here = Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory(prefix="sparkplug-host-") as folder:
        subprocess.run(["protoc", f"--proto_path={here}", f"--python_out={folder}", "sparkplug.proto"], check=True)
        sys.path.insert(0, folder)
        sys.dont_write_bytecode = True
        return importlib.import_module("sparkplug_pb2")


SCHEMA = load_schema()


def plain(value, datatype):
    """The value of a metric or property as Python has it."""
    which = value.WhichOneof("value")
    if which is None:
        return None
    raw = getattr(value, which)
    if which == "int_value" and datatype == INT32 and raw >= 2**31:
        return raw - 2**32
    if which == "long_value" and datatype == INT64 and raw >= 2**63:
        return raw - 2**64
    return raw


class EdgeNode:
    """What the host knows of one edge node in this connection."""

    def __init__(self):
        self.is_online = False
        self.bd_seq = None
        self.dead_bd_seq = None
        self.seq = None
        self.aliases = {}
        self.devices = {}


class Host:
    def __init__(self, arguments):
        self.arguments = arguments
        self.nodes = {}
        self.asked = {}
        self.lock = threading.Lock()
        self.client = mqtt.Client(client_id=f"host-{arguments.port}", clean_session=True)
        self.client.on_connect = self.connected
        self.client.on_message = self.heard
        self.client.reconnect_delay_set(min_delay=1, max_delay=1)
        if arguments.id:
            self.client.will_set(self.state_topic(), self.state(False), qos=1, retain=True)

    def state_topic(self):
        return f"spBv1.0/STATE/{self.arguments.id}"

    def state(self, is_online):
        return json.dumps({"online": is_online, "timestamp": int(time.time() * 1000)})

    def connected(self, client, _userdata, _flags, code):
        # Whatever was said while nobody listened is lost: every node has to be born anew.
        with self.lock:
            self.nodes = {}
            self.asked = {}
        client.subscribe([("spBv1.0/#", SUBSCRIBE_QOS)] + [(also, SUBSCRIBE_QOS) for also in self.arguments.also])
        self.tell({"connected": code == 0})

    def heard(self, _client, _userdata, message):
        parts = message.topic.split("/")
        if parts[0] != "spBv1.0":
            self.tell({"topic": message.topic, "text": message.payload.decode("utf8")})
        elif len(parts) in (4, 5) and parts[2] in RULES:
            with self.lock:
                self.check(message, *parts[1:])

    def check(self, message, group, verb, name, device=None):
        wrong = []
        must = lambda holds, rule: None if holds else wrong.append(rule)
        payload = SCHEMA.Payload()
        payload.ParseFromString(message.payload)
        node = self.nodes.setdefault((group, name), EdgeNode())
        must((device is not None) == verb.startswith("D"), "a device is named by device messages alone")
        must(not message.retain, "no message is retained")
        must(message.qos == (1 if verb == "NDEATH" else 0), f"QoS of {verb}: {message.qos}")
        must(payload.HasField("timestamp"), "a payload has a timestamp")
        is_known = node.is_online or verb in ("NBIRTH", "NDEATH")
        if is_known:
            RULES[verb](node, device, payload, must)
        elif node.bd_seq is not None:
            wrong.append(f"{verb} of an edge node that is dead")
        else:
            self.ask_for_birth(group, name)
        metrics = [self.describe(node, metric) for metric in payload.metrics]
        seq = payload.seq if payload.HasField("seq") else None
        self.tell(
            {"verb": verb, "node": name, "device": device, "seq": seq, "known": is_known, "metrics": metrics, "wrong": wrong}
        )

    def describe(self, node, metric):
        known = node.aliases.get(metric.alias) if metric.HasField("alias") else None
        datatype = metric.datatype if metric.HasField("datatype") else (known or (None, None, None))[2]
        properties = dict(
            (key, plain(value, value.type)) for key, value in zip(metric.properties.keys, metric.properties.values)
        )
        return {
            "name": metric.name if metric.HasField("name") else (known or (None, None))[1],
            "timestamp": metric.timestamp,
            "value": plain(metric, datatype),
            "null": metric.is_null,
            "historical": metric.is_historical,
            "transient": metric.is_transient,
            "properties": properties,
        }

    def ask_for_birth(self, group, name):
        """A host that joins late asks, and not for every message that it cannot read."""
        if time.monotonic() - self.asked.get((group, name), 0) > 1:
            self.asked[(group, name)] = time.monotonic()
            self.command_rebirth(group, name)

    def command_rebirth(self, group, name):
        payload = SCHEMA.Payload(timestamp=int(time.time() * 1000))
        payload.metrics.add(name=REBIRTH, datatype=BOOLEAN, boolean_value=True, timestamp=payload.timestamp)
        self.client.publish(f"spBv1.0/{group}/NCMD/{name}", payload.SerializeToString(), qos=0, retain=False)

    def tell(self, said):
        if not self.arguments.show:
            print(json.dumps(said), flush=True)
            return
        if "verb" in said:
            place = "/".join(part for part in (said["node"], said["device"]) if part)
            values = ", ".join(f"{metric['name']}={metric['value']}" for metric in said["metrics"])
            if not said["known"]:
                values = "(before its birth: asked for that)"
            print(f"{said['verb']:7}{place:24}seq {said['seq']}  {values}", flush=True)
            for rule in said["wrong"]:
                print(f"        BROKEN: {rule}", flush=True)

    def obey(self, command, *names):
        if command == "rebirth" and len(names) == 2:
            self.command_rebirth(*names)
        elif command in ("online", "offline") and self.arguments.id:
            self.client.publish(self.state_topic(), self.state(command == "online"), qos=1, retain=True)

    def run(self):
        while True:
            try:
                self.client.connect("127.0.0.1", self.arguments.port, keepalive=5)
                break
            except OSError:
                time.sleep(0.2)
        self.client.loop_start()
        for line in sys.stdin:
            self.obey(*line.split())
        self.client.disconnect()
        self.client.loop_stop()


def follows(node, payload, must):
    """seq is one more than that of the message before, whatever it was."""
    must(payload.HasField("seq"), "a message has a seq")
    expected = None if node.seq is None else (node.seq + 1) % 256
    must(payload.seq == expected, f"seq {payload.seq} after {node.seq}")
    node.seq = payload.seq


def learn(node, device, metrics, must):
    """Metrics of a birth are whole, and their aliases mean one thing in the whole edge node."""
    for metric in metrics:
        must(metric.HasField("name") and metric.name != "", "a metric of a birth has a name")
        must(metric.HasField("datatype"), f"{metric.name} of a birth has a datatype")
        must(metric.HasField("timestamp"), f"{metric.name} has a timestamp")
        has_value = metric.WhichOneof("value") is not None
        must(has_value != metric.is_null, f"{metric.name} has a value, or says that it has none")
        if metric.HasField("alias"):
            meaning = (device, metric.name, metric.datatype)
            must(node.aliases.get(metric.alias, meaning) == meaning, f"alias {metric.alias} means two metrics")
            node.aliases[metric.alias] = meaning
        check_properties(metric, must)
    names = [metric.name for metric in metrics]
    must(len(names) == len(set(names)), "every metric is in a birth once")


def check_properties(metric, must):
    must(len(metric.properties.keys) == len(metric.properties.values), "as many property values as keys")
    for key, value in zip(metric.properties.keys, metric.properties.values):
        if key == "Quality":
            must(value.type == INT32 and value.int_value in (0, 192, 500), f"quality {value.int_value}")


def bd_seq_of(payload, must):
    found = [metric for metric in payload.metrics if metric.name == "bdSeq"]
    must(len(found) == 1 and found[0].datatype == INT64, "there is one bdSeq, an Int64")
    must(found and 0 <= found[0].long_value <= 255, "bdSeq is 0 to 255")
    return found[0].long_value if found else None


def node_birth(node, _device, payload, must):
    must(payload.HasField("seq") and payload.seq == 0, "the seq of an NBIRTH is 0")
    number = bd_seq_of(payload, must)
    if node.is_online:
        must(number == node.bd_seq, f"a rebirth keeps bdSeq {node.bd_seq}, not {number}")
    elif node.dead_bd_seq is not None:
        must(number != node.dead_bd_seq, f"bdSeq {number} is that of a connection that is dead")
    rebirth = [metric for metric in payload.metrics if metric.name == REBIRTH]
    must(len(rebirth) == 1 and rebirth[0].datatype == BOOLEAN, "an NBIRTH has Node Control/Rebirth, a Boolean")
    must(rebirth and not rebirth[0].boolean_value and not rebirth[0].HasField("alias"), "which is false, without alias")
    node.is_online, node.bd_seq, node.seq, node.aliases, node.devices = True, number, 0, {}, {}
    learn(node, None, payload.metrics, must)


def node_death(node, _device, payload, must):
    must(not payload.HasField("seq"), "an NDEATH has no seq")
    number = bd_seq_of(payload, must)
    # One of an earlier connection says nothing about this one.
    if number == node.bd_seq:
        node.is_online = False
    node.dead_bd_seq = number


def device_birth(node, device, payload, must):
    follows(node, payload, must)
    learn(node, device, payload.metrics, must)
    node.devices[device] = True


def device_death(node, device, payload, must):
    follows(node, payload, must)
    must(node.devices.get(device), f"{device} dies without a birth")
    node.devices[device] = False


def data(node, device, payload, must):
    follows(node, payload, must)
    must(device is None or node.devices.get(device), f"data of {device}, which is not born")
    newest = 0
    for metric in payload.metrics:
        must(metric.HasField("alias") and not metric.HasField("name"), "data names its metrics by alias alone")
        meaning = node.aliases.get(metric.alias)
        must(meaning is not None and meaning[0] == device, f"alias {metric.alias} was given to {device} at birth")
        must(metric.HasField("timestamp"), "a metric has a timestamp")
        must((metric.WhichOneof("value") is not None) != metric.is_null, "a metric has a value, or says that it has none")
        if meaning is not None and metric.HasField("datatype"):
            must(metric.datatype == meaning[2], f"{meaning[1]} has the datatype of its birth")
        if not metric.is_historical:
            must(metric.timestamp >= newest, "what is not historical is in order of time")
            newest = metric.timestamp
        check_properties(metric, must)


RULES = {
    "NBIRTH": node_birth,
    "NDEATH": node_death,
    "NDATA": data,
    "DBIRTH": device_birth,
    "DDEATH": device_death,
    "DDATA": data,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--id", help="host application ID: tells STATE online and offline")
    parser.add_argument("--also", action="append", default=[], help="another topic filter; told as text")
    parser.add_argument("--show", action="store_true", help="text instead of JSON")
    Host(parser.parse_args()).run()


main()
