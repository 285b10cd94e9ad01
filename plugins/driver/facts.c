/* SPDX-License-Identifier: MIT */
/* facts - the devices whose firmware fwupd knows, and the ids that it has for
 * the machine. */
#include "fwupd.h"

#include <string.h>

#define FACT(ctx, kind, ...)                                            \
	pd_fact(ctx, kind, (const struct pd_fact_field[]){ __VA_ARGS__ }, \
		sizeof((const struct pd_fact_field[]){ __VA_ARGS__ }) / \
			sizeof(struct pd_fact_field))

/* A device has a row for each of its ids; one without a version has none. */
static int device(struct pd_ctx *ctx, const struct fw_device *d)
{
	int r = 0;

	for (size_t i = 0; i < d->n_guids && *d->version && r == 0; i++)
		r = FACT(ctx, "firmware", PD_TEXT("id", d->guids[i]),
			 PD_TEXT("version", d->version),
			 PD_TEXT("version_format", fw_format(d->format)),
			 PD_TEXT("name", *d->name ? d->name : NULL),
			 PD_TEXT("vendor_id", *d->vendor ? d->vendor : NULL),
			 PD_TEXT("branch", d->branch),
			 PD_FLAG("updatable", (d->flags & FW_UPDATABLE) != 0));
	return r;
}

static int machine(struct pd_ctx *ctx, sd_bus *bus)
{
	sd_bus_message *m = NULL;
	const char *key = NULL, *id = NULL;
	int r = sd_bus_get_property(bus, "org.freedesktop.fwupd", "/",
				    "org.freedesktop.fwupd", "Hwids", NULL, &m,
				    "a(ss)");
	int done = 0;

	/* older ones have none */
	r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "(ss)");
	while (done == 0 && r >= 0 &&
	       (r = sd_bus_message_read(m, "(ss)", &key, &id)) > 0)
		done = FACT(ctx, "x-fwupd-hardware", PD_TEXT("name", key),
			    PD_TEXT("id", id));
	sd_bus_message_unref(m);
	return done;
}

int fw_scan(struct pd_ctx *ctx)
{
	struct fw_devices list = { 0 };
	sd_bus *bus = fw_bus();
	const char *why = NULL;
	int r = 0;

	if (!fw_is_there(bus)) {
		sd_bus_flush_close_unref(bus);
		return pd_fail(ctx, PD_REFUSED, "fwupd is not on this server");
	}
	r = fw_list(ctx, bus, "GetDevices", &list, &why);
	if (r == PD_REFUSED)
		pd_fail(ctx, r, "%s", why);
	for (size_t i = 0; i < list.n && r == 0; i++)
		r = device(ctx, &list.v[i]);
	r = r ? r : machine(ctx, bus);
	sd_bus_flush_close_unref(bus);
	return r;
}
