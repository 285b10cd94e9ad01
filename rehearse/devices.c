/* SPDX-License-Identifier: MIT */
/* The devices that the processes of a clone may open: those of its /dev.  A
 * mount of devtmpfs shows the others, and does not let them be opened. */
#include "clone.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux, Documentation/admin-guide/devices.txt */
enum { MEMORY = 1, TTY = 5, PTS = 136, PTS_LAST = 143 };
enum { NUL = 3, ZERO = 5, FULL = 7, RANDOM = 8, URANDOM = 9 };

/* Instructions that the kernel runs for each open(), bpf(2) and linux/bpf.h:
 * register 1 is the context, a condition that holds jumps over so many. */
#define LOAD(to, field) { .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = 1, \
			  .off = offsetof(struct bpf_cgroup_dev_ctx, field) }
#define JUMP(if_it, reg, value, over) { .code = BPF_JMP | (if_it) | BPF_K, .dst_reg = (reg), \
					.off = (over), .imm = (value) }
#define ANSWER(value) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = (value) }, \
		      { .code = BPF_JMP | BPF_EXIT }

static const struct bpf_insn program[] = {
	LOAD(2, access_type), LOAD(3, major), LOAD(4, minor),
	{ .code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = 2, .imm = 0xffff },
	JUMP(BPF_JNE, 2, BPF_DEVCG_DEV_CHAR, 10), /* no */
	JUMP(BPF_JEQ, 3, MEMORY, 4),              /* by its minor number */
	JUMP(BPF_JEQ, 3, TTY, 10),                /* yes: tty, console, ptmx */
	JUMP(BPF_JLT, 3, PTS, 7),                 /* no */
	JUMP(BPF_JLE, 3, PTS_LAST, 8),            /* yes */
	JUMP(BPF_JGT, 3, PTS_LAST, 5),            /* no */
	JUMP(BPF_JEQ, 4, NUL, 6), JUMP(BPF_JEQ, 4, ZERO, 5), JUMP(BPF_JEQ, 4, FULL, 4),
	JUMP(BPF_JEQ, 4, RANDOM, 3), JUMP(BPF_JEQ, 4, URANDOM, 2),
	ANSWER(0), ANSWER(1)
};

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

bool clone_shut_devices(const char *cgroup)
{
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)program, .insn_cnt = sizeof(program) / sizeof(*program),
		.license = (uintptr_t)"MIT" };
	int loaded = bpf(BPF_PROG_LOAD, &load);
	int group = loaded < 0 ? -1 : open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union bpf_attr attach = { .target_fd = (uint32_t)group, .attach_bpf_fd = (uint32_t)loaded,
		.attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI };
	bool good = group >= 0 && bpf(BPF_PROG_ATTACH, &attach) == 0;
	int e = errno;

	if (group >= 0)
		close(group);
	if (loaded >= 0)
		close(loaded);
	errno = e;
	return good;
}
