# SPDX-License-Identifier: MIT
# Sourced by the tests of packages: the sources that they are built from, and a run that waits for the process "gatekeeper".
# Expects what server.sh has, and $PD_SRCDIR and $PD_BUILDDIR.
# shellcheck shell=bash disable=SC2154

! command -v ccache >/dev/null || export CC="ccache gcc"
version=$(sed -n 's/^AC_INIT(\[patchday\], \[\([^]]*\)\].*/\1/p' "$PD_SRCDIR/configure.ac")
show() { sed 's/^/# /'; }

# work_in NAME: a folder, the same each time, so that ccache knows it again; it and the lab go with this process
work_in()
{
	work=$PD_BUILDDIR/tests/lab/$1
	rm -rf "$work" && mkdir -p "$work/stage" || exit 99
	trap '"$lab" destroy >/dev/null 2>&1; rm -rf "$work"' EXIT
}

# sources: what the tarball has, unpacked
sources()
{
	make -s -C "$PD_BUILDDIR" distdir distdir="$work/patchday-$version"
}

# server TEXT SCRIPT: it ends with 0
server()
{
	local out

	out=$(on_server sh -ec "$2" </dev/null 2>&1)
	is "$1" $? 0 || show <<<"$out"
}

# until_state STATE: of the newest run
until_state()
{
	for _ in {1..120}; do
		[ "$(run_state)" != "$1" ] || return 0
		sleep 0.5
	done
	on_server patchday status </dev/null 2>&1 | show
	return 1
}

# quiet_workflow: on the server; it waits for the gatekeeper, if there is one, and stops cron
quiet_workflow()
{
	on_server sh -c 'cat >/root/quiet.lua' <<'END'
local pd = require "patchday"
local guard, service = pd.use "guard", pd.use "service"
return pd.workflow { api = 1, name = "quiet",
	guards = function(t) return { guard.busy { processes = "gatekeeper", locks = {} } } end,
	plan = function(t) return { service.stop { units = "cron" } } end,
}
END
}

# waiting_run: one that goes on when the server was rebooted
waiting_run()
{
	on_server sh -c 'cp /bin/sleep /usr/local/bin/gatekeeper; systemd-run -q --unit=gate /usr/local/bin/gatekeeper infinity
		systemd-run -q --unit=the-run patchday run /root/quiet.lua' </dev/null
	until_state "waiting to go on"
}
