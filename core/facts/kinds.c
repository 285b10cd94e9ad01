/* SPDX-License-Identifier: MIT */
/* The kinds of facts and their fields; doc/facts.md says the same. */
#include "base/text.h"
#include "facts/facts.h"

#define TEXT(key, help) { key, PD_F_TEXT, help, 0 }
#define NUMBER(key, help) { key, PD_F_NUMBER, help, 0 }
#define FLAG(key, help) { key, PD_F_FLAG, help, 0 }
#define ID(key, help) { key, PD_F_TEXT, help, PD_FACT_ID }
#define LIVE(key, help) { key, PD_F_TEXT, help, PD_FACT_LIVE }
#define COLUMNS(...) \
	(const struct pd_fact_column[]){ __VA_ARGS__, { NULL, PD_F_TEXT, NULL, 0 } }

static const struct pd_fact_kind kinds[] = {
	{ "addresses", true, "address", "network addresses", COLUMNS(
		TEXT("interface", "network interface that has it"),
		TEXT("address", "the address without its prefix"),
		NUMBER("prefix", "length of the prefix in bits"),
		TEXT("family", "inet or inet6")) },
	{ "boot", false, NULL, "the running boot", COLUMNS(
		TEXT("id", "boot id of the kernel, new with each boot"),
		TEXT("loader", "grub or systemd-boot; empty: none that is known"),
		TEXT("no_fallback", "why one kernel can't be booted just once"),
		NUMBER("started", "seconds since 1970 UTC")) },
	{ "devices", true, "address", "hardware on the buses", COLUMNS(
		TEXT("bus", "pci or usb"), TEXT("address", "place on the bus"),
		TEXT("vendor", "vendor id, hexadecimal"),
		TEXT("product", "product id, hexadecimal"),
		TEXT("class", "class code, hexadecimal"),
		TEXT("driver", "kernel driver bound to it"),
		TEXT("modalias", "the kernel's name for matching drivers")) },
	{ "disks", true, "mount", "mounted file systems", COLUMNS(
		TEXT("mount", "mount point"), TEXT("device", "what is mounted"),
		TEXT("filesystem", "type of the file system"),
		NUMBER("bytes", "size"), NUMBER("free_bytes", "free for root"),
		NUMBER("free_inodes", "files that can still be made"),
		FLAG("readonly", "mounted read-only")) },
	{ "errors", true, "message", "error messages of this boot", COLUMNS(
		ID("unit", "unit or program that speaks, numbers as #"),
		{ "message", PD_F_TEXT, "numbers, addresses and ids as #",
		  PD_FACT_ID | PD_FACT_LOG },
		{ "count", PD_F_NUMBER, "how often", PD_FACT_LIVE }) },
	{ "firmware", true, "id", "firmware of the machine and its devices", COLUMNS(
		TEXT("id", "GUID of the device"), TEXT("name", "of the device, for people"),
		TEXT("version", "as fwupd shows it, or as one number"),
		TEXT("version_format", "of fwupd: triplet, quad, hex ..."),
		TEXT("vendor_id", "USB:0x046D, of several with | between them"),
		TEXT("branch", "of the firmware, such as coreboot; empty: the vendor's own"),
		FLAG("updatable", "fwupd can update it now")) },
	{ "hardware", false, NULL, "the machine, from DMI", COLUMNS(
		TEXT("vendor", "maker"), TEXT("product", "model"),
		TEXT("serial", "serial number"), TEXT("board", "main board"),
		TEXT("bios_vendor", "maker of the firmware"),
		TEXT("bios_version", "version of the firmware"),
		TEXT("chassis", "type of the chassis"),
		TEXT("virtualization", "none, kvm, vmware, container ...")) },
	{ "interfaces", true, "name", "network interfaces", COLUMNS(
		TEXT("name", "of the kernel"), TEXT("mac", "hardware address"),
		TEXT("state", "up, down ..."),
		NUMBER("mtu", "largest packet in bytes")) },
	{ "jobs", true, "name", "scheduled jobs", COLUMNS(
		TEXT("kind", "cron, anacron, timer or at"),
		ID("name", "file that holds it, or the timer"),
		ID("command", "what it runs"), TEXT("schedule", "when, as written"),
		TEXT("user", "whose job it is"), FLAG("enabled", "it will run"),
		LIVE("package", "that brought it")) },
	{ "kernel", false, NULL, "the running kernel", COLUMNS(
		TEXT("release", "as uname -r"), TEXT("version", "as uname -v"),
		TEXT("machine", "as uname -m")) },
	{ "listeners", true, "address", "sockets that listen", COLUMNS(
		ID("protocol", "tcp, tcp6, udp or udp6"),
		ID("address", "0.0.0.0 and :: are all"),
		{ "port", PD_F_NUMBER, "number of the port", PD_FACT_ID },
		TEXT("program", "that holds it first"),
		TEXT("unit", "of that program")) },
	{ "os", false, NULL, "the operating system", COLUMNS(
		TEXT("id", "debian, rhel ... of os-release"),
		TEXT("version_id", "12, 9.4 ... of os-release"),
		TEXT("name", "for people"), TEXT("codename", "bookworm ..."),
		TEXT("arch", "of the packages: amd64, x86_64 ..."),
		TEXT("family", "debian, rpm or other"),
		TEXT("hostname", "first part of the name"),
		TEXT("fqdn", "full name"), TEXT("timezone", "Europe/Berlin ...")) },
	{ "packages", true, "name", "installed packages", COLUMNS(
		ID("name", "without its architecture"),
		TEXT("version", "full: [epoch:]version[-release]"),
		ID("arch", "architecture; all or noarch for any"),
		TEXT("scheme", "how versions compare: deb, rpm ..."),
		TEXT("status", "installed, or what dpkg says instead"),
		LIVE("source", "source package"),
		LIVE("source_version", "version of the source package"),
		LIVE("signature", "id of the key that signed it, lower case"),
		FLAG("held", "the administrator keeps it at this version")) },
	{ "printers", true, "name", "printer queues", COLUMNS(
		ID("name", "of the queue"), TEXT("uri", "of the device"),
		TEXT("model", "make and model"),
		TEXT("state", "idle, processing or stopped"),
		FLAG("default", "the server's default queue"),
		FLAG("shared", "offered to others"),
		FLAG("accepting", "takes jobs"),
		TEXT("location", "for people"), TEXT("info", "for people")) },
	{ "resolvers", true, "address", "name servers", COLUMNS(
		TEXT("address", "of the name server")) },
	{ "routes", true, "destination", "routes", COLUMNS(
		TEXT("destination", "network/prefix or default"),
		TEXT("gateway", "next hop"), TEXT("interface", "it leaves by")) },
	{ "services", true, "name", "services of the service manager", COLUMNS(
		ID("name", "of the unit"), TEXT("state", "active, failed ..."),
		LIVE("sub_state", "running, exited ..."),
		TEXT("enabled", "enabled, disabled, static, masked ..."),
		LIVE("description", "for people"),
		LIVE("package", "that brought it")) },
	{ "sessions", true, "user", "users logged in", COLUMNS(
		TEXT("user", "login name"), TEXT("terminal", "tty, pts/0 ..."),
		TEXT("from", "remote host"),
		NUMBER("since", "seconds since 1970 UTC")) },
	{ "shares", true, "name", "shared folders", COLUMNS(
		ID("name", "of the share"), TEXT("kind", "smb"),
		TEXT("path", "folder"), TEXT("comment", "for people"),
		FLAG("guest", "open without an account"),
		FLAG("writable", "users may write")) },
};

