/* SPDX-License-Identifier: MIT */
/* Facts of what is attached: people logged in, PCI and USB devices. */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#define LOGIND "org.freedesktop.login1"
#define SESSION "org.freedesktop.login1.Session"

/* ------------------------------------------------------------ sessions */

static const char *session_text(struct pd_ctx *ctx, sd_bus *bus,
				const char *path, const char *property)
{
	char *value = NULL;
	const char *text = NULL;

	if (sd_bus_get_property_string(bus, LOGIND, path, SESSION, property,
				       NULL, &value) >= 0 && *value)
		text = pd_format(ctx, "%s", value);
	free(value);
	return text;
}

static int session_fact(struct pd_ctx *ctx, sd_bus *bus, const char *path,
			const char *user)
{
	const char *class = session_text(ctx, bus, path, "Class");
	uint64_t usec = 0;

	/* jobs of cron and login screens are nobody's sessions */
	if (!class || strcmp(class, "user") != 0)
		return 0;
	sd_bus_get_property_trivial(bus, LOGIND, path, SESSION, "Timestamp",
				    NULL, 't', &usec);
	return FACT(ctx, "sessions", PD_TEXT("user", user),
		    PD_TEXT("terminal", session_text(ctx, bus, path, "TTY")),
		    PD_TEXT("from", session_text(ctx, bus, path, "RemoteHost")),
		    PD_NUMBER("since", (int64_t)(usec / 1000000)));
}

/* What logind knows.  @return below zero: logind is not there. */
static int logind_sessions(struct pd_ctx *ctx, sd_bus *bus, int *result)
{
	sd_bus_message *reply = NULL;
	const char *user, *path;
	int r = sd_bus_call_method(bus, LOGIND, "/org/freedesktop/login1",
				   LOGIND ".Manager", "ListSessions", NULL,
				   &reply, "");

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(susso)");
	while (r >= 0 && *result == 0 &&
	       (r = sd_bus_message_read(reply, "(susso)", NULL, NULL, &user,
					NULL, &path)) > 0)
		*result = session_fact(ctx, bus, path, user);
	sd_bus_message_unref(reply);
	return r;
}

/* Where there is no logind: the record that login programs keep. */
static int utmp_sessions(struct pd_ctx *ctx)
{
	const struct utmpx *row;
	int r = 0;

	setutxent();
	while (r == 0 && (row = getutxent())) {
		/* entries of sessions that crashed stay behind */
		if (row->ut_type != USER_PROCESS ||
		    (kill(row->ut_pid, 0) < 0 && errno == ESRCH))
			continue;
		r = FACT(ctx, "sessions",
			 PD_TEXT("user", pd_format(ctx, "%.*s",
					 (int)sizeof(row->ut_user),
					 row->ut_user)),
			 PD_TEXT("terminal", pd_format(ctx, "%.*s",
					     (int)sizeof(row->ut_line),
					     row->ut_line)),
			 PD_TEXT("from", *row->ut_host ?
				 pd_format(ctx, "%.*s", (int)sizeof(row->ut_host),
					   row->ut_host) : NULL),
			 PD_NUMBER("since", row->ut_tv.tv_sec));
	}
	endutxent();
	return r;
}

int scan_sessions(struct pd_ctx *ctx)
{
	sd_bus *bus = host_bus();
	int result = 0;
	int r = bus ? logind_sessions(ctx, bus, &result) : -ENOENT;

	sd_bus_flush_close_unref(bus);
	return r < 0 ? utmp_sessions(ctx) : result;
}

/* ------------------------------------------------------------- devices */

/* Numbers as their names in modalias and in hardware lists: without 0x. */
static const char *attribute(struct pd_ctx *ctx, const char *folder,
			     const char *name)
{
	const char *text = first_line(ctx, pd_format(ctx, "%s/%s", folder, name));

	return text && strncmp(text, "0x", 2) == 0 ? text + 2 : text;
}

static const char *driver_of(struct pd_ctx *ctx, const char *folder)
{
	char target[512] = "";
	const char *name;

	if (readlink(pd_format(ctx, "%s/driver", folder), target,
		     sizeof(target) - 1) < 0)
		return NULL;
	name = strrchr(target, '/');
	return pd_format(ctx, "%s", name ? name + 1 : target);
}

static int pci_fact(struct pd_ctx *ctx, const char *folder, const char *address)
{
	return FACT(ctx, "devices", PD_TEXT("bus", "pci"),
		    PD_TEXT("address", address),
		    PD_TEXT("vendor", attribute(ctx, folder, "vendor")),
		    PD_TEXT("product", attribute(ctx, folder, "device")),
		    PD_TEXT("class", attribute(ctx, folder, "class")),
		    PD_TEXT("driver", driver_of(ctx, folder)),
		    PD_TEXT("modalias", attribute(ctx, folder, "modalias")));
}

/* Drivers of USB belong to the interfaces; the first one speaks for all. */
static int usb_fact(struct pd_ctx *ctx, const char *folder, const char *address)
{
	const char *first = pd_format(ctx, "%s/%s:1.0", folder, address);

	if (strchr(address, ':'))
		return 0;
	return FACT(ctx, "devices", PD_TEXT("bus", "usb"),
		    PD_TEXT("address", address),
		    PD_TEXT("vendor", attribute(ctx, folder, "idVendor")),
		    PD_TEXT("product", attribute(ctx, folder, "idProduct")),
		    PD_TEXT("class", attribute(ctx, folder, "bDeviceClass")),
		    PD_TEXT("driver", driver_of(ctx, first)),
		    PD_TEXT("modalias", attribute(ctx, first, "modalias")));
}

static int scan_bus(struct pd_ctx *ctx, const char *path,
		    int (*fact)(struct pd_ctx *, const char *, const char *))
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	int r = 0;

	for (int i = 0; i < n; i++) {
		if (r == 0 && *names[i]->d_name != '.')
			r = fact(ctx, pd_format(ctx, "%s/%s", path,
						names[i]->d_name),
				 names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return r;
}

int scan_devices(struct pd_ctx *ctx)
{
	int r = scan_bus(ctx, "/sys/bus/pci/devices", pci_fact);

	return r < 0 ? r : scan_bus(ctx, "/sys/bus/usb/devices", usb_fact);
}
