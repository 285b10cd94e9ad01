# SPDX-License-Identifier: MIT
# what takes longest comes first, what waits for the root of rpm packages last
LAB_TESTS += %reldir%/drill.sh %reldir%/rehearse.sh %reldir%/file-print.sh %reldir%/kill.sh %reldir%/deb.sh \
	%reldir%/driver.sh %reldir%/domain-controller.sh %reldir%/selftest.sh %reldir%/frozen.sh %reldir%/conform.sh %reldir%/database.sh \
	%reldir%/web-proxy.sh %reldir%/mail.sh %reldir%/web.sh %reldir%/compare.sh %reldir%/guards.sh %reldir%/still.sh \
	%reldir%/promises.sh
EXTRA_DIST += %reldir%/README.md %reldir%/build.sh %reldir%/compare.sh %reldir%/conform.sh %reldir%/database.sh %reldir%/deb.sh %reldir%/demo.sh %reldir%/domain-controller.sh %reldir%/drill.sh %reldir%/driver.sh \
	%reldir%/file-print.sh %reldir%/frozen.sh %reldir%/guards.sh %reldir%/inner.sh %reldir%/keeper.sh %reldir%/kill.sh %reldir%/lab \
	%reldir%/lib.sh %reldir%/mirror.sh %reldir%/installing.sh %reldir%/packages.extra %reldir%/packages.host %reldir%/packages.root \
	%reldir%/packages.rpm %reldir%/parts.sh %reldir%/prepare.sh %reldir%/promises.sh %reldir%/recover.sh %reldir%/rehearse.sh %reldir%/rpm.sh %reldir%/rpm-build.sh %reldir%/rpm-clone.sh \
	%reldir%/rpm-package.sh %reldir%/rpm-spec.pl %reldir%/rpm-updates.sh %reldir%/selftest.sh %reldir%/server.sh %reldir%/server-clamav.sh %reldir%/server-domain.sh %reldir%/server-nut.sh %reldir%/server-postgresql.sh %reldir%/servers.sh %reldir%/web.sh %reldir%/server-vault.sh %reldir%/server-web.sh %reldir%/mail.sh %reldir%/server-mail.sh %reldir%/server-squid.sh \
	%reldir%/setup.sh %reldir%/still.sh %reldir%/web-proxy.sh
LAB_LAST = %reldir%/rpm.sh %reldir%/rpm-clone.sh %reldir%/rpm-package.sh