const struct pd_fact_kind *pd_fact_kinds(size_t *count)
{
	*count = sizeof(kinds) / sizeof(*kinds);
	return kinds;
}

const struct pd_fact_kind *pd_fact_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

bool pd_fact_known(const char *name, const char *field, struct pd_error **err)
{
	const struct pd_fact_kind *kind = pd_fact_kind(name);
	const char *words[sizeof(kinds) / sizeof(*kinds)], *near;
	pd_auto(pd_buffer) text = {0};
	size_t n = 0;

	if (strncmp(name, "x-", 2) == 0 || (kind && !*field))
		return true;
	for (; !kind && n < sizeof(kinds) / sizeof(*kinds); n++)
		words[n] = kinds[n].name;
	for (; kind && kind->columns[n].key; n++) {
		words[n] = kind->columns[n].key;
		if (strcmp(words[n], field) == 0)
			return true;
	}
	for (size_t i = 0; i < n; i++)
		pd_buffer_print(&text, "%s%s", !i ? "" : i + 1 == n ? " or " : ", ", words[i]);
	near = pd_nearest(kind ? field : name, words, n);
	if (near)
		pd_buffer_print(&text, "; is \"%s\" meant?", near);
	return kind ? pd_error_set(err, "facts-field", "facts of kind %s have no field %s; expected %s",
				   name, field, text.data) :
		      pd_error_set(err, "facts-kind", "there are no facts of kind %s; expected %s",
				   name, text.data);
}
