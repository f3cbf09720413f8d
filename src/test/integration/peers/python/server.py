"""The echo service, as grpcio answers it; echo.ts is the model."""
import hashlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from echo import FAILURE, Echo, error_info, piece, read, write


class Bystander:
    """What a server is asked about itself, or told, by unary calls."""

    def __init__(self):
        self.pulled = self.stopped = 0
        self.gate = threading.Event()
        self.lock = threading.Lock()

    def stop(self):
        with self.lock:
            self.stopped += 1

    def answer(self, text):
        if text == "release":
            gate, self.gate = self.gate, threading.Event()
            gate.set()
            return Echo()
        counts = {"stopped": self.stopped, "pulled": self.pulled}
        return Echo(count=counts[text]) if text in counts else None


bystander = Bystander()


def repeat(context):
    known = [(k, v) for k, v in context.invocation_metadata() if k in ("plain", "binary-bin")]
    context.send_initial_metadata([("head-" + k, v) for k, v in known])
    context.set_trailing_metadata([("tail-" + k, v) for k, v in known])


def fail(context):
    why = (("why", "gone"), ("why-bin", b"\x00\xff\x80"), ("grpc-status-details-bin", error_info()))
    context.set_trailing_metadata(why)
    context.abort(grpc.StatusCode.NOT_FOUND, FAILURE)


def expect_stop(context):
    """What waits until it is over; counted even if the caller has left before anything waits."""
    over = threading.Event()

    def stopped():
        bystander.stop()
        over.set()

    if not context.add_callback(stopped):
        stopped()
    return over


def wait(over, context):
    over.wait()
    context.abort(grpc.StatusCode.CANCELLED, "told to stop")


def unary(request, context):
    if request.text == "fail":
        fail(context)
    if request.text == "wait":
        wait(expect_stop(context), context)
    if request.text == "left":
        return Echo(count=int(context.time_remaining() * 1000))
    repeat(context)
    return bystander.answer(request.text) or request


def serve_many(request, context):
    repeat(context)
    over = expect_stop(context) if request.text == "wait" else None
    for i in range(request.count):
        if request.text == "pieces":
            bystander.pulled = i + 1
        yield Echo(piece(i) if request.text == "pieces" else request.data, count=i)
    if request.text == "fail":
        fail(context)
    if over is not None:
        wait(over, context)


def collect(requests, context):
    repeat(context)
    total = hashlib.sha256()
    count = messages = 0
    for message in requests:
        total.update(message.data)
        count += len(message.data)
        messages += 1
        if message.text == "hold":
            bystander.gate.wait()
        if message.text == "last":
            break  # though the peer may have more to say
    return Echo(text=f"{messages} {total.hexdigest()}", count=count)


def talk(requests, context):
    repeat(context)
    after = 0
    for message in requests:
        yield message
        if message.text == "after":
            after = message.count
        if message.text == "last":
            return  # though the peer may have more to say
    for i in range(after):
        yield Echo(text="after", count=i)


def serve(cert, key):
    codec = {"request_deserializer": read, "response_serializer": write}
    methods = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary, **codec),
        "Serve": grpc.unary_stream_rpc_method_handler(serve_many, **codec),
        "Collect": grpc.stream_unary_rpc_method_handler(collect, **codec),
        "Talk": grpc.stream_stream_rpc_method_handler(talk, **codec),
    }
    server = grpc.server(ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("peers.v1.EchoService", methods),))
    if cert:
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(((key, cert),)))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(0).wait()
