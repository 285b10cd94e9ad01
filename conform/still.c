/* SPDX-License-Identifier: MIT */
/* Which system calls do more than look, seccomp_unotify(2).  Held: opening for
 * writing, removing, renaming, modes, owners, links, mounts, attributes, times,
 * quotas, signals to processes of others, connections to other machines.  Let pass:
 * devices such as /dev/null; /proc/self of a process about itself; Unix and
 * netlink sockets; the name service; files in /tmp, which apt(8) makes and removes
 * at once: the caller looks that nothing is left; and log and shared memory of an sqlite
 * database, which who only reads opens to write: the caller looks that the log is empty. */
#include "still.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/quota.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* path: which argument holds it, -1 none, -2 argument 0 is an open file;
 * at: which holds its folder, -1 none */
static const struct call {
	int nr;
	const char *name;
	int at, path;
} calls[] = {
#define C(name, at, path) { SYS_##name, #name, at, path }
	C(openat, 0, 1), C(openat2, 0, 1), C(unlinkat, 0, 1), C(renameat2, 0, 1), C(renameat, 0, 1),
	C(mkdirat, 0, 1), C(mknodat, 0, 1), C(fchmodat, 0, 1), C(fchownat, 0, 1), C(linkat, 0, 1),
	C(symlinkat, 1, 2), C(utimensat, 0, 1), C(truncate, -1, 0), C(fchmod, -1, -2),
	C(fchown, -1, -2), C(setxattr, -1, 0), C(lsetxattr, -1, 0), C(fsetxattr, -1, -2),
	C(removexattr, -1, 0), C(lremovexattr, -1, 0), C(fremovexattr, -1, -2), C(mount, -1, 1),
	C(umount2, -1, 0), C(pivot_root, -1, 0), C(move_mount, 0, 1), C(mount_setattr, 0, 1),
	C(swapon, -1, 0), C(swapoff, -1, 0), C(reboot, -1, -1), C(sethostname, -1, -1),
	C(setdomainname, -1, -1), C(settimeofday, -1, -1), C(clock_settime, -1, -1),
	C(adjtimex, -1, -1), C(init_module, -1, -1), C(finit_module, -1, -1),
	C(delete_module, -1, -1), C(kexec_load, -1, -1), C(ptrace, -1, -1), C(bpf, -1, -1),
	C(add_key, -1, -1), C(connect, -1, -1), C(kill, -1, -1), C(tkill, -1, -1),
	C(pidfd_send_signal, -1, -1), C(quotactl, -1, 1),
#ifdef SYS_open
	C(open, -1, 0), C(creat, -1, 0), C(unlink, -1, 0), C(rename, -1, 0), C(mkdir, -1, 0),
	C(rmdir, -1, 0), C(mknod, -1, 0), C(chmod, -1, 0), C(chown, -1, 0), C(lchown, -1, 0),
	C(link, -1, 0), C(symlink, -1, 1), C(utime, -1, 0), C(utimes, -1, 0), C(futimesat, 0, 1),
#endif
#undef C
};

enum { N = sizeof(calls) / sizeof(*calls) };

int still_hold(void)
{
	struct sock_filter f[2 * N + 2];
	struct sock_fprog program = { .len = 0, .filter = f };

	f[program.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < N; i++) {
		f[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								(unsigned)calls[i].nr, 0, 1);
		f[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
								SECCOMP_RET_USER_NOTIF);
	}
	f[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

bool still_pass(int channel, int listener)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &listener, sizeof(int));
	return sendmsg(channel, &m, 0) == 1;
}

int still_take(int channel)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(channel, &m, MSG_CMSG_CLOEXEC) > 0 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

