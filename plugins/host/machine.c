/* SPDX-License-Identifier: MIT */
/* Facts of the machine: system, boot, hardware, disks, sessions, devices. */
#include "host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ----------------------------------------------------- system and boot */

/* The value of NAME= in os-release(5), unquoted; NULL when it has none. */
static const char *release_value(struct pd_ctx *ctx, const char *text,
				 const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; p && *p;
	     p += strcspn(p, "\n"), p += *p == '\n') {
		const char *value = p + n + 1;
		size_t len;

		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		len = strcspn(value, "\n");
		if (len >= 2 && (*value == '"' || *value == '\'') &&
		    value[len - 1] == *value) {
			value++;
			len -= 2;
		}
		return pd_format(ctx, "%.*s", (int)len, value);
	}
	return NULL;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p && (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

static const char *family_of(const char *id, const char *like)
{
	static const char *const rpm[] = { "rhel", "fedora", "centos", "suse",
					   "opensuse", "sles", "almalinux",
					   "rocky", "ol", "amzn" };

	if (has_word(id, "debian") || has_word(like, "debian") ||
	    has_word(id, "ubuntu") || has_word(like, "ubuntu"))
		return "debian";
	for (size_t i = 0; i < COUNT(rpm); i++)
		if (has_word(id, rpm[i]) || has_word(like, rpm[i]))
			return "rpm";
	return "other";
}

/* Debian's packages name architectures differently from the kernel. */
static const char *debian_arch(const char *machine)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" },
		{ "i686", "i386" }, { "i586", "i386" }, { "armv7l", "armhf" },
		{ "armv6l", "armel" }, { "ppc64le", "ppc64el" }
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(machine, names[i][0]) == 0)
			return names[i][1];
	return machine;
}

/* The full name as the hosts file has it.  Asking the resolver could take
 * minutes on a server whose network is not up. */
static const char *full_name(struct pd_ctx *ctx, const char *hostname)
{
	FILE *in = strchr(hostname, '.') ? NULL : fopen("/etc/hosts", "re");
	const char *found = strchr(hostname, '.') ? hostname : NULL;
	size_t n = strlen(hostname);
	char line[1024] = "";

	while (in && !found && fgets(line, sizeof(line), in)) {
		char *rest = NULL;

		line[strcspn(line, "#\n")] = '\0';
		if (!strtok_r(line, " \t", &rest))
			continue;
		for (char *name; !found && (name = strtok_r(NULL, " \t", &rest));)
			if (strncmp(name, hostname, n) == 0 && name[n] == '.')
				found = pd_format(ctx, "%s", name);
	}
	if (in)
		fclose(in);
	return found;
}

static const char *timezone_of(struct pd_ctx *ctx)
{
	char target[512] = "";
	const char *name;

	if (readlink("/etc/localtime", target, sizeof(target) - 1) < 0) {
		name = first_line(ctx, "/etc/timezone");
		return name ? name : "UTC";
	}
	name = strstr(target, "/zoneinfo/");
	return name ? pd_format(ctx, "%s", name + strlen("/zoneinfo/")) : NULL;
}

static int scan_os(struct pd_ctx *ctx, const struct utsname *uts)
{
	const char *text = pd_read_file(ctx, "/usr/lib/os-release", 65536, NULL);
	const char *etc = pd_read_file(ctx, "/etc/os-release", 65536, NULL);
	const char *id, *family;

	text = etc ? etc : text ? text : "";
	id = release_value(ctx, text, "ID");
	family = family_of(id ? id : "linux",
			   release_value(ctx, text, "ID_LIKE"));
	return FACT(ctx, "os", PD_TEXT("id", id ? id : "linux"),
		    PD_TEXT("version_id", release_value(ctx, text, "VERSION_ID")),
		    PD_TEXT("name", release_value(ctx, text, "PRETTY_NAME")),
		    PD_TEXT("codename",
			    release_value(ctx, text, "VERSION_CODENAME")),
		    PD_TEXT("arch", strcmp(family, "debian") == 0 ?
			    debian_arch(uts->machine) : uts->machine),
		    PD_TEXT("family", family), PD_TEXT("hostname", uts->nodename),
		    PD_TEXT("fqdn", full_name(ctx, uts->nodename)),
		    PD_TEXT("timezone", timezone_of(ctx)));
}

/* When init started: right in a container too, where the machine's own boot
 * time is another. */
