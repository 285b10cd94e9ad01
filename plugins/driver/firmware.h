/* SPDX-License-Identifier: MIT */
/* Private: driver.firmware. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include "driver.h"
#include "fwupd.h"

/* It takes effect only later: at a boot, or as fwupd's own script does it when
 * the server goes down. */
#define FW_LATER (FW_NEEDS_REBOOT | FW_NEEDS_SHUTDOWN | FW_NEEDS_ACTIVATION)

struct firmware_args {
	const char *file;
	const char *digest;
	const char *source;
	const char *version;
	struct pd_list devices;
	int32_t when_missing;
	bool reboot_due;
};

/** A device of this server that the archive is for. */
struct fw_target {
	const struct fw_device *device;
	const char *release; /**< version that it is going to have */
	bool done;           /**< it has that, or a newer one */
	bool unknown;        /**< which one is newer can't be told */
	bool waits;          /**< it gets it at the next boot */
};

struct fw_plan {
	struct pd_ctx *ctx;
	sd_bus *bus;
	struct fw_devices now, history, archive;
	struct fw_target *v;
	size_t n, cap;
};

/** What there is; it has to be closed whatever it returns. */
int fw_plan_open(struct pd_ctx *ctx, struct fw_plan *p);
void fw_plan_close(struct fw_plan *p);
/** The archive in the package source that has the version of now; NULL. */
const char *fw_way_back(struct fw_plan *p, const struct fw_device *device);

/* flash.c: acting */
int fw_do(struct pd_ctx *ctx, struct fw_plan *p);
int fw_undo(struct pd_ctx *ctx, struct fw_plan *p);

#endif /* FIRMWARE_H */
