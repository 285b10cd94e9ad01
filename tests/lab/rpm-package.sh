#!/bin/bash
# SPDX-License-Identifier: MIT
# The rpm packages, as `rpmbuild -ta` makes them of the tarball, but of what is built already: they are complete, and on a
# real server installed, upgraded under a waiting run, not removed under it, and removed without loss of its records.
export PD_LAB=${PD_LAB:-t-rpm-package}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
. "$PD_SRCDIR/tests/lab/installing.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
for tool in rpmbuild rpmlint; do
	command -v "$tool" >/dev/null || skip "no rpm package is built: there is no $tool; apt-get install rpm rpmlint"
done
work_in rpm.work

# ------------------------------------------------------------------- the build
building=(--nodeps --noclean --buildroot "$work/root" --define "_topdir $work" --define "_libdir /usr/lib")
# the compiler is seen at work elsewhere: these sources find all of it done
built_before()
{
	cat >"$work/patchday-$version/configure" <<-END
		#!/bin/sh
		printf 'all:\ninstall:\n\t\$(MAKE) -s -C $PD_BUILDDIR install DESTDIR=\$(DESTDIR)\n' >Makefile
	END
}

sources >"$work/log" 2>&1 && built_before &&
	XZ_OPT=-0 tar -C "$work" -cJf "$work/patchday-$version.tar.xz" "patchday-$version" &&
	rpmbuild -tb "${building[@]}" "$work/patchday-$version.tar.xz" >>"$work/log" 2>&1
is "the packages are built" $? 0 || { tail -30 "$work/log" | show; end; }
this=$(echo "$work"/RPMS/*/patchday-"$version"-1.*.rpm)
devel=$(echo "$work"/RPMS/*/patchday-devel-"$version"-1.*.rpm)
rpmlint "$work/patchday-$version/rpm/patchday.spec" >"$work/lint" 2>&1
is "rpmlint finds no error in their description" $? 0 || show <"$work/lint"

files() { sed -E 's,^/usr/lib64/,/usr/lib/,; s,\.([1-9])\.gz$,.\1,; /\.la$|^\/usr\/(share\/(doc|licenses)|lib\/\.build-id)\//d' | sort; }
make -s -C "$PD_BUILDDIR" install DESTDIR="$work/stage" >/dev/null 2>&1
(cd "$work/stage" && find . ! -type d) | sed 's/^\.//' | files >"$work/wanted"
rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$this" "$devel" | sed -n 's/^[^d][^ ]* //p' | files >"$work/packed"
empty "they have what make install leaves, and nothing else" "$(diff "$work/wanted" "$work/packed")"
check "which is not nothing" grep -q '/patchday/service.so$' "$work/packed"

# the next one has the same files
rpmbuild -bb --short-circuit "${building[@]}" --define "dist .next" "$work/patchday-$version/rpm/patchday.spec" >>"$work/log" 2>&1
next=$(echo "$work"/RPMS/*/patchday-"$version"-1.next.*.rpm)
check "there is a next one" [ -e "$next" ] || tail -20 "$work/log" | show

# ------------------------------------------------------------------ the server
"$lab" destroy >/dev/null 2>&1
"$lab" build --kind rpm >/dev/null 2>&1 && "$lab" up --owner $$ --kind rpm r1 </dev/null >/dev/null || { echo "Bail out! no server"; exit 1; }
server=r1
"$lab" push "$server" "$this" /root/this.rpm </dev/null && "$lab" push "$server" "$next" /root/next.rpm </dev/null

# its libraries came by packages with Debian's names, so that rpm does not know of them
rpm -qp --requires "$this" | sed -n 's/^\(lib[^(]*\.so[^(]*\)(.*/\1/p' | sort -u >"$work/libraries"
check "it says which libraries it needs" grep -qx 'libsqlite3\.so\.0' "$work/libraries"
empty "all of them are there" "$(on_server ldconfig -p </dev/null | awk '{ print $1 }' | sort -u | comm -13 - "$work/libraries")"
quiet_workflow
server "it is installed" 'rpm -i --nodeps /root/this.rpm'
is "all plugins are there" "$(on_server patchday plugins --json </dev/null | jq length)" "$(grep -c '/patchday/[^/]*\.so$' "$work/packed")"
is "nothing is fetched unasked" "$(on_server systemctl is-active patchday-sync.timer </dev/null)" inactive
on_server systemctl -q enable --now patchday-sync.timer </dev/null
check "a run waits" waiting_run
server "the next one is installed" 'rpm -U --nodeps /root/next.rpm'
is "the timer is as it was set" "$(on_server systemctl is-enabled patchday-sync.timer </dev/null)" enabled
like "it is not removed under a run" "$(on_server rpm -e patchday </dev/null 2>&1)" 'a run is under way'
is "but is there" "$(on_server rpm -q --qf '%{RELEASE}' patchday </dev/null)" 1.next
"$lab" reboot "$server" </dev/null >/dev/null 2>&1
"$lab" wait --timeout 120 "$server" </dev/null >/dev/null 2>&1
check "after a reboot the run goes on, and is done" until_state "done"
server "it is removed" 'rpm -e patchday; ! command -v patchday'
empty "no unit of it is left running" "$(on_server systemctl list-units --no-legend --plain --state=active 'patchday*' </dev/null)"
server "installed again it knows the run, whose records are whole" 'rpm -i --nodeps /root/next.rpm; patchday verify'
is "which is done" "$(run_state)" "done"
end
