"""grpcio (the C core) against the echo service at argv[1]; prints what it saw as JSON. Messages are bytes as they are."""
import json
import sys

import grpc

MIB = 1024 * 1024
same = {"request_serializer": lambda data: data, "response_deserializer": lambda data: data}
seen = {}


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def echo(data=b"", text=b"", count=0):
    return b"\x0a" + varint(len(data)) + data + b"\x12" + varint(len(text)) + text + b"\x18" + varint(count)


def code_of(call):
    try:
        result = call()
        for _ in result if hasattr(result, "__iter__") and not isinstance(result, bytes) else []:
            pass
        return "OK"
    except grpc.RpcError as error:
        seen.setdefault("trailers", sorted(key for key, _ in error.trailing_metadata() or ()))
        return error.code().name


with grpc.insecure_channel(sys.argv[1], options=[("grpc.max_receive_message_length", -1)]) as channel:
    path = "/peers.v1.EchoService/"
    unary, serve = channel.unary_unary(path + "Unary", **same), channel.unary_stream(path + "Serve", **same)
    collect, talk = channel.stream_unary(path + "Collect", **same), channel.stream_stream(path + "Talk", **same)
    metadata = (("plain", "one"), ("plain", "two"), ("binary-bin", b"\x00\xff\x80"), ("binary-bin", b"\x07"))
    answer, call = unary.with_call(echo(text=b"hi"), metadata=metadata, timeout=10)
    seen["text"] = b"hi" in answer
    for where, got in (("head", call.initial_metadata()), ("tail", call.trailing_metadata())):
        seen[where] = [[k, v.hex() if isinstance(v, bytes) else v] for k, v in got if k.startswith(where)]
    seen["mebibyte"] = len(unary(echo(data=b"x" * MIB), timeout=30)) > MIB
    seen["collect"] = b"16" in collect((echo(data=b"x" * MIB) for _ in range(16)), timeout=30)
    seen["serve"] = sum(1 for _ in serve(echo(data=b"x" * MIB, count=16), timeout=30))
    seen["talk"] = sum(1 for _ in talk((echo(data=b"x" * MIB) for _ in range(16)), timeout=30))
    seen["ended first"] = sum(1 for _ in talk(iter([echo(text=b"a"), echo(text=b"last")]), timeout=30))
    seen["error"] = code_of(lambda: unary(echo(text=b"fail"), timeout=10))
    seen["late error"] = code_of(lambda: serve(echo(text=b"fail", count=3), timeout=10))
    seen["deadline"] = code_of(lambda: unary(echo(text=b"wait"), timeout=0.3))
    waiting = serve(echo(text=b"wait", count=1), timeout=30)
    next(waiting)
    waiting.cancel()
    seen["cancel"] = code_of(lambda: waiting)
    seen["unknown"] = code_of(lambda: channel.unary_unary(path + "Nothing", **same)(b"", timeout=10))
print(json.dumps(seen))
