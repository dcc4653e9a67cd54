"""Reaching anything by any kind of socket."""

from __future__ import annotations

import socket

from .case import attack, reached


def reach(name: str, need: str, body: str, **more: object) -> None:
    """A way to be heard at a listener."""
    attack(name, "network", f"def attack(w):\n    at = w[{need!r}]\n{body}", reached, needs=(need,), **more)


reach("net_tcp", "tcp", "    socket.create_connection(('127.0.0.1', at), 1)")
reach("net_tcp6", "tcp6", "    socket.create_connection(('::1', at), 1)")
reach(
    "net_tcp_nonblocking",
    "tcp",
    """
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    s.connect_ex(('127.0.0.1', at))
    time.sleep(0.05)
""",
)
reach("net_tcp_fast_open", "tcp", "    socket.socket().sendto(b'x', 0x20000000, ('127.0.0.1', at))")
reach("net_mptcp", "mptcp", "    socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).connect(('127.0.0.1', at))")
reach("net_udp", "udp", "    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', at))")
reach(
    "net_udp_connected",
    "udp",
    """
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(('127.0.0.1', at))
    s.send(b'x')
""",
)
reach(
    "net_dns",
    "udp",
    r"""
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06secret\x07example\x03com\x00\x00\x01\x00\x01"
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(query, ('127.0.0.1', at))
""",
)
reach(
    "net_raw_calls",
    "tcp",
    """
    s = call(w["nr"]["socket"], 2, 1, 0)
    call(w["nr"]["connect"], s, struct.pack("!BBH4s8x", 2, 0, at, bytes([127, 0, 0, 1])).replace(b"\\x02\\x00", b"\\x02\\x00", 1), 16)
""",
)
reach("net_unix_path", "unix", "    socket.socket(socket.AF_UNIX).connect(at)")
reach("net_unix_dgram", "unix_dgram", "    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', at)")
reach("net_unix_abstract", "abstract", "    socket.socket(socket.AF_UNIX).connect(chr(0) + at)")
reach(
    "net_vsock",
    "vsock",
    "    socket.socket(socket.AF_VSOCK).connect((1, at))",
    control_lacks="this kernel has no loopback for AF_VSOCK",
)
reach(
    "net_io_uring",
    "udp",
    """
    params = ctypes.create_string_buffer(120)
    ring = call(w["nr"]["io_uring_setup"], 4, params)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', at))
""",
)
attack(
    "net_listen",
    "network",
    """
def attack(w):
    s = socket.create_server(("127.0.0.1", w["free_port"]))
    time.sleep(0.5)
""",
    lambda world, outcome: False,
    watch=lambda world, outcome: world.answers(world.free_port),
    needs=("free_port",),
)
attack(
    "net_netlink",
    "network",
    """
def attack(w):
    s = socket.socket(16, socket.SOCK_RAW, 0)
    s.bind((0, 0))
    s.send(struct.pack("IHHIIBxxx", 20, 18, 0x301, 1, 0, 0).ljust(32, bytes(1)))
    return s.recv(65536)
""",
    lambda world, outcome: (
        isinstance(outcome.value, bytes) and any(name.encode() in outcome.value for _, name in socket.if_nameindex())
    ),
)
attack(
    "net_kernel_crypto",
    "network",
    """
def attack(w):
    s = socket.socket(38, socket.SOCK_SEQPACKET)
    s.bind(("hash", "sha256"))
    return s.accept()[0].fileno()
""",
    lambda world, outcome: isinstance(outcome.value, int) and outcome.value > 2,
    control_lacks="this kernel has no AF_ALG" if not hasattr(socket, "AF_ALG") else "",
)
attack(
    "net_socketpair",
    "network",
    """
def attack(w):
    a, b = socket.socketpair()
    a.send(b"x" * 7)
    return len(b.recv(99))
""",
    lambda world, outcome: outcome.value == 7,
)
attack(
    "net_inherited_socket",
    "network",
    """
def attack(w):
    for fd in range(3, 256):
        try: s = socket.socket(fileno=fd)
        except OSError: continue
        try: s.send(w["mark"].encode())
        except OSError: pass
        s.detach()
""",
    lambda world, outcome: world.pair_heard(),
    needs=("pair",),
)
