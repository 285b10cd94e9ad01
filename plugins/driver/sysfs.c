/* SPDX-License-Identifier: MIT */
/* sysfs - the state of the hardware as the kernel has it. */
#include "state.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *read_line(struct pd_ctx *ctx, const char *folder,
			     const char *name)
{
	const char *text = pd_read_file(ctx, pd_format(ctx, "%s/%s", folder,
						       name), 65536, NULL);

	return text ? pd_format(ctx, "%.*s", (int)strcspn(text, "\n"), text) :
		      NULL;
}

static void add_files(struct state *s, const char *kind, const char *key,
		      const char *folder, const char *const *names)
{
	for (; *names; names++) {
		const char *slash = strrchr(*names, '/');

		state_add(s, kind, key, slash ? slash + 1 : *names,
			  read_line(s->ctx, folder, *names));
	}
}

static const char *link_name(struct pd_ctx *ctx, const char *path)
{
	char target[PATH_MAX] = "";
	const char *slash = NULL;

	if (readlink(path, target, sizeof(target) - 1) <= 0)
		return NULL;
	slash = strrchr(target, '/');
	return pd_format(ctx, "%s", slash ? slash + 1 : target);
}

/* "0000:3b:00.1" */
static bool is_pci(const char *s, size_t len)
{
	static const char form[] = "xxxx:xx:xx.x";

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (i >= len || (form[i] == 'x' ? !isxdigit((unsigned char)s[i]) :
						  form[i] != s[i]))
			return false;
	return len == sizeof(form) - 1;
}

/* The PCI device that something hangs on. */
static void add_parent(struct state *s, const char *kind, const char *key,
		       const char *path)
{
	char real[PATH_MAX] = "";
	const char *at = realpath(path, real), *found = NULL;

	while (at && *at) {
		size_t len = strcspn(at, "/");

		if (is_pci(at, len))
			found = pd_format(s->ctx, "%.*s", (int)len, at);
		at += len + (at[len] == '/');
	}
	state_add(s, kind, key, "device", found);
}

/* The driver that is bound, and the module that it comes from. */
static void add_driver(struct state *s, const char *kind, const char *key,
		       const char *device)
{
	static const char *const files[] = { "version", "srcversion", NULL };
	const char *driver = pd_format(s->ctx, "%s/driver", device);
	const char *module = link_name(s->ctx, pd_format(s->ctx, "%s/module",
							 driver));

	state_add(s, kind, key, "driver", link_name(s->ctx, driver));
	state_add(s, kind, key, "module", module);
	if (module && !driver_row_known(s->rows, "module", module)) {
		state_add(s, "module", module, "loaded", "yes");
		add_files(s, "module", module,
			  pd_format(s->ctx, "/sys/module/%s", module), files);
	}
}

static void pci(struct state *s, const char *folder, const char *name)
{
	static const char *const files[] = { "vendor", "device",
		"subsystem_vendor", "subsystem_device", "class", "revision",
		"current_link_speed", "current_link_width", NULL };

	add_files(s, "pci", name, folder, files);
	add_driver(s, "pci", name, folder);
}

static void usb(struct state *s, const char *folder, const char *name)
{
	static const char *const files[] = { "idVendor", "idProduct",
		"bcdDevice", "manufacturer", "product", "serial", NULL };

	/* a driver belongs to an interface of a device */
	if (strchr(name, ':')) {
		add_driver(s, "usb", name, folder);
		return;
	}
	add_files(s, "usb", name, folder, files);
}

static void disk(struct state *s, const char *folder, const char *name)
{
	static const char *const files[] = { "size", "device/model",
		"device/vendor", "device/rev", "device/firmware_rev",
		"device/serial", "device/wwid", "queue/rotational", NULL };
	const char *parts[] = { "partition", "device", NULL };

	/* a partition, or nothing that can be touched */
	if (access(pd_format(s->ctx, "%s/%s", folder, parts[0]), F_OK) == 0 ||
	    access(pd_format(s->ctx, "%s/%s", folder, parts[1]), F_OK) < 0)
		return;
	add_files(s, "disk", name, folder, files);
	add_parent(s, "disk", name, pd_format(s->ctx, "%s/device", folder));
	state_disk(s, name);
}

static void card(struct state *s, const char *folder, const char *name)
{
	static const char *const files[] = { "address", "operstate", "speed",
					     "duplex", "mtu", NULL };
	const char *device = pd_format(s->ctx, "%s/device", folder);

	/* bridges and such are no hardware */
	if (access(device, F_OK) < 0)
		return;
	add_files(s, "nic", name, folder, files);
	add_parent(s, "nic", name, device);
	state_card(s, name);
}

static void each(struct state *s, const char *folder,
		 void (*look)(struct state *, const char *, const char *))
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			look(s, pd_format(s->ctx, "%s/%s", folder,
					  names[i]->d_name), names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void machine(struct state *s)
{
	static const char *const files[] = { "sys_vendor", "product_name",
		"product_serial", "board_vendor", "board_name",
		"board_version", "bios_vendor", "bios_version", "bios_date",
		"bios_release", "ec_firmware_release", NULL };
	const char *cpu = pd_read_file(s->ctx, "/proc/cpuinfo",
				       (size_t)16 << 20, NULL);
	const char *at = cpu ? strstr(cpu, "\nmicrocode") : NULL;

	add_files(s, "dmi", "id", "/sys/class/dmi/id", files);
	at = at ? strchr(at + 1, ':') : NULL;
	if (at)
		state_add(s, "cpu", "microcode", "version",
			  pd_format(s->ctx, "%.*s", (int)strcspn(at, "\n") - 1,
				    at + 1));
}

int state_sysfs(struct state *s)
{
	machine(s);
	each(s, "/sys/bus/pci/devices", pci);
	each(s, "/sys/bus/usb/devices", usb);
	each(s, "/sys/class/block", disk);
	each(s, "/sys/class/net", card);
	return 0;
}
