# Lua that ships: the module "patchday", and a workflow for each role.
patchdayluadir = $(scriptdir)/patchday
dist_patchdaylua_DATA = \
	%reldir%/patchday/base.lua \
	%reldir%/patchday/facts.lua \
	%reldir%/patchday/init.lua \
	%reldir%/patchday/main.lua \
	%reldir%/patchday/params.lua \
	%reldir%/patchday/plan.lua \
	%reldir%/patchday/questions.lua \
	%reldir%/patchday/selection.lua \
	%reldir%/patchday/steps.lua \
	%reldir%/patchday/strict.lua
rolesdir = $(scriptdir)/roles
dist_roles_DATA = \
	%reldir%/roles/file-print.lua
EXTRA_DIST += .luacheckrc
include %D%/report/local.mk
