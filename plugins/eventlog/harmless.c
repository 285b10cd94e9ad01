/* SPDX-License-Identifier: MIT */
/* Messages of error level that a healthy server writes when it boots or shuts
 * down; the list is part of the manual. */
#include "eventlog.h"

const char *const harmless_messages[] = {
	/* samba writes its banner and its good-bye at level 0, in two lines each */
	"^(smbd|nmbd|winbindd|samba|samba-bgqd|samba-dcerpcd): *(\\[[0-9/]+ [0-9:.]+, +0\\] |"
	"smbd version .* started|nmbd version .* started|winbindd version .* started|"
	"samba version .* started|Copyright Andrew Tridgell|"
	".*Got SIGTERM: going down|.*(samba name server|local master browser).*|\\*+$)",
	/* a domain controller whose parts are told to end, and end; and what it is made of */
	"^samba: *(.*(smbd|winbindd) daemon died with exit status 15$|"
	"(task_server_terminate: )+\\[(smbd|winbindd) child process exited\\]$|"
	"prefork_child_pipe_handler: Parent [0-9]+, Child [0-9]+ (exited with status 0|terminated with signal 15)$|"
	"daemon_status: daemon 'samba' : |binary_smbd_main: samba: using '[a-z]+' process model$)",
	/* firmware and hardware quirks, the same before and after an update */
	"^kernel: *(ACPI (BIOS )?(Error|Warning)|.*\\[Firmware Bug\\]|i8042: |"
	"x86/cpu: SGX disabled|"
	"RETBleed|Spectre V|MDS CPU bug|MMIO Stale Data|TAA CPU bug|SRBDS|piix4_smbus|"
	".*blk_update_request: I/O error, dev fd0|.*I/O error, dev fd0)",
	/* what ends because the run itself has asked for a reboot */
	"^(systemd|dbus-daemon|systemd-logind|user@[0-9]+\\.service): *(Failed to propagate|"
	".*(shutting down|Shutdown is already active))",
	/* patchday was killed and went on: the run's own journal tells of that */
	"^patchday-resume\\.service: ",
	"^sshd: *(error: )?(kex_exchange_identification|Connection (closed|reset) by|"
	".*Connection reset by peer)",
	/* printing: without colord or avahi a queue works as well */
	"^(cupsd|cups-browsed): .*(colord|ColorManager|avahi|Avahi)",
	NULL
};
