"""A peer of Heddle's that stands on grpcio, the C core. Messages are written by hand, so that no code is generated.

serve          serves the echo service, prints its address, ends when its input does
call ADDRESS   calls an echo service in every way there is, prints what it saw as JSON

PEERS_KEY and PEERS_CERT (serve) or PEERS_CA (call) are PEM texts; with them it speaks TLS.
"""
import os
import sys

import client
import server


def pem(name):
    return os.environ.get(name, "").encode()


if sys.argv[1:] == ["serve"]:
    server.serve(pem("PEERS_CERT"), pem("PEERS_KEY"))
elif len(sys.argv) == 3 and sys.argv[1] == "call":
    client.call(sys.argv[2], pem("PEERS_CA"))
else:
    sys.exit(__doc__)