static size_t peek(pid_t pid, uint64_t at, void *to, size_t size)
{
	char name[64];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	fd = open(name, O_RDONLY);
	n = fd < 0 ? -1 : pread(fd, to, size, (off_t)at);
	if (fd >= 0)
		close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static void comm(pid_t pid, char out[64])
{
	char name[64];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/comm", pid);
	f = fopen(name, "r");
	snprintf(out, 64, "?");
	if (f && fgets(out, 64, f))
		out[strcspn(out, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* The path that an argument names, as far as it can be told. */
static void path_of(const struct seccomp_notif *q, const struct call *c, char out[8192])
{
	char raw[4096] = "", base[4096] = "", link[64];
	int folder = c->at < 0 ? AT_FDCWD : (int)q->data.args[c->at];
	ssize_t n;

	out[0] = '\0';
	if (c->path == -2) {
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", q->pid, (int)q->data.args[0]);
		n = readlink(link, out, 8191);
		out[n > 0 ? n : 0] = '\0';
	}
	if (c->path < 0 || !q->data.args[c->path])
		return;
	/* up to the end of a page at least, a path may end there */
	if (!peek((pid_t)q->pid, q->data.args[c->path], raw, sizeof(raw) - 1) &&
	    !peek((pid_t)q->pid, q->data.args[c->path], raw,
		  4096 - (size_t)(q->data.args[c->path] % 4096) - 1))
		snprintf(raw, sizeof(raw), "(unreadable)");
	if (!raw[0]) /* the call fails by itself */
		return;
	snprintf(link, sizeof(link), folder == AT_FDCWD ? "/proc/%d/cwd" : "/proc/%d/fd/%d",
		 q->pid, folder);
	n = raw[0] == '/' ? 0 : readlink(link, base, sizeof(base) - 1);
	base[n > 0 ? n : 0] = '\0';
	snprintf(out, 8192, "%s%s%s", base, n > 0 ? "/" : "", raw);
}

static bool opens_to_write(const struct seccomp_notif *q, const struct call *c)
{
	const char *name = c->name;
	char path[8192];

	struct open_how how = { 0 };
	uint64_t flags = q->data.args[strcmp(name, "open") == 0 ? 1 : 2];

	if (strcmp(name, "creat") == 0)
		return true;
	if (strcmp(name, "openat2") == 0) {
		peek((pid_t)q->pid, q->data.args[2], &how, sizeof(how));
		flags = how.flags;
	}
	path_of(q, c, path);
	if ((flags & O_TMPFILE) == O_TMPFILE) /* it never has a name */
		return strcmp(path, "/tmp") != 0;
	return !(flags & O_PATH) && ((flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC));
}

static bool harmless_path(const char *path)
{
	struct stat st = { 0 };

	return !*path || strncmp(path, "/tmp/", 5) == 0 || strncmp(path, "/proc/self/", 11) == 0 ||
	       strncmp(path, "/proc/thread-self/", 18) == 0 ||
	       (stat(path, &st) == 0 && S_ISCHR(st.st_mode));
}

/* And sets its owner anew.  One that is not there is not to be made. */
static bool is_log(const struct call *c, const char *path)
{
	size_t n = strlen(path);
	struct stat st;

	return n > 4 && (strcmp(path + n - 4, "-wal") == 0 || strcmp(path + n - 4, "-shm") == 0) &&
	       (strncmp(c->name, "open", 4) == 0 || strcmp(c->name, "fchown") == 0) &&
	       lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool harmless_peer(const struct seccomp_notif *q, char *out)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	} a = { 0 };
	size_t size = q->data.args[2] < sizeof(a) ? (size_t)q->data.args[2] : sizeof(a);
	char text[64] = "";
	int port;

	peek((pid_t)q->pid, q->data.args[1], &a, size);
	if (a.any.sa_family != AF_INET && a.any.sa_family != AF_INET6)
		return true;
	if (a.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a.v4.sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &a.v6.sin6_addr, text, sizeof(text));
	port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
	snprintf(out, 128, "%s port %d", text, port);
	return port == 53 || port == 0 || strcmp(text, "::1") == 0 || strncmp(text, "127.", 4) == 0;
}

/* Signals stay among the processes of one step, whose session they share. */
static bool harmless_signal(const struct seccomp_notif *q, const char *name, char *out)
{
	pid_t to = (pid_t)q->data.args[0];
	bool fd = strcmp(name, "pidfd_send_signal") == 0;

	snprintf(out, 128, "%d with signal %d", to, (int)q->data.args[1]);
	if (!q->data.args[1] || fd || to == 0)
		return !fd;
	return getsid(to < 0 ? -to : to) == getsid((pid_t)q->pid);
}

/* Quotas are asked for by the call that sets them. */
static bool asks_for_quota(const struct seccomp_notif *q)
{
	static const unsigned asking[] = { Q_GETFMT, Q_GETINFO, Q_GETQUOTA, Q_XGETQSTAT, Q_XGETQSTATV,
					   Q_XGETQUOTA };

	for (size_t i = 0; i < sizeof(asking) / sizeof(*asking); i++)
		if ((unsigned)q->data.args[0] >> SUBCMDSHIFT == (asking[i] & (~0u >> SUBCMDSHIFT)))
			return true;
	return false;
}

static bool harmless(const struct seccomp_notif *q, const struct call *c, char *what)
{
	path_of(q, c, what);
	if (is_log(c, what))
		return true;
	if (strncmp(c->name, "open", 4) == 0 || strcmp(c->name, "creat") == 0)
		return !opens_to_write(q, c) || harmless_path(what);
	if (strcmp(c->name, "connect") == 0)
		return harmless_peer(q, what);
	if (strstr(c->name, "kill") || strcmp(c->name, "pidfd_send_signal") == 0)
		return harmless_signal(q, c->name, what);
	if (strcmp(c->name, "quotactl") == 0)
		return asks_for_quota(q);
	if (strcmp(c->name, "adjtimex") == 0)
		return true;
	return c->path != -1 && harmless_path(what);
}

bool still_judge(int listener, pid_t free_session, char line[STILL_LINE])
{
	/* room for a kernel that is newer than its header */
	union {
		struct seccomp_notif q;
		struct seccomp_notif_resp a;
		char room[4096];
	} in = { .room = "" }, out = { .room = "" };
	char what[8192] = "", step[64], by[64];
	const struct call *c = calls;
	bool changes = false;
	pid_t session;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &in.q) < 0)
		return false;
	while (c->nr != in.q.data.nr)
		c++;
	out.a.id = in.q.id;
	session = getsid((pid_t)in.q.pid);
	if ((free_session && session == free_session) || harmless(&in.q, c, what)) {
		out.a.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	} else {
		comm(session, step);
		comm((pid_t)in.q.pid, by);
		snprintf(line, STILL_LINE, "%s: %s %s%s%s%s", step, c->name, what,
			 strcmp(step, by) ? " (" : "", strcmp(step, by) ? by : "",
			 strcmp(step, by) ? ")" : "");
		out.a.error = -EPERM;
		changes = true;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &out.a);
	return changes;
}
