# SPDX-License-Identifier: MIT
dist_man_MANS += %reldir%/patchday.1 %reldir%/patchday-plugins.7
schemadir = $(datadir)/patchday/schema
dist_schema_DATA = %reldir%/schema/command.json %reldir%/schema/event.json
EXTRA_DIST += %reldir%/catalog-format.md %reldir%/certificate.md %reldir%/command-line.md %reldir%/comparison.md %reldir%/command-protocol.md %reldir%/facts.md %reldir%/formats.md %reldir%/installing.md \
	%reldir%/libraries.md %reldir%/conformance.md %reldir%/packages.md %reldir%/reference.md %reldir%/rehearse.md %reldir%/risk.md %reldir%/role-database.md %reldir%/role-domain-controller.md %reldir%/role-file-print.md %reldir%/role-generic.md %reldir%/role-mail.md %reldir%/role-web.md %reldir%/role-web-proxy.md %reldir%/runbook.md %reldir%/sources.md %reldir%/testing-workflows.md %reldir%/transfer.md %reldir%/tutorial.md %reldir%/version-schemes.md %reldir%/why-lua-plans.md %reldir%/workflow-language.md \
	%reldir%/writing-a-plugin.md
# Made by hand: make.sh
EXTRA_DIST += %reldir%/pictures/make.sh %reldir%/pictures/svg.py %reldir%/pictures/plan.svg %reldir%/pictures/run.svg \
	%reldir%/pictures/follow.svg %reldir%/pictures/status.svg
# What the plugins declare, as it stands in the sources.
reference: all
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/tests/cli/reference.sh --renew
.PHONY: reference
