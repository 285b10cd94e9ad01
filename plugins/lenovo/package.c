/* SPDX-License-Identifier: MIT */
/* A package descriptor of System Update. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lenovo.h"

/* Of several languages the default one, else the first. */
static const struct node *localized(struct tree *t, const struct node *n, const char *child)
{
	const char *usual = tree_attr(t, n, "default");

	TREE_EACH(c, n, child) {
		const char *id = tree_attr(t, c, "id");

		if (usual && id && strcasecmp(usual, id) == 0)
			return c;
	}
	return tree_child(n, child);
}

static const char *local_text(struct tree *t, const struct node *n, const char *child)
{
	const struct node *found = localized(t, n, child);

	return found && *found->text ? found->text : NULL;
}

static int type_of(struct tree *t, const struct node *package, const char *name)
{
	const char *type = tree_attr(t, tree_child(package, name), "type");

	return type && strlen(type) == 1 ? *type - '0' : -1;
}

static const char *one_of(const char *const *words, int n, int i)
{
	return i >= 0 && i < n ? words[i] : NULL;
}

/* ---------------------------------------------------------------- the head */

static int head(struct tree *t, const struct node *p, const char *id)
{
	static const char *const severities[] = { "", "critical", "recommended", "optional" };
	static const uint16_t severity[] = { PD_SEVERITY_UNKNOWN, PD_SEVERITY_CRITICAL,
					     PD_SEVERITY_MODERATE, PD_SEVERITY_LOW };
	static const uint16_t kinds[] = { PD_CLASS_OTHER, PD_CLASS_OTHER, PD_CLASS_DRIVER,
					  PD_CLASS_FIRMWARE, PD_CLASS_FIRMWARE };
	const char *disk = tree_text(p, "DiskSpaceNeeded");
	int rank = type_of(t, p, "Severity"), type = type_of(t, p, "PackageType");
	int reboot = type_of(t, p, "Reboot");
	struct pd_update_head h = { .size = sizeof(h), .line = p->line, .id = id,
		.revision = tree_attr(t, p, "version"),
		.title = local_text(t, tree_child(p, "Title"), "Desc"),
		.description = local_text(t, tree_child(p, "Summary"), "Desc"),
		.vendor = tree_text(p, "Vendor"), .severity_text = one_of(severities, 4, rank),
		.severity = rank > 0 && rank < 4 ? severity[rank] : PD_SEVERITY_UNKNOWN,
		.kind = type > 0 && type < 5 ? kinds[type] : PD_CLASS_OTHER,
		.restart = reboot == 0 ? PD_RESTART_NONE : reboot > 0 ? PD_RESTART_REBOOT :
			   PD_RESTART_UNKNOWN,
		.issued = tree_time(t, tree_text(p, "ReleaseDate")), .disk_bytes = -1 };

	if (disk)
		pd_parse(t->ctx, PD_T_INT, disk, &h.disk_bytes);
	return pd_update_begin(t->ctx, &h);
}

static int relation(struct tree *t, unsigned kind, const char *target, const char *title)
{
	return !target ? 0 : pd_update_relation(t->ctx, &(struct pd_relation){
		.size = sizeof(struct pd_relation), .kind = kind, .target = target, .title = title });
}

static int relations(struct tree *t, const struct node *p)
{
	const struct node *readme = tree_child(tree_child(p, "Files"), "Readme");
	int result = relation(t, PD_REL_ALIAS, tree_attr(t, p, "name"), NULL);

	return result ? result : relation(t, PD_REL_REFERENCE,
					  tree_text(localized(t, readme, "File"), "Name"), "readme");
}

/* ------------------------------------------------------------------- files */

const char *lenovo_digest(struct tree *t, const char *crc)
{
	char *digest;

	static const struct { size_t len; const char *name; } known[] = {
		{ 32, "md5" }, { 40, "sha1" }, { 64, "sha256" } };

	for (size_t i = 0; crc && i < sizeof(known) / sizeof(*known); i++)
		if (strlen(crc) == known[i].len) {
			digest = tree_alloc(t, known[i].len + 8);
			snprintf(digest, known[i].len + 8, "%s:%s", known[i].name, crc);
			for (char *c = digest; *c; c++)
				*c = (char)tolower((unsigned char)*c);
			return digest;
		}
	return NULL;
}

