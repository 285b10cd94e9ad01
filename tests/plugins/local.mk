# SPDX-License-Identifier: MIT
# what takes longest comes first
PLUGIN_TESTS = %reldir%/recovery.sh %reldir%/recovery-stick.sh %reldir%/update.sh %reldir%/kernel-efi.sh %reldir%/snapshot-lvm.sh %reldir%/kernel-boot.sh \
	%reldir%/antivirus.sh %reldir%/apt.sh %reldir%/backup.sh %reldir%/command.sh %reldir%/copy.sh %reldir%/database.sh %reldir%/driver.sh %reldir%/firewall.sh \
	%reldir%/eventlog.sh %reldir%/host.sh %reldir%/needrestart.sh %reldir%/network.sh %reldir%/notify-lab.sh %reldir%/printers.sh \
	%reldir%/probe.sh %reldir%/proxy.sh %reldir%/quota.sh %reldir%/rpm.sh %reldir%/schedule.sh %reldir%/service.sh %reldir%/shares.sh %reldir%/ups.sh
LAB_TESTS += $(PLUGIN_TESTS)
EXTRA_DIST += $(PLUGIN_TESTS) %reldir%/common.sh %reldir%/kernel-root.sh %reldir%/machine.sh %reldir%/recovery-server.sh
# sourced by tests/lab/domain-controller.sh
EXTRA_DIST += %reldir%/directory.sh
# needs no lab
TESTS += %reldir%/command-schema.sh %reldir%/copy-folder.sh %reldir%/copy-medium.sh %reldir%/driver-firmware.sh %reldir%/copy-ssh.sh %reldir%/guard.sh %reldir%/held.sh %reldir%/normalbackup.sh %reldir%/notify.sh %reldir%/recovery-medium.sh %reldir%/unpack.sh %reldir%/kernel.sh %reldir%/snapshot.sh
EXTRA_DIST += %reldir%/command-schema.sh %reldir%/command-schema.py %reldir%/copy-folder.sh %reldir%/copy-medium.sh %reldir%/driver-firmware.sh %reldir%/fwupd.sh %reldir%/copy-ssh.sh %reldir%/guard.sh %reldir%/held.sh %reldir%/normalbackup.sh %reldir%/notify.sh %reldir%/recovery-medium.sh %reldir%/unpack.sh %reldir%/kernel.sh %reldir%/snapshot.sh
TESTS += %reldir%/sdp.sh %reldir%/sdp-shared.sh %reldir%/mssecure.sh %reldir%/mssecure-shared.sh %reldir%/cvrf.sh %reldir%/cvrf-shared.sh
EXTRA_DIST += %reldir%/sdp.sh %reldir%/sdp-shared.sh tests/data/sdp tests/data/unpack
EXTRA_DIST += %reldir%/mssecure.sh %reldir%/mssecure-shared.sh tests/data/mssecure
EXTRA_DIST += %reldir%/cvrf.sh %reldir%/cvrf-shared.sh tests/data/cvrf
EXTRA_DIST += %reldir%/reader.sh %reldir%/reader.jq
TESTS += %reldir%/wsus.sh %reldir%/wsus-shared.sh %reldir%/dell.sh %reldir%/dell-shared.sh %reldir%/lvfs.sh %reldir%/lvfs-shared.sh \
	%reldir%/lenovo.sh %reldir%/lenovo-shared.sh
EXTRA_DIST += %reldir%/wsus.sh %reldir%/wsus-shared.sh %reldir%/dell.sh %reldir%/dell-shared.sh %reldir%/lvfs.sh %reldir%/lvfs-shared.sh \
	%reldir%/lenovo.sh %reldir%/lenovo-shared.sh tests/data/wsus tests/data/dell tests/data/lvfs tests/data/lenovo
TESTS += %reldir%/updateinfo.sh %reldir%/notify-desktop.sh
EXTRA_DIST += %reldir%/notify-desktop.sh %reldir%/updateinfo.sh tests/data/catalogs/updateinfo
