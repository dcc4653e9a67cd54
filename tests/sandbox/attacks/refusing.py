"""A kernel that gives no namespaces to anybody, as in many containers: for this process and all below it."""

from __future__ import annotations

import ctypes
import struct

from project_o.sandbox import locks, policy
from project_o.sandbox.build_policy import NEW_NAMESPACES
from project_o.sandbox.calls import CALLS


def refuse_namespaces() -> None:
    """unshare and clone with a flag for a namespace are refused, as by Docker's own filter; clone3 is not there."""
    machine = policy.MACHINES[locks._MACHINE]
    refuse, allow = (policy.RETURN, 0, 0, policy.REFUSE_EPERM), (policy.RETURN, 0, 0, policy.ALLOW)
    unshare, clone = (CALLS[name][machine.column] for name in ("unshare", "clone"))
    steps = [
        (policy.LOAD, 0, 0, policy.OFFSET_NUMBER),
        (policy.JUMP_EQUAL, 0, 1, unshare),
        refuse,
        (policy.JUMP_EQUAL, 0, 1, machine.clone3),
        (policy.RETURN, 0, 0, policy.REFUSE_ENOSYS),
        (policy.JUMP_EQUAL, 0, 3, clone),
        (policy.LOAD, 0, 0, policy.OFFSET_ARGUMENTS),
        (policy.JUMP_SET, 0, 1, NEW_NAMESPACES),
        refuse,
        allow,
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    locks.process_control(locks.PR_SET_NO_NEW_PRIVS, 1)
    where = ctypes.c_void_p(ctypes.addressof(header))
    # SAFETY: struct sock_fprog is a length and a pointer; both buffers live until the call returns, the kernel copies.
    locks.system_call(machine.seccomp, locks.SECCOMP_SET_MODE_FILTER, 0, where)
