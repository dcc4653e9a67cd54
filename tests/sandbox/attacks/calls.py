"""The system calls that attacks make, by machine: raw, so that it is the wall that is tried and not a library."""

NUMBERS: dict[str, dict[str, int]] = {"x86_64": {}, "aarch64": {}}
_TABLE = """
add_key 248 217
bind 49 200
bpf 321 280
chroot 161 51
clone 56 220
clone3 435 435
connect 42 203
copy_file_range 326 285
execve 59 221
execveat 322 281
fallocate 285 47
fanotify_init 300 262
fchmodat 268 53
fork 57 -1
ftruncate 77 46
inotify_add_watch 254 27
inotify_init1 294 26
io_uring_enter 426 426
io_uring_setup 425 425
ioprio_get 252 31
ioprio_set 251 30
kcmp 312 272
keyctl 250 219
kill 62 129
landlock_create_ruleset 444 444
linkat 265 37
lookup_dcookie 212 18
memfd_create 319 279
mkdirat 258 34
mknodat 259 33
mlock 149 228
mmap 9 222
mount 165 40
mq_notify 244 184
mq_open 240 180
msgget 68 186
newfstatat 262 79
open 2 -1
open_by_handle_at 304 265
openat 257 56
openat2 437 437
perf_event_open 298 241
personality 135 92
pidfd_getfd 438 438
pidfd_open 434 434
pidfd_send_signal 424 424
pipe2 293 59
prctl 157 167
prlimit64 302 261
process_madvise 440 440
process_vm_readv 310 270
process_vm_writev 311 271
ptrace 101 117
read 0 63
renameat 264 38
renameat2 316 276
rt_sigqueueinfo 129 138
rt_tgsigqueueinfo 297 240
sched_setaffinity 203 122
sched_setscheduler 144 119
semget 64 190
sendfile 40 71
sendto 44 206
set_mempolicy 238 237
setitimer 38 103
setns 308 268
setpriority 141 140
setuid 105 146
setxattr 188 5
shmat 30 196
shmget 29 194
socket 41 198
splice 275 76
statx 332 291
symlinkat 266 36
tgkill 234 131
timer_create 222 107
timer_settime 223 110
tkill 200 130
truncate 76 45
unlinkat 263 35
unshare 272 97
userfaultfd 323 282
utimensat 280 88
vfork 58 -1
write 1 64
"""
"""Name, number on x86_64, number on aarch64; -1 where there is no such call."""

for _line in _TABLE.split("\n"):
    if _line:
        _name, _x86, _arm = _line.split()
        NUMBERS["x86_64"][_name] = int(_x86)
        NUMBERS["aarch64"][_name] = int(_arm)
