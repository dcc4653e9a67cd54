"""Proposed source that attacks while it is compiled, and compilers that are attackers themselves.

A candidate chooses what is in its files, not the command. The drivers are programs of the attacker's own in the place
of the compiler: what a macro, a plug-in or a fault of the real one could do.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

from .case import attack, damaged, leaked, marked, reached, soon, victim_gone
from .memory import never
from .sources import PRELUDE

MIB = 1 << 20


def build(name: str, oracle: Any, order: Any, compiler: str, **more: Any) -> None:
    """``order`` makes of the world what ``Sandbox.build`` takes."""
    bounds = {"wall_seconds": 20.0, "cpu_seconds": 20.0, **more}
    attack(name, "builds", "", oracle, language="build", order=order, compiler=compiler, **bounds)


def endures(world: Any, outcome: Any) -> bool:
    """It did not end within any time: who waits for it waits for ever."""
    return outcome.ended == "never" or outcome.seconds > 8


# Zig --------------------------------------------------------------------------------------------------------------


def zig(name: str, oracle: Any, source: Any, **more: Any) -> None:
    def order(world: Any) -> dict[str, Any]:
        text = source(world) if callable(source) else source
        flags = ["build-lib", "-dynamic", "-fno-compiler-rt", "-OReleaseSmall"]
        caches = ["--cache-dir", "c", "--global-cache-dir", "c", "-femit-bin=a.so"]
        argv = [world.compilers["zig"], *flags, *caches, "a.zig"]
        return {"argv": argv, "files": {"a.zig": text}, "outputs": ["a.so"]}

    build(name, oracle, order, "zig", **more)


zig(
    "build_zig_incbin",
    leaked,
    lambda w: (
        f'comptime {{ asm (".data\\n.global stolen\\nstolen: .incbin \\"{w.canary}\\"\\n.byte 0\\n.text"); }}\n'
        "extern var stolen: u8;\nexport fn f() *u8 { return &stolen; }\n"
    ),
)
zig("build_zig_error_text", leaked, lambda w: f'comptime {{ asm (".include \\"{w.canary}\\""); }}\n')
zig(
    "build_zig_endless",
    endures,
    "comptime {\n    @setEvalBranchQuota(4_000_000_000);\n    var i: u64 = 0;\n    while (i < 4_000_000_000) i += 1;\n}\n",
    wall_seconds=1.5,
)
# C ----------------------------------------------------------------------------------------------------------------


def c(
    name: str, oracle: Any, source: Any, flags: tuple[str, ...] = ("-shared", "-fPIC", "-o", "a.so"), **more: Any
) -> None:
    def order(world: Any) -> dict[str, Any]:
        chosen = [flag.format(w=world) for flag in flags]
        return {"argv": ["cc", *chosen, "a.c"], "files": {"a.c": source(world)}, "outputs": ["a.so"]}

    build(name, oracle, order, "cc", **more)


AS_A_VALUE = 'const char *s =\n#include "{}"\n;\n'
"""The compiler says of a word that it does not know it, and so says the word."""
c("build_c_include", leaked, lambda w: AS_A_VALUE.format(w.canary))
c("build_c_include_home", leaked, lambda w: AS_A_VALUE.format(w.key), needs=("key",))
c(
    "build_c_incbin",
    leaked,
    lambda w: (
        f'__asm__(".data\\n.global s\\ns: .incbin \\"{w.canary}\\"\\n.text");\nextern char s;\nchar *f(void) {{ return &s; }}\n'
    ),
)
c(
    "build_c_existence",
    lambda world, outcome: "Permission denied" in outcome.told or b"it is there" in outcome.value.get("a.so", b""),
    lambda w: (
        f'#if __has_include("{w.canary}")\nconst char f[] = "it is there";\n#else\nconst char f[] = "it is not";\n#endif\n'
    ),
)
c("build_c_writes_outside", marked, lambda w: "int f;\n", flags=("-c", "-o", "{w.mark}"))
c("build_c_dependencies_outside", marked, lambda w: "int f;\n", flags=("-c", "-MMD", "-MF", "{w.mark}", "-o", "a.so"))
c("build_c_linker_reads", leaked, lambda w: "int f;\n", flags=("-shared", "-o", "a.so", "-Wl,@{w.canary}"))
c("build_c_arguments_from_file", leaked, lambda w: "int f;\n", flags=("@{w.canary}",))
c(
    "build_c_includes_itself",
    endures,
    lambda w: '#if __INCLUDE_LEVEL__ < 90\n#include "a.c"\n#include "a.c"\n#endif\n',
    wall_seconds=1.5,
)
# Rust -------------------------------------------------------------------------------------------------------------


def rust(name: str, oracle: Any, source: Any, files: Any = None, flags: tuple[str, ...] = (), **more: Any) -> None:
    def order(world: Any) -> dict[str, Any]:
        common = ["--edition=2021", "--crate-type=cdylib", "-Cpanic=abort", *flags, "-o", "a.so"]
        given = files(world) if files else {}
        return {
            "argv": [world.compilers["rustc"], *common, "a.rs"],
            "files": {"a.rs": source(world), **given},
            "outputs": ["a.so"],
        }

    build(name, oracle, order, "rustc", **more)


PUBLIC = "#[no_mangle] pub static S: &str = {};\n"
rust("build_rust_include_str", leaked, lambda w: PUBLIC.format(f'include_str!("{w.canary}")'))
rust(
    "build_rust_include_bytes",
    leaked,
    lambda w: f'#[no_mangle] pub static S: &[u8] = include_bytes!("{"../" * 40}{w.key[1:]}");\n',
    needs=("key",),
)
rust("build_rust_include", leaked, lambda w: f'include!("{w.canary}");\n')
rust("build_rust_module_path", leaked, lambda w: f'#[path = "{w.canary}"] mod stolen;\n')
rust("build_rust_environment", leaked, lambda w: PUBLIC.format('env!("O_ATTACK_SECRET")'))
rust(
    "build_rust_environment_option",
    leaked,
    lambda w: PUBLIC.format('match option_env!("O_ATTACK_SECRET") { Some(s) => s, None => "" }'),
)
rust(
    "build_rust_environment_by_proc",
    leaked,
    lambda w: '#[no_mangle] pub static S: &[u8] = include_bytes!("/proc/self/environ");\n',
)
rust(
    "build_rust_environment_of_others",
    leaked,
    lambda w: f'#[no_mangle] pub static S: &[u8] = include_bytes!("/proc/{w.victim}/environ");\n',
    needs=("victim",),
)
rust(
    "build_rust_incbin",
    leaked,
    lambda w: (
        f'core::arch::global_asm!(".data", ".global s", "s: .incbin \\"{w.canary}\\"", ".text");\n'
        'extern "C" { static s: u8; }\n#[no_mangle] pub extern "C" fn f() -> *const u8 { unsafe { &s } }\n'
    ),
)
rust(
    "build_rust_endless",
    endures,
    lambda w: (
        "#![allow(long_running_const_eval)]\npub const N: u64 = { let mut i = 0u64; while i < u64::MAX { i += 1; } i };\n"
        "#[no_mangle] pub static S: u64 = N;\n"
    ),
    wall_seconds=1.5,
)


def with_macro(world: Any) -> dict[str, Any]:
    with open(world.libraries["macro"], "rb") as f:
        return {"libmacro.so": f.read()}


MACRO = {"files": with_macro, "flags": ("--extern", "hostile_macro=libmacro.so"), "library": "macro"}
rust("build_rust_macro_reads", leaked, lambda w: PUBLIC.format(f'hostile_macro::steal!("{w.canary}")'), **MACRO)
rust("build_rust_macro_environment", leaked, lambda w: PUBLIC.format('hostile_macro::steal!("/nothing")'), **MACRO)
rust(
    "build_rust_macro_writes",
    marked,
    lambda w: f'#[no_mangle] pub fn f() {{ hostile_macro::plant!("{w.mark}") }}\n',
    **MACRO,
)

# Drivers ----------------------------------------------------------------------------------------------------------


def driver(name: str, oracle: Any, source: str, **more: Any) -> None:
    """A program of the attacker's own where the compiler is expected, with all rights that one has."""

    def order(world: Any) -> dict[str, Any]:
        facts = world.facts(more.get("needs", ()))
        text = f"{PRELUDE}\nw = {facts!r}\ndef attack():\n    {source.strip().replace(chr(10), chr(10) + '    ')}\nattack()\n"
        python = world.compilers["python"]
        prefix = os.path.realpath(os.path.join(os.path.dirname(python), ".."))
        environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
        zig = world.compilers["zig"]
        return {
            "argv": [python, "-S", "evil.py"],
            "files": {"evil.py": text},
            "outputs": ["a.so"],
            "environment": environment,
            "readable": [os.path.join(prefix, "lib"), os.path.join(os.path.dirname(zig), "lib")],
            "executable": [zig],
        }

    bounds = {"wall_seconds": 3.0, "cpu_seconds": 3.0, **more}
    build(name, oracle, order, "python", **bounds)


