/* SPDX-License-Identifier: MIT */
/* The first process of a clone: from its new namespaces to its init. */
#include "clone.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct in6_ifreq of linux/ipv6.h, which can't stand beside netinet/in.h */
struct address6 {
	struct in6_addr address;
	uint32_t prefix;
	int index;
};

static bool mount_new(const char *type, const char *at, unsigned long flags,
		      const char *data)
{
	return mount(type, at, type, flags, data) == 0;
}

static bool bind_to(const char *from, const char *at, unsigned long flags)
{
	return mount(from, at, NULL, MS_BIND, NULL) == 0 &&
	       (!flags || mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | flags, NULL) == 0);
}

/* Paths are relative to the clone's root from here on. */
static bool make_dev(void)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };
	static const char *const links[][2] = { { "pts/ptmx", "dev/ptmx" },
		{ "/proc/self/fd", "dev/fd" }, { "/proc/self/fd/0", "dev/stdin" },
		{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" } };

	if (!mount_new("tmpfs", "dev", MS_NOSUID, "mode=755,size=4m"))
		return false;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		pd_auto_free char *from = pd_print("/dev/%s", nodes[i]);
		int fd = open(from + 1, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);

		if (fd < 0 || close(fd) < 0 || !bind_to(from, from + 1, 0))
			return false;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			return false;
	return mkdir("dev/pts", 0755) == 0 && mkdir("dev/shm", 0755) == 0 &&
	       mkdir("dev/mqueue", 0755) == 0 &&
	       mount_new("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
			 "newinstance,ptmxmode=0666,mode=620,gid=5") &&
	       mount_new("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, "mode=1777") &&
	       mount_new("mqueue", "dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* A boot id of its own, as a real start has: journald and others tell starts
 * apart by it.  The kernel's is the same for all. */
static bool make_boot_id(void)
{
	unsigned char b[16];
	pd_auto_free char *id = NULL;

	randombytes_buf(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 9562, 5.4 */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	id = pd_print("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\n",
		      b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
		      b[11], b[12], b[13], b[14], b[15]);
	return pd_file_write("run/.boot-id", 0444, id, strlen(id), NULL) &&
	       bind_to("run/.boot-id", "proc/sys/kernel/random/boot_id", MS_RDONLY);
}

/* What would reach the kernel or the machine is read-only; a process's own
 * part of /proc is not, nor is its network's. */
static bool make_proc(const struct clone *c)
{
	static const char *const shut[] = { "proc/sys", "proc/sysrq-trigger", "proc/irq",
		"proc/bus", "proc/fs", "proc/acpi", "proc/scsi" };
	pd_auto_free char *kmsg = pd_print("%s/kmsg", c->o->work);

	if (!mount_new("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return false;
	for (size_t i = 0; i < sizeof(shut) / sizeof(*shut); i++)
		if (access(shut[i], F_OK) == 0 && !bind_to(shut[i], shut[i], MS_RDONLY))
			return false;
	/* who reads it waits, as on a kernel with nothing to say */
	return (!c->cgroup || bind_to(kmsg, "proc/kmsg", 0)) &&
	       mount("proc/sys/net", "proc/sys/net", NULL, MS_BIND, NULL) == 0 &&
	       mount(NULL, "proc/sys/net", NULL, MS_BIND | MS_REMOUNT, NULL) == 0 &&
	       make_boot_id();
}

static bool make_sys(const struct clone *c)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	return mount_new("sysfs", "sys", flags, NULL) &&
	       mount(NULL, "sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | flags, NULL) == 0 &&
	       (!c->cgroup || mount("cgroup2", "sys/fs/cgroup", "cgroup2", flags, NULL) == 0);
}

/* Not in /etc, for that would be a change: units that wait for a network card
 * or a console, of which there are none. */
static bool make_run(void)
{
	static const char *const masked[] = { "systemd-networkd-wait-online.service",
		"NetworkManager-wait-online.service", "ifupdown-wait-online.service",
		"console-getty.service", "getty.target" };

	if (!mount_new("tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=755") ||
	    !mount_new("tmpfs", "tmp", MS_NOSUID | MS_NODEV, "mode=1777") ||
	    mkdir("run/systemd", 0755) < 0 || mkdir("run/systemd/system", 0755) < 0)
		return false;
	for (size_t i = 0; i < sizeof(masked) / sizeof(*masked); i++) {
		pd_auto_free char *link = pd_print("run/systemd/system/%s", masked[i]);

		if (symlink("/dev/null", link) < 0)
			return false;
	}
	return true;
}

/* A fault has to meet the run also where systemd goes on with it, but once:
 * what comes after it is what the drill is about. */
static bool make_fault(const struct clone *c)
{
	static const char unit[] = "[Service]\nEnvironmentFile=-/run/patchday-drill.env\n"
				   "ExecStartPost=-/bin/rm -f /run/patchday-drill.env\n";
	static const char folder[] = "run/systemd/system/patchday-resume.service.d";
	pd_auto_free char *text = c->fault ? pd_print("PATCHDAY_FAULT=%s\n", c->fault) : NULL;

	return !text || (mkdir(folder, 0755) == 0 &&
		pd_file_write("run/systemd/system/patchday-resume.service.d/drill.conf", 0644,
			      unit, strlen(unit), NULL) &&
		pd_file_write("run/patchday-drill.env", 0600, text, strlen(text), NULL));
}

/* --show below /tmp and /run, which are new at each start. */
static bool make_shown(const struct clone *c)
{
	for (size_t i = 0; i < c->o->show.len; i++) {
		const char *place = c->o->show.items[i], *slash = strrchr(place, '/');
		pd_auto_free char *folder = pd_strndup(place + 1, (size_t)(slash - place) - 1);
		struct stat st;
		int fd;

		if (!clone_is_private(place))
			continue;
		if (stat(place, &st) < 0 || !pd_make_folders(folder, NULL))
			return false;
		if (S_ISDIR(st.st_mode) && mkdir(place + 1, 0755) < 0 && errno != EEXIST)
			return false;
		if (!S_ISDIR(st.st_mode)) {
			fd = open(place + 1, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
			if (fd < 0 || close(fd) < 0)
				return false;
		}
		if (!bind_to(place, place + 1, MS_RDONLY))
			return false;
	}
	return true;
}

static void add_address(int s4, int s6, const struct sockaddr *a, int n)
{
	struct ifreq r = {0};
	struct address6 r6 = { .prefix = 128, .index = 1 };
	struct sockaddr_in mask = { .sin_family = AF_INET,
				    .sin_addr = { htonl(INADDR_NONE) } };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "lo:%d", n);
	if (a->sa_family == AF_INET) {
		memcpy(&r.ifr_addr, a, sizeof(r.ifr_addr));
		if (ioctl(s4, SIOCSIFADDR, &r) == 0) {
			memcpy(&r.ifr_netmask, &mask, sizeof(mask));
			ioctl(s4, SIOCSIFNETMASK, &r);
		}
	} else if (a->sa_family == AF_INET6) {
		memcpy(&r6.address, (const char *)a + offsetof(struct sockaddr_in6, sin6_addr),
		       sizeof(r6.address));
		if (!IN6_IS_ADDR_LINKLOCAL(&r6.address))
			ioctl(s6, SIOCSIFADDR, &r6);
	}
}

/* Only lo.  It has the server's addresses, so that what listens on them or
 * asks the server by its name finds it; nothing else has a route. */
static bool make_network(const struct ifaddrs *addresses)
{
	int s4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int s6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), n = 0;
	struct ifreq up = { .ifr_name = "lo" };
	bool good;

	up.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	good = s4 >= 0 && ioctl(s4, SIOCSIFFLAGS, &up) == 0;
	for (const struct ifaddrs *a = addresses; good && a; a = a->ifa_next)
		if (a->ifa_addr && !(a->ifa_flags & IFF_LOOPBACK))
			add_address(s4, s6, a->ifa_addr, ++n);
	if (s4 >= 0)
		close(s4);
	if (s6 >= 0)
		close(s6);
	return good;
}

void clone_drop_powers(void)
{
	/* by number: a header may be older than the kernel; unknown ones fail */
	static const int powers[] = { CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME, CAP_MKNOD,
		CAP_SYSLOG, CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_MAC_ADMIN,
		CAP_MAC_OVERRIDE, CAP_AUDIT_READ, 38 /* PERFMON */, 39 /* BPF */ };

	for (size_t i = 0; i < sizeof(powers) / sizeof(*powers); i++)
		prctl(PR_CAPBSET_DROP, powers[i], 0, 0, 0);
}

static bool enter_cgroup(const struct clone *c)
{
	pd_auto_free char *procs = pd_print("%s/cgroup.procs", c->cgroup);
	int fd = open(procs, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return good && unshare(CLONE_NEWCGROUP) == 0;
}

bool clone_inside(const struct clone *c, const char **what)
{
	/* no PATH: systemd sets its own */
	static char init[] = "/sbin/init", container[] = "container=patchday";
	char *const argv[] = { init, NULL }, *const envp[] = { container, NULL };
	struct ifaddrs *addresses = NULL;
	sigset_t none;

	umask(0022);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	*what = "a cgroup of its own";
	if (c->cgroup && !enter_cgroup(c))
		return false;
	*what = "devices of its own";
	if (c->cgroup && !clone_shut_devices(c->cgroup))
		return false;
	*what = "a network of its own";
	getifaddrs(&addresses);
	if (unshare(CLONE_NEWNET) < 0 || !make_network(addresses))
		return false;
	*what = "mounts of its own";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || chdir(c->root) < 0)
		return false;
	*what = "/run and /tmp";
	if (!make_run() || !make_fault(c))
		return false;
	*what = "/dev";
	if (!make_dev())
		return false;
	*what = "/proc";
	if (!make_proc(c))
		return false;
	*what = "/sys";
	if (!make_sys(c))
		return false;
	*what = "what is to be shown in it";
	if (!make_shown(c))
		return false;
	*what = "a root of its own";
	/* pivot_root(2), "pivot_root(".", ".")" */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return false;
	clone_drop_powers();
	if (c->o->first)
		return true;
	*what = "/sbin/init";
	execve(argv[0], argv, envp);
	return false;
}
