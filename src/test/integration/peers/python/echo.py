"""peers.v1.Echo and the pieces of large bodies; contract.ts and pieces.ts describe them."""
import hashlib
from typing import NamedTuple

MIB = 1024 * 1024
MANY = 64
FAR_AHEAD = MANY // 2
SHIFTS = 251  # a prime: it takes long until two pieces begin alike
ENDLESS = b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(MIB // 32 + 8))


class Echo(NamedTuple):
    data: bytes = b""
    text: str = ""
    count: int = 0


def piece(i):
    """1 MiB with bytes of its own that no compression makes fewer; every language makes the same ones."""
    start = i * 31 % SHIFTS
    return ENDLESS[start : start + MIB]


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def write(echo):
    return field(1, echo.data) + field(2, echo.text.encode()) + b"\x18" + varint(echo.count)


def read(data):
    fields = {}
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = number()
        value = number()
        if tag & 7 == 2:
            at += value
            value = data[at - value : at]
        fields[tag >> 3] = value
    return Echo(fields.get(1, b""), fields.get(2, b"").decode(), fields.get(3, 0))


def error_info():
    """google.rpc.Status with the ErrorInfo of the error that "fail" is answered with."""
    thing = field(3, field(1, b"thing") + field(2, b"7"))
    info = field(1, b"THING_NOT_FOUND") + field(2, b"peers.v1") + thing
    packed = field(1, b"type.googleapis.com/google.rpc.ErrorInfo") + field(2, info)
    return b"\x08\x05" + field(2, FAILURE.encode()) + field(3, packed)


FAILURE = "no thing 7: ünï"
