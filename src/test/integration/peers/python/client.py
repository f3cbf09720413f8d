"""Calls an echo service in every way there is; the test knows what should come of it."""
import hashlib
import json
import threading
import time

import grpc

from echo import FAR_AHEAD, MANY, MIB, Echo, error_info, piece, read, write

METADATA = (("plain", "one"), ("plain", "two"), ("binary-bin", b"\x00\xff\x80"), ("binary-bin", b"\x07"))
SOON = 40
NO_COMPRESSION = ("grpc.compression_enabled_algorithms_bitset", 1)


def told(*parts):
    return [
        line
        for part in parts
        for line in sorted(
            f"{k}={v.hex() if isinstance(v, bytes) else v}" for k, v in part if k.startswith(("head-", "tail-"))
        )
    ]


def camel(code):
    return "".join(word.capitalize() for word in code.name.split("_"))


def described(error):
    trailers = dict(error.trailing_metadata())
    info = ["THING_NOT_FOUND", "peers.v1", "7"] if trailers["grpc-status-details-bin"] == error_info() else []
    return [camel(error.code()), error.details(), *info, trailers["why"], trailers["why-bin"].hex()]


def failed(call):
    """How a call failed, and how many messages came before."""
    heard = 0
    try:
        result = call()
        for _ in () if isinstance(result, Echo) else result:
            heard += 1
    except grpc.RpcError as error:
        return error, heard
    raise AssertionError("a call succeeded that should not have")


def digest_of(messages):
    total = hashlib.sha256()
    count = 0
    for message in messages:
        total.update(message.data)
        count += 1
    return f"{count} {total.hexdigest()}"


class Caller:
    def __init__(self, channel):
        path = "/peers.v1.EchoService/"
        codec = {"request_serializer": write, "response_deserializer": read}
        self.unary = channel.unary_unary(path + "Unary", **codec)
        self.serve = channel.unary_stream(path + "Serve", **codec)
        self.collect = channel.stream_unary(path + "Collect", **codec)
        self.talk = channel.stream_stream(path + "Talk", **codec)
        self.nothing = channel.unary_unary(path + "Nothing", **codec)
        self.seen = {}

    def ask(self, text):
        return self.unary(Echo(text=text), timeout=SOON).count

    def metadata(self):
        _, call = self.unary.with_call(Echo(text="hi"), metadata=METADATA, timeout=SOON)
        self.seen["unary metadata"] = told(call.initial_metadata(), call.trailing_metadata())
        call = self.talk(iter([Echo(text="hi")]), metadata=METADATA, timeout=SOON)
        list(call)
        self.seen["stream metadata"] = told(call.initial_metadata(), call.trailing_metadata())

    def unaries(self):
        for data in (b"", b"x", piece(3)[: 64 << 10], piece(3)):
            assert self.unary(Echo(data), timeout=SOON).data == data, len(data)
        self.seen["echoed"] = True

    def large_streams(self):
        sent = 0

        def pieces():
            nonlocal sent
            for i in range(MANY):
                sent = i + 1
                yield Echo(piece(i), "hold" if i == 0 else "")

        collecting = self.collect.future(pieces(), timeout=SOON)
        time.sleep(0.3)
        self.seen["waits for the server"] = sent < FAR_AHEAD
        while not collecting.done():
            self.ask("release")
            time.sleep(0.025)
        self.seen["collected"] = collecting.result().text
        serving = self.serve(Echo(text="pieces", count=MANY), timeout=SOON)
        time.sleep(0.3)
        self.seen["the server waits"] = self.ask("pulled") < FAR_AHEAD
        self.seen["served"] = digest_of(serving)
        self.seen["talked"] = digest_of(self.talk((Echo(piece(i)) for i in range(MANY)), timeout=SOON))

    def half_closed(self):
        heard = list(self.talk(iter([Echo(text="after", count=3)]), timeout=SOON))
        self.seen["after the client ended"] = len(heard)
        more = threading.Event()

        def last():
            yield Echo(text="last")
            more.wait()

        self.seen["before the client ended, Talk"] = len(list(self.talk(last(), timeout=SOON)))
        self.collect(last(), timeout=SOON)
        self.seen["before the client ended, Collect"] = 1
        more.set()

    def errors(self):
        self.seen["error"] = described(failed(lambda: self.unary(Echo(text="fail"), timeout=SOON))[0])
        error, heard = failed(lambda: self.serve(Echo(text="fail", count=3), timeout=SOON))
        self.seen["error after"] = heard
        self.seen["late error"] = described(error)
        self.seen["unknown"] = camel(failed(lambda: self.nothing(Echo(), timeout=SOON))[0].code())
        self.seen["too large"] = camel(failed(lambda: self.unary(Echo(bytes(5 * MIB)), timeout=SOON))[0].code())

    def ends(self):
        self.seen["left"] = 20_000 < self.ask("left") <= 45_000
        before = self.ask("stopped")
        self.seen["deadline"] = camel(failed(lambda: self.unary(Echo(text="wait"), timeout=0.3))[0].code())
        waiting = self.serve(Echo(text="wait", count=1), timeout=SOON)
        next(waiting)
        waiting.cancel()
        self.seen["cancel"] = camel(failed(lambda: waiting)[0].code())
        for _ in range(400):
            if self.ask("stopped") - before == 2:
                break
            time.sleep(0.025)
        self.seen["told to stop"] = self.ask("stopped") - before

    def at_once(self):
        calls = [self.unary.future(Echo(piece(i)[:10_000], count=i), timeout=SOON) for i in range(100)]
        assert [call.result().count for call in calls] == list(range(100))
        self.seen["at once"] = len(calls)


def channel(address, ca, *options):
    if not ca:
        return grpc.insecure_channel(address, options)
    options = (*options, ("grpc.ssl_target_name_override", "localhost"))
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(ca), options)


def call(address, ca):
    with channel(address, ca) as squeezing, channel(address, ca, NO_COMPRESSION) as plain:
        caller = Caller(plain)
        data = b"squeeze " * 40_000
        answer = Caller(squeezing).unary(Echo(data), timeout=SOON, compression=grpc.Compression.Gzip)
        caller.seen["compressed"] = answer.data == data
        parts = caller.metadata, caller.unaries, caller.large_streams, caller.half_closed
        for part in (*parts, caller.errors, caller.ends, caller.at_once):
            part()
    print(json.dumps(caller.seen))
