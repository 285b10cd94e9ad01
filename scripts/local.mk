# SPDX-License-Identifier: MIT
# Lua that ships: the module "patchday", and a workflow for each role.
patchdayluadir = $(scriptdir)/patchday
dist_patchdaylua_DATA = \
	%reldir%/patchday/base.lua \
	%reldir%/patchday/drivers.lua \
	%reldir%/patchday/facts.lua \
	%reldir%/patchday/init.lua \
	%reldir%/patchday/lenient.lua \
	%reldir%/patchday/main.lua \
	%reldir%/patchday/parameters.lua \
	%reldir%/patchday/params.lua \
	%reldir%/patchday/plan.lua \
	%reldir%/patchday/questions.lua \
	%reldir%/patchday/runbook.lua \
	%reldir%/patchday/selection.lua \
	%reldir%/patchday/steps.lua \
	%reldir%/patchday/strict.lua \
	%reldir%/patchday/unknown.lua
# The command line; see doc/command-line.md.
cliluadir = $(scriptdir)/cli
dist_clilua_DATA = \
	%reldir%/cli/about.lua \
	%reldir%/cli/approve.lua \
	%reldir%/cli/author.lua \
	%reldir%/cli/base.lua \
	%reldir%/cli/calendar.lua \
	%reldir%/cli/case.lua \
	%reldir%/cli/catalog.lua \
	%reldir%/cli/check.lua \
	%reldir%/cli/choice.lua \
	%reldir%/cli/clone.lua \
	%reldir%/cli/closed.lua \
	%reldir%/cli/columns.lua \
	%reldir%/cli/complete.lua \
	%reldir%/cli/conform.lua \
	%reldir%/cli/csv.lua \
	%reldir%/cli/doctor.lua \
	%reldir%/cli/doctor_workflow.lua \
	%reldir%/cli/facts.lua \
	%reldir%/cli/faults.lua \
	%reldir%/cli/fetch.lua \
	%reldir%/cli/fit.lua \
	%reldir%/cli/freeze.lua \
	%reldir%/cli/main.lua \
	%reldir%/cli/native.lua \
	%reldir%/cli/options.lua \
	%reldir%/cli/package.lua \
	%reldir%/cli/packages.lua \
	%reldir%/cli/paper.lua \
	%reldir%/cli/plan.lua \
	%reldir%/cli/plan_text.lua \
	%reldir%/cli/plugin.lua \
	%reldir%/cli/recording.lua \
	%reldir%/cli/reference.lua \
	%reldir%/cli/repository.lua \
	%reldir%/cli/risk.lua \
	%reldir%/cli/risk_model.lua \
	%reldir%/cli/risk_picture.lua \
	%reldir%/cli/rollback.lua \
	%reldir%/cli/run.lua \
	%reldir%/cli/scan.lua \
	%reldir%/cli/schedule.lua \
	%reldir%/cli/schedule_files.lua \
	%reldir%/cli/seal.lua \
	%reldir%/cli/signature.lua \
	%reldir%/cli/source.lua \
	%reldir%/cli/sources.lua \
	%reldir%/cli/show.lua \
	%reldir%/cli/status.lua \
	%reldir%/cli/status_text.lua \
	%reldir%/cli/stubs.lua \
	%reldir%/cli/sync.lua \
	%reldir%/cli/transfer.lua \
	%reldir%/cli/trust.lua \
	%reldir%/cli/uses.lua \
	%reldir%/cli/view.lua \
	%reldir%/cli/workflow.lua
rolesdir = $(scriptdir)/roles
dist_roles_DATA = \
	%reldir%/roles/database.lua \
	%reldir%/roles/domain-controller.lua \
	%reldir%/roles/file-print.lua \
	%reldir%/roles/generic.lua \
	%reldir%/roles/mail.lua \
	%reldir%/roles/web.lua \
	%reldir%/roles/web-proxy.lua
templatesdir = $(scriptdir)/templates
dist_templates_DATA = %reldir%/templates/workflow.lua %reldir%/templates/workflow.test
pluginstartdir = $(templatesdir)/plugin
dist_pluginstart_DATA = %reldir%/templates/plugin/plugin.c %reldir%/templates/plugin/Makefile \
	%reldir%/templates/plugin/README.md %reldir%/templates/plugin/plugin.check %reldir%/templates/plugin/test.sh
# For editors: the language by hand, the steps as `make reference` makes them.
metadir = $(scriptdir)/meta
dist_meta_DATA = %reldir%/meta/patchday.lua %reldir%/meta/plugins.lua %reldir%/meta/runbook.lua
EXTRA_DIST += .luacheckrc
include %D%/report/local.mk
# configure's link to the scripts, of a build outside of the sources
distclean-local:
	test ! -h scripts || rm -f scripts
