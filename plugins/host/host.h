/* SPDX-License-Identifier: MIT */
/* What the files of the host plugin share: private. */
#ifndef HOST_H
#define HOST_H

#include <patchday/plugin.h>
#include <systemd/sd-bus.h>

/** The system bus; NULL with errno, without a message, when there is none. */
sd_bus *host_bus(void);
/** First line of a small file without its newline; NULL when there is none. */
const char *first_line(struct pd_ctx *ctx, const char *path);

#define FACT(ctx, kind, ...)                                            \
	pd_fact(ctx, kind, (const struct pd_fact_field[]){ __VA_ARGS__ }, \
		sizeof((const struct pd_fact_field[]){ __VA_ARGS__ }) / \
			sizeof(struct pd_fact_field))

/* machine.c */
int scan_machine(struct pd_ctx *ctx);
int scan_disks(struct pd_ctx *ctx);

/* attached.c */
int scan_sessions(struct pd_ctx *ctx);
int scan_devices(struct pd_ctx *ctx);

/* net.c */
int scan_network(struct pd_ctx *ctx);

/* reboot.c */
extern const struct pd_step host_reboot;

#endif
