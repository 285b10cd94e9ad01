LAB_TESTS += %reldir%/selftest.sh %reldir%/file-print.sh %reldir%/kill.sh %reldir%/rehearse.sh %reldir%/compare.sh \
	%reldir%/guards.sh %reldir%/still.sh %reldir%/drill.sh %reldir%/frozen.sh %reldir%/rpm.sh %reldir%/rpm-clone.sh \
	%reldir%/conform.sh %reldir%/promises.sh %reldir%/database.sh %reldir%/web-proxy.sh %reldir%/mail.sh %reldir%/web.sh %reldir%/domain-controller.sh %reldir%/deb.sh %reldir%/rpm-package.sh
EXTRA_DIST += %reldir%/README.md %reldir%/build.sh %reldir%/compare.sh %reldir%/conform.sh %reldir%/database.sh %reldir%/deb.sh %reldir%/demo.sh %reldir%/domain-controller.sh %reldir%/drill.sh \
	%reldir%/file-print.sh %reldir%/frozen.sh %reldir%/guards.sh %reldir%/inner.sh %reldir%/keeper.sh %reldir%/kill.sh %reldir%/lab \
	%reldir%/lib.sh %reldir%/mirror.sh %reldir%/installing.sh %reldir%/packages.extra %reldir%/packages.host %reldir%/packages.root \
	%reldir%/packages.rpm %reldir%/parts.sh %reldir%/prepare.sh %reldir%/promises.sh %reldir%/rehearse.sh %reldir%/rpm.sh %reldir%/rpm-build.sh %reldir%/rpm-clone.sh \
	%reldir%/rpm-package.sh %reldir%/rpm-spec.pl %reldir%/rpm-updates.sh %reldir%/selftest.sh %reldir%/server.sh %reldir%/server-clamav.sh %reldir%/server-domain.sh %reldir%/server-nut.sh %reldir%/server-postgresql.sh %reldir%/servers.sh %reldir%/web.sh %reldir%/server-web.sh %reldir%/mail.sh %reldir%/server-mail.sh %reldir%/server-squid.sh \
	%reldir%/setup.sh %reldir%/still.sh %reldir%/web-proxy.sh