driver("build_driver_reads", leaked, "print(open(w['key']).read())", needs=("key",))
driver(
    "build_zig_embed_through_a_link",
    leaked,
    "os.symlink(w['key'], 'link')\nopen('a.zig', 'w').write('const s = @embedFile(\"link\");\\nexport fn f() [*]const u8 { return s; }')\n"
    "os.execv(w['compilers']['zig'], ['zig', 'build-lib', '-dynamic', '-fno-compiler-rt', '-OReleaseSmall', '--cache-dir', 'c', '--global-cache-dir', 'c', '-femit-bin=a.so', 'a.zig'])",
    needs=("key", "compilers"),
    wall_seconds=20.0,
    cpu_seconds=20.0,
)
driver("build_driver_writes", marked, "open(w['mark'], 'w').close()")
driver(
    "build_driver_damages",
    damaged,
    "os.chmod(w['canary'], 0o777)\nos.utime(w['canary'], (5, 5))\nos.unlink(w['canary'])",
)
driver("build_driver_kills", victim_gone, "os.kill(w['victim'], 9)", needs=("victim",))
driver("build_driver_connects", reached, "socket.create_connection(('127.0.0.1', w['tcp']), 1)", needs=("tcp",))
driver(
    "build_driver_datagram",
    reached,
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', w['udp']))",
    needs=("udp",),
)
driver(
    "build_driver_other_program",
    marked,
    "import subprocess\nopen('x', 'w').write(f\"#!/bin/sh\\ntouch {w['mark']}\\n\")\nos.chmod('x', 0o755)\n"
    "for argv in (['./x'], ['/bin/sh', 'x'], ['/usr/bin/touch', w['mark']]):\n    try: subprocess.run(argv)\n    except OSError: pass",
)
driver(
    "build_driver_daemon",
    lambda world, outcome: soon(world.appeared, 1.0),
    "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        for fd in range(50):\n            try: os.close(fd)\n            except OSError: pass\n"
    "        time.sleep(0.4)\n        os.close(os.open(w['mark'], os.O_CREAT | os.O_WRONLY))\n    os._exit(0)\nos.wait()",
)
driver(
    "build_driver_hydra",
    lambda world, outcome: _survivors(),
    # Each head makes the next one, in a session of its own, and dies: whoever looks for it comes too late.
    "if os.fork() == 0:\n    end = time.monotonic() + 1.5\n    while time.monotonic() < end:\n        if os.fork(): os._exit(0)\n        os.setsid()\n        time.sleep(0.0005)\n    os._exit(0)\ntime.sleep(0.2)",
)
driver(
    "build_driver_many_hydras",
    lambda world, outcome: _survivors(),
    "for _ in range(24):\n    if os.fork() == 0:\n        end = time.monotonic() + 1.5\n        while time.monotonic() < end:\n            if os.fork(): os._exit(0)\n"
    "            os.setpgid(0, 0)\n            time.sleep(0.0005)\n        os._exit(0)\ntime.sleep(0.2)",
)
driver(
    "build_driver_never_ends",
    endures,
    "for n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ntime.sleep(60)",
    wall_seconds=0.7,
)
driver(
    "build_driver_leaves_spinning",
    lambda world, outcome: _survivors(),
    "for _ in range(4):\n    if os.fork() == 0:\n        os.setsid()\n        end = time.monotonic() + 6\n        while time.monotonic() < end: pass\n        os._exit(0)",
)
driver(
    "build_driver_many_small_hoards",
    never,
    "for _ in range(4):\n    if os.fork() == 0: break\nkeep = []\nfor _ in range(60):\n    keep.append(bytearray(b'x') * (4 << 20))\n    time.sleep(0.006)\ntime.sleep(0.6)",
    watch=lambda world, outcome: _together() > 950 * MIB,
)
driver(
    "build_driver_processes",
    never,
    "for _ in range(600):\n    try:\n        if os.fork() == 0:\n            time.sleep(0.7)\n            os._exit(0)\n    except OSError: pass\ntime.sleep(0.7)",
    watch=lambda world, outcome: _count() > 450,
    needs=("processes",),
)
driver(
    "build_driver_prints",
    lambda world, outcome: len(outcome.told) > 4 * MIB,
    "for _ in range(2000): os.write(1, b'flood ' * 10000)",
)
driver(
    "build_driver_fills",
    never,
    "block = bytes(4 << 20)\nfor k in range(150): os.write(os.open(f'f{k}', os.O_CREAT | os.O_WRONLY), block)\ntime.sleep(0.3)",
    watch=lambda world, outcome: world.disk_grew(350),
    needs=("disk_before",),
    whole_machine=True,
)
driver("build_driver_output_is_a_link", leaked, "os.symlink(w['key'], 'a.so')", needs=("key",))
driver("build_driver_output_through_a_link", leaked, "os.link(w['canary'], 'a.so')")
driver(
    "build_driver_output_is_huge",
    lambda world, outcome: len(outcome.value.get("a.so", b"")) > 150 * MIB or outcome.failed != "",
    "os.truncate(os.open('a.so', os.O_CREAT | os.O_RDWR), 200 << 20)",
)
driver(
    "build_driver_text_with_tricks",
    lambda world, outcome: "\x1b" in outcome.told or "\u202e" in outcome.told,
    "os.write(2, '\\x1b]0;evil\\x07 \\u202eevil'.encode())",
)
driver(
    "build_driver_poisons_a_cache",
    lambda world, outcome: b"poisoned" in (outcome.facts["later"].value or {}).get("a.so", b""),
    "places = [p + '/cached' for p in (os.environ['HOME'], os.environ.get('TMPDIR', '/dev/shm'), '/dev/shm', os.path.join(w['folder'], 'home'))]\n"
    "with open('a.so', 'wb') as f: f.writelines(open(p, 'rb').read() for p in places if os.access(p, os.R_OK))\n"
    "for p in places:\n    try: open(p, 'wb').write(b'poisoned')\n    except OSError: pass",
    later="again",
)
driver(
    "build_driver_namespace",
    lambda world, outcome: b"new" in outcome.value.get("a.so", b""),
    "call(w['nr']['unshare'], 0x10000000)\nopen('a.so', 'wb').write(b'new' if os.geteuid() == 65534 else b'old')",
)


def _together() -> int:
    """Bytes that all processes below this one hold, without what they share with each other."""
    from .left import descendants

    total = 0
    for pid in descendants():
        try:
            with open(f"/proc/{pid}/statm") as f:
                resident, shared = map(int, f.read().split()[1:3])
                total += (resident - shared) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total


def _count() -> int:
    from .left import descendants

    return len(descendants())


def _survivors() -> bool:
    """Whether anything of a driver lives on a while after it was let go of: by its name, or by what it goes on making."""
    from .left import descendants

    time.sleep(0.2)
    before = descendants()
    time.sleep(0.2)
    now = descendants()
    for pid in now:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as f:
            if b"evil.py" in f.read():
                return True
    return bool(now - before)