static int64_t init_started(struct pd_ctx *ctx)
{
	const char *stat = first_line(ctx, "/proc/1/stat");
	const char *p = stat ? strrchr(stat, ')') : NULL;
	struct timespec now = { 0, 0 };
	struct timespec up = { 0, 0 };
	uint64_t ticks = 0;

	if (!p || sscanf(p + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			 "%*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64, &ticks) != 1)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return (int64_t)now.tv_sec - (int64_t)up.tv_sec +
	       (int64_t)(ticks / (uint64_t)sysconf(_SC_CLK_TCK));
}

static const char *virtualization(struct pd_ctx *ctx)
{
	sd_bus *bus = host_bus();
	char *value = NULL;
	const char *text = NULL;

	if (bus && sd_bus_get_property_string(
			   bus, "org.freedesktop.systemd1",
			   "/org/freedesktop/systemd1",
			   "org.freedesktop.systemd1.Manager",
			   "Virtualization", NULL, &value) >= 0)
		text = *value ? pd_format(ctx, "%s", value) : "none";
	free(value);
	sd_bus_flush_close_unref(bus);
	return text;
}

#define DMI(name) first_line(ctx, "/sys/class/dmi/id/" name)

int scan_machine(struct pd_ctx *ctx)
{
	struct utsname uts;
	int64_t started = init_started(ctx);

	if (uname(&uts) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot tell the kernel: %s",
			       strerror(errno));
	if (scan_os(ctx, &uts) < 0 ||
	    FACT(ctx, "kernel", PD_TEXT("release", uts.release),
		 PD_TEXT("version", uts.version),
		 PD_TEXT("machine", uts.machine)) < 0 ||
	    FACT(ctx, "boot",
		 PD_TEXT("id", first_line(ctx, "/proc/sys/kernel/random/boot_id")),
		 PD_NUMBER("started", started)) < 0)
		return PD_FAILED;
	return FACT(ctx, "hardware", PD_TEXT("vendor", DMI("sys_vendor")),
		    PD_TEXT("product", DMI("product_name")),
		    PD_TEXT("serial", DMI("product_serial")),
		    PD_TEXT("board", DMI("board_name")),
		    PD_TEXT("bios_vendor", DMI("bios_vendor")),
		    PD_TEXT("bios_version", DMI("bios_version")),
		    PD_TEXT("chassis", DMI("chassis_type")),
		    PD_TEXT("virtualization", virtualization(ctx)));
}

/* -------------------------------------------------------------- disks */

static bool is_remote(const char *type)
{
	static const char *const names[] = { "nfs", "nfs4", "cifs", "smb3",
					     "ceph", "fuse.glusterfs", "9p",
					     "fuse.sshfs" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(type, names[i]) == 0)
			return true;
	return false;
}

/* File systems that keep something: those on block devices, and few others. */
static bool is_kept(const char *filesystems, const char *type,
		    const char *mount)
{
	char nodev[80] = "";

	if (is_remote(type) || strcmp(type, "zfs") == 0 ||
	    strcmp(type, "virtiofs") == 0)
		return true;
	if (strcmp(type, "overlay") == 0)
		return strcmp(mount, "/") == 0;
	if (strcmp(type, "squashfs") == 0 || strncmp(type, "fuse", 4) == 0)
		return strcmp(type, "fuseblk") == 0;
	snprintf(nodev, sizeof(nodev), "nodev\t%.60s\n", type);
	return !strstr(filesystems, nodev);
}

/* mountinfo writes blanks and backslashes as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' &&
		    text[2] && text[3]) {
			*to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 +
				       (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* A network file system whose server is gone would hang statvfs(). */
static int disk_fact(struct pd_ctx *ctx, const char *mount, const char *device,
		     const char *type, bool readonly)
{
	struct statvfs fs = { 0 };
	bool known = !is_remote(type) && statvfs(mount, &fs) == 0;
	int64_t block = (int64_t)fs.f_frsize;
	struct pd_fact_field row[7] = {
		PD_TEXT("mount", mount), PD_TEXT("device", device),
		PD_TEXT("filesystem", type), PD_FLAG("readonly", readonly),
		PD_NUMBER("bytes", (int64_t)fs.f_blocks * block),
		PD_NUMBER("free_bytes", (int64_t)fs.f_bavail * block),
		PD_NUMBER("free_inodes", (int64_t)fs.f_favail)
	};

	return pd_fact(ctx, "disks", row, known ? 7 : 4);
}

static int mount_line(struct pd_ctx *ctx, const char *filesystems, char *line,
		      const char **seen)
{
	char *part[6] = { NULL };
	char *rest = NULL;
	char *tail = strstr(line, " - ");
	const char *type, *device, *tag;
	struct stat st;

	if (!tail)
		return 0;
	*tail = '\0';
	part[0] = strtok_r(line, " ", &rest);
	for (size_t i = 1; i < 6 && part[i - 1]; i++)
		part[i] = strtok_r(NULL, " ", &rest);
	type = strtok_r(tail + 3, " ", &rest);
	device = strtok_r(NULL, " ", &rest);
	if (!part[5] || !type || !device)
		return 0;
	unescape(part[4]);
	if (!is_kept(filesystems, type, part[4]))
		return 0;
	/* the same device again is a bind mount, but for a subvolume */
	tag = pd_format(ctx, " %s ", part[2]);
	if ((strcmp(type, "btrfs") != 0 && strstr(*seen, tag)) ||
	    (!is_remote(type) &&
	     (stat(part[4], &st) < 0 || !S_ISDIR(st.st_mode))))
		return 0;
	*seen = pd_format(ctx, "%s%s", *seen, tag);
	return disk_fact(ctx, part[4], device, type,
			 strncmp(part[5], "ro", 2) == 0);
}

int scan_disks(struct pd_ctx *ctx)
{
	const char *filesystems = pd_read_file(ctx, "/proc/filesystems", 65536,
					       NULL);
	FILE *in = fopen("/proc/self/mountinfo", "re");
	const char *seen = "";
	char *line = NULL;
	size_t room = 0;
	int r = 0;

	if (!in)
		return pd_fail(ctx, PD_FAILED, "cannot list the mounted file "
			       "systems: %s", strerror(errno));
	while (r == 0 && getline(&line, &room, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		r = mount_line(ctx, filesystems ? filesystems : "", line, &seen);
	}
	free(line);
	fclose(in);
	return r;
}