static int payloads(struct tree *t, const struct node *p)
{
	const struct node *installer = tree_child(tree_child(p, "Files"), "Installer");
	int result = 0;

	TREE_EACH(file, installer, "File") {
		const char *size = tree_text(file, "Size");
		struct pd_payload row = { .size = sizeof(row), .url = tree_text(file, "Name"), .bytes = -1,
					  .digest = lenovo_digest(t, tree_text(file, "CRC")) };

		if (size)
			pd_parse(t->ctx, PD_T_INT, size, &row.bytes);
		if (!result)
			result = pd_update_payload(t->ctx, &row);
	}
	return result;
}

/* --------------------------------------------------------------- installation */

/* Exit statuses that are success: rc="0,259,3010"; each may be told once. */
static int exits(struct tree *t, const char *list)
{
	long seen[64];
	size_t n = 0;
	int result = 0;
	char *end;

	for (; list && *list && !result; list = *end ? end + 1 : end) {
		long status = strtol(list, &end, 10);
		size_t i = 0;

		if (end == list || n == sizeof(seen) / sizeof(*seen))
			break;
		while (i < n && seen[i] != status)
			i++;
		if (i < n)
			continue;
		seen[n++] = status;
		result = pd_update_exit(t->ctx, &(struct pd_exit_row){ .size = sizeof(struct pd_exit_row),
			.status = status, .meaning = status == 3010 || status == 1641 ?
				PD_EXIT_SUCCESS_REBOOT : PD_EXIT_SUCCESS });
	}
	return result;
}

static const char *command_of(struct tree *t, const struct node *n)
{
	const char *line = local_text(t, n, "Cmdline");

	return line ? line : local_text(t, n, "INFCmd");
}

/* The archive is unpacked first. */
static int installation(struct tree *t, const struct node *p)
{
	const struct node *install = tree_child(p, "Install");
	int result = lenovo_installer(t, PD_INSTALL, tree_text(p, "ExtractCommand"));

	result = result ? result : lenovo_installer(t, PD_INSTALL, command_of(t, install));
	result = result ? result : lenovo_installer(t, PD_UNINSTALL,
						    command_of(t, tree_child(p, "Uninstall")));
	return result ? result : exits(t, tree_attr(t, install, "rc"));
}

/* Severity that depends on the server, and what only programs of theirs see. */
static void report_rest(struct tree *t, const struct node *p)
{
	static const char *const read[] = { "Title", "DetectVersion", "Summary", "Severity", "Vendor",
		"ExtractCommand", "ReleaseDate", "DiskSpaceNeeded", "Reboot", "Brand", "PackageType",
		"Install", "Uninstall", "DetectInstall", "Dependencies", "Files", "Signature" };

	TREE_EACH(child, p, NULL) {
		size_t i = 0;

		while (i < sizeof(read) / sizeof(*read) && strcmp(child->name, read[i]) != 0)
			i++;
		if (i == sizeof(read) / sizeof(*read))
			pd_ignored(t->ctx, child->line, tree_print(t, "<%s> is not read", child->name));
	}
}

int lenovo_package(struct tree *t, const struct node *p)
{
	const char *id = tree_attr(t, p, "id");

	if (!id) {
		pd_ignored(t->ctx, p->line, "a <Package> has no id");
		return 0;
	}
	report_rest(t, p);
	return head(t, p, id) || relations(t, p) || payloads(t, p) || installation(t, p) ||
	       lenovo_rules(t, PD_RULES_INSTALLED, tree_child(p, "DetectInstall")) ||
	       lenovo_rules(t, PD_RULES_APPLICABLE, tree_child(p, "Dependencies")) ||
	       pd_update_end(t->ctx) ? PD_FAILED : 0;
}
