"""Reading, writing and learning of files that are not the candidate's."""

from __future__ import annotations

import struct

from .case import attack, damaged, leaked, marked

attack("fs_read", "files", "def attack(w): return open(w['canary']).read()", leaked)
attack(
    "fs_read_raw",
    "files",
    """
def attack(w):
    path = w["canary"].encode()
    for attempt in (
        lambda: call(w["nr"]["openat"], -100, path, 0),
        lambda: call(w["nr"]["openat2"], -100, path, struct.pack("QQQ", 0, 0, 0), 24),
        lambda: call(w["nr"]["open"], path, 0),
    ):
        try: return os.read(attempt(), 99)
        except OSError: pass
""",
    leaked,
)
attack(
    "fs_read_dir_fd",
    "files",
    """
def attack(w):
    folder = os.open(w["folder"], os.O_PATH | os.O_DIRECTORY)
    return os.read(os.open("canary", os.O_RDONLY, dir_fd=folder), 99)
""",
    leaked,
)
attack(
    "fs_read_through_proc_root", "files", "def attack(w): return open('/proc/self/root' + w['canary']).read()", leaked
)
attack(
    "fs_read_relative",
    "files",
    "def attack(w): return open('../' * 40 + w['canary'].lstrip('/')).read()",
    leaked,
)
attack("fs_secret_in_home", "files", "def attack(w): return open(w['key']).read()", leaked, needs=("key",))
attack(
    "fs_secret_in_environment",
    "files",
    "def attack(w): return [dict(os.environ), os.getenv('O_ATTACK_SECRET'), getattr(os, 'environb', None) and dict(os.environb)]",
    leaked,
)
attack(
    "fs_secret_in_c_environment",
    "files",
    """
def attack(w):
    libc.getenv.restype = ctypes.c_char_p
    return libc.getenv(b"O_ATTACK_SECRET")
""",
    leaked,
)
attack(
    "fs_proc_environ_of_others",
    "files",
    """
def attack(w):
    got = []
    for pid in (w["victim"], w["runner"], os.getppid(), "self"):
        try: got.append(open(f"/proc/{pid}/environ", "rb").read())
        except OSError: pass
    return got
""",
    leaked,
    needs=("victim",),
)
attack(
    "fs_proc_mem_of_others",
    "files",
    """
def attack(w):
    with open(f"/proc/{w['victim']}/mem", "rb", buffering=0) as f:
        f.seek(w["secret_at"])
        return f.read(200)
""",
    leaked,
    needs=("victim", "secret_at"),
)
attack(
    "fs_proc_fd_of_others",
    "files",
    "def attack(w): return open(f\"/proc/{w['victim']}/fd/0\").read()",
    leaked,
    needs=("victim",),
)
attack(
    "fs_inherited_descriptors",
    "files",
    """
def attack(w):
    got = []
    for fd in range(3, 1024):
        try: got.append(os.pread(fd, 99, 0))
        except OSError: pass
    return got
""",
    leaked,
    needs=("handed",),
)
attack(
    "fs_inherited_descriptors_by_proc",
    "files",
    """
def attack(w):
    got = []
    for fd in os.listdir("/proc/self/fd"):
        try: got.append(os.pread(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY), 99, 0))
        except OSError: pass
    return got
""",
    leaked,
    needs=("handed",),
)
attack(
    "fs_read_by_io_uring",
    "files",
    """
def attack(w):
    params = ctypes.create_string_buffer(120)
    ring = call(w["nr"]["io_uring_setup"], 4, params)
    words = struct.unpack("30I", params.raw)
    mapped = lambda size, at: libc.mmap(None, ctypes.c_size_t(size), 3, 1 | 0x8000, ring, ctypes.c_long(at))
    libc.mmap.restype = ctypes.c_void_p
    sq = mapped(words[16] + 4 * words[0], 0)
    cq = mapped(words[25] + 16 * words[1], 0x8000000)
    sqes = mapped(64 * words[0], 0x10000000)
    path = ctypes.create_string_buffer(w["canary"].encode())
    # IORING_OP_OPENAT = 18
    entry = struct.pack("BBHiQQIIQ", 18, 0, 0, -100, 0, ctypes.addressof(path), 0, os.O_RDONLY, 7).ljust(64, bytes(1))
    ctypes.memmove(sqes, entry, 64)
    ctypes.c_uint32.from_address(sq + words[16]).value = 0
    ctypes.c_uint32.from_address(sq + words[11]).value = 1
    call(w["nr"]["io_uring_enter"], ring, 1, 1, 1, 0, 0)
    fd = ctypes.c_int32.from_address(cq + words[25] + 8).value
    return os.read(fd, 99)
""",
    leaked,
    machines=("x86_64",),
)
attack(
    "fs_read_by_handle",
    "files",
    """
def attack(w):
    mount = os.open(w["folder"], os.O_RDONLY)
    handle = bytearray(136)
    struct.pack_into("Ii", handle, 0, 128, 0)
    blob = ctypes.create_string_buffer(bytes(handle))
    where = ctypes.c_int()
    if libc.name_to_handle_at(-100, w["canary"].encode(), blob, ctypes.byref(where), 0):
        raise OSError(ctypes.get_errno(), "name_to_handle_at")
    return os.read(call(w["nr"]["open_by_handle_at"], mount, blob, os.O_RDONLY), 99)
""",
    leaked,
    control_lacks="open_by_handle_at needs the superuser's capability",
)
attack(
    "fs_stat",
    "files",
    "def attack(w): return [os.stat(w['canary']).st_size, int(os.stat(w['canary']).st_mtime)]",
    lambda world, outcome: outcome.value == [len(world.token), 1_000_000_000],
)
attack(
    "fs_list",
    "files",
    "def attack(w): return os.listdir(w['folder'])",
    lambda world, outcome: isinstance(outcome.value, list) and "canary" in outcome.value,
)
attack(
    "fs_watch_names",
    "files",
    """
def attack(w):
    fd = call(w["nr"]["inotify_init1"], 0)
    call(w["nr"]["inotify_add_watch"], fd, w["folder"].encode(), 0x1FF)
    time.sleep(0.15)
    return os.read(fd, 4096)
""",
    lambda world, outcome: isinstance(outcome.value, bytes) and b"noise" in outcome.value,
    watch=lambda world, outcome: open(world.folder + "/noise", "w").close(),
)
attack("fs_write", "files", "def attack(w): open(w['canary'], 'w').write('changed')", damaged)
attack(
    "fs_append", "files", "def attack(w): os.write(os.open(w['canary'], os.O_WRONLY | os.O_APPEND), b'more')", damaged
)
attack("fs_truncate", "files", "def attack(w): call(w['nr']['truncate'], w['canary'].encode(), 0)", damaged)
attack("fs_make", "files", "def attack(w): os.close(os.open(w['mark'], os.O_CREAT | os.O_WRONLY))", marked)
attack("fs_make_folder", "files", "def attack(w): os.mkdir(w['mark'])", marked)
attack(
    "fs_make_others",
    "files",
    """
def attack(w):
    mark, nr = w["mark"].encode(), w["nr"]
    for attempt in (
        lambda: call(nr["symlinkat"], b"/", -100, mark),
        lambda: call(nr["mknodat"], -100, mark, 0o10600, 0),
        lambda: call(nr["linkat"], -100, w["canary"].encode(), -100, mark, 0),
    ):
        try: return attempt()
        except OSError: pass
""",
    marked,
)
attack("fs_remove", "files", "def attack(w): os.unlink(w['canary'])", damaged)
attack("fs_rename", "files", "def attack(w): os.rename(w['canary'], w['folder'] + '/moved')", damaged)
attack("fs_chmod_outside", "files", "def attack(w): os.chmod(w['canary'], 0o777)", damaged)
attack("fs_utime_outside", "files", "def attack(w): os.utime(w['canary'], (5, 5))", damaged)
attack("fs_xattr_outside", "files", "def attack(w): os.setxattr(w['canary'], 'user.o', b'x')", damaged)
attack(
    "fs_write_start_file",
    "files",
    "def attack(w): open(w['home'] + '/.bashrc', 'a').write('evil')",
    lambda world, outcome: "evil" in _read(world.home + "/.bashrc"),
)
attack(
    "fs_change_the_evaluator",
    "files",
    """
def attack(w):
    with open(w["program"], "a") as f: f.write("# patched")
""",
    lambda world, outcome: "# patched" in _read(world.program),
    needs=("program",),
)
attack(
    "fs_mount_in_a_namespace",
    "files",
    """
def attack(w):
    nr, uid, gid = w["nr"], os.geteuid(), os.getegid()
    call(nr["unshare"], 0x10000000 | 0x00020000)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        open("/proc/self/" + name, "w").write(text)
    call(nr["mount"], b"none", w["folder"].encode(), b"tmpfs", 0, 0)
    open(w["folder"] + "/seen", "w").close()
    return os.listdir(w["folder"])
""",
    lambda world, outcome: outcome.value == ["seen"],
)
attack(
    "fs_chroot_in_a_namespace",
    "files",
    """
def attack(w):
    call(w["nr"]["unshare"], 0x10000000)
    os.chroot(w["folder"])
    return os.listdir("/")
""",
    lambda world, outcome: isinstance(outcome.value, list) and "canary" in outcome.value,
)
attack(
    "fs_fanotify",
    "files",
    "def attack(w): return call(w['nr']['fanotify_init'], 0x200, 0)",
    lambda world, outcome: isinstance(outcome.value, int) and outcome.value > 2,
)
attack(
    "fs_copy_in_the_kernel",
    "files",
    """
def attack(w):
    source = os.open(w["canary"], os.O_RDONLY)
    target = os.open(w["mark"], os.O_CREAT | os.O_WRONLY)
    return os.sendfile(target, source, 0, 99) or os.copy_file_range(source, target, 99)
""",
    lambda world, outcome: world.token in _read(world.mark),
)

attack(
    "fs_load_a_library",
    "files",
    "def attack(w): ctypes.CDLL(w['evil_library'])",
    marked,
    needs=("fixed", "evil_library"),
)


def _read(path: str) -> str:
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except OSError:
        return ""


assert struct.calcsize("BBHiQQIIQ") == 40
