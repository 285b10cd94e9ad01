#!/bin/bash
# SPDX-License-Identifier: MIT
# update.install and update.fetch on a real server: made-up packages for the hard cases, the frozen security updates for the whole.
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
for tool in dpkg-deb apt-ftparchive; do
	command -v $tool >/dev/null || skip_all "$tool is not installed here"
done
lab_up update
push_plugins update

scratch=$(mktemp -d)
trap 'rc=$?; rm -rf "$scratch"; (exit $rc); lab_end' EXIT
repo=$scratch/repo
mkdir -p "$repo/pool"

# made NAME VERSION ARCH [CONTROL-LINE...]: one package whose script can be told to fail or to take long
made()
{
	local name=$1 version=$2 arch=$3 d=$scratch/build/$1_$2

	shift 3
	mkdir -p "$d/DEBIAN" "$d/usr/share/$name" "$d/etc/$name"
	echo "$name $version" >"$d/usr/share/$name/version"
	echo "setting=$version" >"$d/etc/$name/$name.conf"
	echo "/etc/$name/$name.conf" >"$d/DEBIAN/conffiles"
	if [ "$version" = 1.1 ]; then
		echo "new" >"$d/etc/$name/extra.conf"
		echo "/etc/$name/extra.conf" >>"$d/DEBIAN/conffiles"
	fi
	{
		printf 'Package: %s\nVersion: %s\nArchitecture: %s\n' "$name" "$version" "$arch"
		printf 'Maintainer: Lab <lab@example.org>\nInstalled-Size: 100\n'
		[ $# -eq 0 ] || printf '%s\n' "$@"
		printf 'Description: made-up package\n'
	} >"$d/DEBIAN/control"
	cat >"$d/DEBIAN/postinst" <<-END
		#!/bin/sh
		set -e
		if [ "$version" != 1.0 ] && [ -e /run/$name-fail ]; then exit 7; fi
		if [ -e /run/$name-slow ]; then sleep 600; fi
	END
	chmod 755 "$d/DEBIAN/postinst"
	find "$d" -exec touch -d @1700000000 {} + # as of packages that are built in one second
	dpkg-deb --root-owner-group -b "$d" "$repo/pool/${name}_${version#*:}_$arch.deb" >/dev/null
}

made labone 1.0 all
made labone 1.1 all "Depends: labnew (>= 1.0)"
made labtwo 1.0 amd64 "Depends: labone (>= 1.0)"
made labtwo 1.1 amd64 "Depends: labone (>= 1.1)"
made labnew 1.0 amd64
made labheld 1:1.0 all
made labheld 1:1.1 all
made labgone 1.0 all
made labgone 1.1 all
made labpart 1.0 all
made labpart 1.1 all
made labwhole 1.0 all "Depends: labpart (= 1.0)"
made labwhole 1.1 all "Depends: labpart (= 1.1)"
made labclash 1.0 all
made labclash 1.1 all "Conflicts: labtwo"
mv "$repo/pool/labgone_1.0_all.deb" "$scratch"
(cd "$repo" && apt-ftparchive packages pool >Packages && apt-ftparchive release . >"$scratch/Release" && mv "$scratch/Release" .)

tar -C "$repo" -c . | in_lab sh -c 'mkdir -p /opt/repo && tar -xf - -C /opt/repo && chown -R root:root /opt/repo'
push "$scratch/labgone_1.0_all.deb" /root/labgone.deb
in_lab sh -c 'echo "deb [trusted=yes] file:/opt/repo ./" >/etc/apt/sources.list.d/made.list
	apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install labone=1.0 labtwo=1.0 labheld=1:1.0 labclash=1.0 labpart=1.0 labwhole=1.0 /root/labgone.deb &&
	apt-mark auto labone && echo mine >>/etc/labtwo/labtwo.conf && rm /etc/labclash/labclash.conf' >/dev/null 2>&1 </dev/null ||
	{ echo "Bail out! the made-up packages can't be installed"; exit 1; }

# selection FILE NAME=VERSION...: a selection of updates as a plan has it
selection()
{
	local file=$1

	shift
	in_lab sh -c 'f=$1; shift; apt-cache show "$@" | awk "
		/^Package: / { p = \$2 } /^Version: / { v = \$2 } /^Architecture: / { a = \$2 }
		/^Size: / { s = \$2 } /^SHA256: / { h = \$2 } /^Filename: / { u = \$2 }
		/^\$/ { if (p != \"\" && u != \"\") printf(\"%s{\\\"catalog\\\":\\\"apt\\\",\\\"id\\\":\\\"%s/%s\\\",\\\"revision\\\":\\\"\\\",\\\"title\\\":\\\"%s\\\",\" \
			\"\\\"severity\\\":\\\"important\\\",\\\"kind\\\":\\\"security\\\",\\\"restart\\\":\\\"service\\\",\\\"packages\\\":[{\\\"name\\\":\\\"%s\\\",\" \
			\"\\\"version\\\":\\\"%s\\\",\\\"arch\\\":\\\"%s\\\",\\\"scheme\\\":\\\"deb\\\",\\\"installed\\\":\\\"\\\",\\\"url\\\":\\\"%s\\\",\\\"sha256\\\":\\\"%s\\\",\\\"bytes\\\":%s}]}\", \
			n++ ? \",\" : \"[\", p, v, p, p, v, a, u, h, s); p = u = \"\" }
		END { print \"]\" }" >$f' sh "$file" "$@" </dev/null
}

# Everything that undo has to bring back, one line each.
state()
{
	in_lab sh -c 'dpkg-query -W -f="\${Package} \${Architecture} \${Version} \${Status}\n"
		dpkg-query -W -f="\${Package}\n\${Conffiles}\n"
		apt-mark showauto | sed "s/^/auto /"; apt-mark showhold | sed "s/^/hold /"
		find /etc -xdev ! -type d -exec stat -c "%A %U %G %N" {} + | sort
		find /etc -xdev -type f -exec sha256sum {} + | sort -k2' </dev/null
}

version() { in_lab dpkg-query -W -f='${Version} ${db:Status-Status}' "$1" </dev/null 2>/dev/null; }
fresh() { in_lab sh -c "rm -rf $work && mkdir -p $work" </dev/null; }
install() { local phases=$1; shift; run step update.install "$phases" "updates=@/root/$1" "${@:2}"; }

# pd-step reads the selection in the server.
selection /root/two.json labone=1.1 labtwo=1.1
selection /root/held.json labheld=1:1.1 labone=1.1
selection /root/gone.json labgone=1.1
selection /root/clash.json labclash=1.1
state >"$scratch/before"

# ---------------------------------------------------------------- versions, with dpkg's own comparison as the judge
if command -v "${CC:-cc}" >/dev/null; then
	cat >"$scratch/compare.c" <<-'END'
		#include "deb.h"
		#include <stdio.h>
		int main(int argc, char **argv)
		{
			for (int i = 1; i < argc; i++)
				for (int j = 1; j < argc; j++) {
					int sign = deb_compare(argv[i], argv[j]);
					printf("%s %s %s\n", argv[i], sign < 0 ? "lt" : sign ? "gt" : "eq", argv[j]);
				}
			return 0;
		}
	END
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -I"$PD_SRCDIR/core/include" -I"$PD_SRCDIR/plugins/update" -o "$scratch/compare" \
		"$scratch/compare.c" "$PD_SRCDIR/plugins/update/deb.c" "$PD_SRCDIR/plugins/update/apt.c" \
		"$PD_SRCDIR/plugins/shared/pkg.c"
	pairs=0 wrong=
	while read -r a sign b; do
		pairs=$((pairs + 1))
		dpkg --compare-versions "$a" "$sign" "$b" 2>/dev/null || wrong="$wrong $a $sign $b;"
	done < <("$scratch/compare" 1.0 1.00 1.0-0 1.0-1 1.0~rc1 1.0~~ 1.0~rc1-1 1.0+b1 1.0a 1.0.1 1.10 1.9 0:1.0 1:0.1 2:3.87.1-1+deb12u4 \
		2:3.87.1-1+deb12u10 1.0-1~deb12u1 1.0-1+deb12u1 1.0-1-1 10.0.0~dfsg-11+deb12u9 99999999999999999999.1 99999999999999999998.1 1.0-a 1.0-A 1.0-+)
	is "$pairs$wrong" 625 "versions compare as dpkg does"
else
	echo "# versions: no C compiler here, this case is left out"
fi

# ---------------------------------------------------------------- check
fresh
install check two.json
is $rc 0 "check succeeds"
like "$out" '"result":"changed"' "check sees work to do"
like "$out" '"packages".*3' "the new dependency is predicted too"
unlike "$out" '"event":"irreversible"' "old packages that apt has make it reversible"
install check gone.json
like "$out" 'irreversible.*labgone 1\.0' "an old package that no source has is a point of no return, by name"
install check clash.json
is $rc 1 "an update that removes a package is refused"
like "$out" 'apt would remove labtwo' "the package that would go is named"
# what packages write in has to be writable
in_lab sh -c 'mount --bind /usr /usr && mount -o remount,ro,bind /usr' </dev/null
install check held.json
is $rc 1 "a /usr that is mounted read-only is refused"
like "$out" 'inhibit.*mounted read-only: /usr' "it is named"
install check held.json download_only=true
is $rc 0 "what only loads packages does not write there"
in_lab sh -c 'echo "DPkg::Pre-Invoke { \"mount -o remount,rw /usr\"; };" >/etc/apt/apt.conf.d/99remount' </dev/null
install check held.json
is $rc 0 "if apt is told to remount it, that is no reason"
in_lab sh -c 'rm /etc/apt/apt.conf.d/99remount; mount -o remount,rw,bind /usr && umount -l /usr' </dev/null
in_lab apt-mark hold labheld >/dev/null </dev/null
install check held.json
is $rc 1 "a package on hold stops the run before it starts"
like "$out" 'on hold.*labheld' "the package on hold is named"
install check held.json held=skip
like "$out" '"packages".*2' "held=skip leaves it out"
in_lab apt-mark unhold labheld >/dev/null </dev/null
in_lab sh -c 'sed "s/\"sha256\":\"...../\"sha256\":\"00000/" /root/two.json >/root/wrong.json; sed "s/\"1\.1\"/\"1.2\"/" /root/two.json >/root/never.json' </dev/null
install check wrong.json
is $rc 1 "another digest than apt's is refused"
like "$out" 'SHA-256.*in the catalog' "both digests are shown"
install check never.json
is $rc 1 "a version that apt does not have is refused"
like "$out" "1\.2.*was not found" "apt's own words are shown"
install check two.json dpkg_options=rm
like "$out" '"bad-args"|BAD_ARGS|is no option' "a dpkg option that is none is refused"
state >"$scratch/now"
is "$(diff "$scratch/before" "$scratch/now")" "" "check changes nothing"

# ---------------------------------------------------------------- apply, verify, undo
fresh
install check,apply,verify two.json
is $rc 0 "apply and verify succeed"
is "$(version labone) $(version labtwo) $(version labnew)" "1.1 installed 1.1 installed 1.0 installed" "exactly the selected versions are installed, and what they need"
is "$(in_lab apt-mark showauto labone labtwo labnew </dev/null | xargs)" "labnew labone" "marks are kept, the new dependency is automatic"
is "$(in_lab tail -n 1 /etc/labtwo/labtwo.conf </dev/null)" "mine" "a changed configuration file is kept"
like "$out" '"event":"evidence".*install\.log' "the logs are evidence"
like "$(in_lab sh -c "cat $work/*/install.log $work/install.log 2>/dev/null" </dev/null)" 'status installed labtwo:amd64 1\.1' "they contain dpkg's part"
like "$out" '"reboot_required".*false' "no reboot for these"
install check two.json
like "$out" '"result":"unchanged"' "nothing is left to do"
in_lab mv /opt/repo /opt/repo.away </dev/null
install undo two.json
is $rc 0 "undo succeeds without the package source"
state >"$scratch/now"
is "$(diff "$scratch/before" "$scratch/now")" "" "packages, marks, holds and every file in /etc are as before"
install undo two.json
like "$out" '"result":"unchanged"' "a second undo has nothing to do"
in_lab mv /opt/repo.away /opt/repo </dev/null

# ---------------------------------------------------------------- removals that are allowed
fresh
install check,apply,verify clash.json allow_remove=labtwo
is "$rc $(version labclash)" "0 1.1 installed" "an allowed removal goes through"
like "$(version labtwo)" 'config-files|^$' "the package is gone"
install undo clash.json allow_remove=labtwo
state >"$scratch/now"
is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "undo brings the removed package back"

# ---------------------------------------------------------------- failures
fresh
in_lab touch /run/labone-fail </dev/null
install check,apply two.json
is $rc 1 "a failing script of a package fails the step"
like "$out" 'the installation failed.*labone' "the package is named"
like "$out" '"event":"evidence".*install\.log' "the logs are evidence also then"
install verify two.json
is $rc 1 "verify does not believe it"
install undo two.json
state >"$scratch/now"
is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "undo repairs what was left half way"
in_lab rm /run/labone-fail </dev/null

# Between a failure and what goes on after it units are given back and held again, and somebody mends a file: neither is the installation's.
held=/etc/systemd/system/labheld.service.d
hold() { in_lab sh -c 'mkdir -p "$1" && echo "# held" >"$1/zz-patchday-hold.conf"' sh $held </dev/null; }
fresh
hold
in_lab sh -c 'touch /run/labone-fail; mkdir /etc/labmine.d; echo old >/etc/labmine.d/labmine.conf' </dev/null
install apply two.json
is $rc 1 "(a script fails, and the run stops)"
in_lab sh -c 'rm -r "$1" /run/labone-fail; echo mended >/etc/labmine.d/labmine.conf' sh $held </dev/null
hold
install apply,verify two.json
is $rc 0 "it goes on"
in_lab rm -r $held /etc/labone </dev/null
install undo two.json
is "$rc $(in_lab cat /etc/labmine.d/labmine.conf </dev/null)" "0 mended" "undo leaves alone what was mended between the tries" || sed 's/^/# /' <<<"$out"
is "$(in_lab sh -c 'test ! -e "$1" || echo there' sh $held </dev/null)" "" "and brings no hold back, nor the folder of one"
in_lab rm -r /etc/labmine.d </dev/null
state >"$scratch/now"
is "$(diff "$scratch/before" "$scratch/now")" "" "all else is as before, in a folder that was removed too"

# killed PACKAGE: apply two.json is killed while the script of PACKAGE runs, as in a power cut
killed()
{
	fresh
	in_lab touch "/run/$1-slow" </dev/null
	step update.install check,apply updates=@/root/two.json >"$scratch/killed" 2>&1 &
	in_lab sh -c 'i=0; until pgrep -x sleep >/dev/null; do i=$((i + 1)); [ $i -lt 300 ] || exit 1; sleep 0.1; done
		kill -9 $(pgrep -x pd-step); sleep 0.5; kill -9 $(pgrep -x sleep) 2>/dev/null; rm "$1"' sh "/run/$1-slow" </dev/null
	wait $!
	unlike "$(version labtwo)" '^1\.1 installed$' "killed in the script of $1: half way"
}
killed labone
is "$(in_lab pgrep -c -x dpkg </dev/null)" 0 "no dpkg goes on after the kill"
install check two.json
like "$out" '"result":"changed"' "check sees that work is left"
install apply,verify two.json
is "$rc $(version labone) $(version labtwo)" "0 1.1 installed 1.1 installed" "applied again, it repairs and goes on"
is "$(in_lab apt-mark showauto labone labtwo labnew </dev/null | xargs)" "labnew labone" "marks are right after that"
install undo two.json
state >"$scratch/now"
is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "undo goes back behind the crash"
killed labtwo
install undo two.json
state >"$scratch/now"
is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "undo right after the kill"

fresh
in_lab touch /run/labheld-fail </dev/null
in_lab sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /opt/repo/pool/labheld_1.1_all.deb' >/dev/null 2>&1 </dev/null
is "$(version labheld)" "1:1.1 half-configured" "(somebody else's dpkg was interrupted)"
in_lab rm /run/labheld-fail </dev/null
install check two.json
like "$out" 'dpkg was interrupted' "check notes an interrupted dpkg"
install apply,verify two.json
is "$rc $(version labheld)" "0 1:1.1 installed" "it is repaired first"
install undo two.json
in_lab sh -c 'DEBIAN_FRONTEND=noninteractive apt-get -y -qq --allow-downgrades install labheld=1:1.0; rm -f /etc/labheld/extra.conf; rm -rf /etc/labheld/*.dpkg-*
	dpkg -i --force-downgrade /opt/repo/pool/labheld_1.0_all.deb' >/dev/null 2>&1 </dev/null

# cut off between two packages that go together only: dpkg has nothing to repair
fresh
in_lab sh -c 'DEBIAN_FRONTEND=noninteractive dpkg --force-depends -i /opt/repo/pool/labwhole_1.1_all.deb; dpkg --audit; apt-get check' \
	>"$scratch/half" 2>&1 </dev/null
is "$? $(version labwhole) $(version labpart)" "100 1.1 installed 1.0 installed" "(a package without its newer part)"
selection /root/half.json labwhole=1.1 labpart=1.1
install apply,verify half.json
is "$rc $(version labwhole) $(version labpart)" "0 1.1 installed 1.1 installed" "it gets its part" || sed 's/^/# /' <<<"$out"
in_lab sh -c 'dpkg -P labwhole labpart; DEBIAN_FRONTEND=noninteractive apt-get -y -qq install labwhole=1.0 labpart=1.0' >/dev/null 2>&1 </dev/null

# ---------------------------------------------------------------- the lock
fresh
in_lab sh -c 'cat >/root/holder.py' <<'END'
import fcntl, time
f = open("/var/lib/dpkg/lock-frontend", "r+b")
fcntl.lockf(f, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(float(__import__("sys").argv[1]))
END
in_lab sh -c 'python3 /root/holder.py 30 >/run/holder 2>&1 & i=0; until grep -q locked /run/holder; do sleep 0.1; done; echo $! >/run/holder.pid' </dev/null
install apply two.json lock_timeout=2
is $rc 1 "a lock that stays is a failure"
like "$out" "held by process $(in_lab cat /run/holder.pid </dev/null) \\(python3 /root/holder.py 30\\)" "which says who holds it"
in_lab sh -c 'kill $(cat /run/holder.pid); python3 /root/holder.py 8 >/run/holder 2>&1 & until grep -q locked /run/holder; do sleep 0.1; done' </dev/null
install apply,verify two.json lock_timeout=60
is $rc 0 "a lock that goes is waited for"
like "$out" 'waiting for the package manager' "and said"
in_lab sh -c "echo x >>\$(find $work -name 'labone_1.0_all.deb')" </dev/null
install undo two.json
is $rc 1 "a kept package that was changed is not installed"
like "$out" 'no way back to labone 1\.0 \(its file was changed\)' "and named"
is "$(version labone)" "1.1 installed" "nothing was touched by that"
in_lab sh -c "cp /opt/repo/pool/labone_1.0_all.deb \$(find $work -name 'labone_1.0_all.deb')" </dev/null
install undo two.json
state >"$scratch/now"
is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "with the right one, undo goes on"

# ---------------------------------------------------------------- ahead of time
fresh
in_lab sh -c 'rm -f /var/cache/apt/archives/lab*' </dev/null
install check,apply,verify two.json download_only=true
is "$rc $(version labone)" "0 1.0 installed" "download_only installs nothing"
is "$(in_lab sh -c 'ls /var/cache/apt/archives | grep -c ^lab' </dev/null)" 3 "and has all in apt's archives"
in_lab sh -c 'rm -f /var/cache/apt/archives/lab*' </dev/null
run step update.fetch check,apply,verify updates=@/root/two.json to=/srv/ahead
is $rc 0 "fetch succeeds"
is "$(in_lab sh -c 'cd /srv/ahead && sha256sum -c SHA256SUMS | grep -c OK' </dev/null)" 3 "the packages and their digests are there"
in_lab sh -c 'rm /opt/repo/pool/lab*_1.1_*' </dev/null
fresh
install check,apply,verify two.json from=/srv/ahead keep=/srv/keep
is "$rc $(version labtwo)" "0 1.1 installed" "they install although the source does not have them any more"
is "$(in_lab sh -c 'find /srv/keep -name "lab*.deb" | wc -l' </dev/null)" 2 "old packages are in the folder asked for"
install undo two.json from=/srv/ahead keep=/srv/keep
state >"$scratch/now"
is "$rc$(diff "$scratch/before" "$scratch/now")" 0 "and back"
in_lab sh -c 'echo bad >>/srv/ahead/labone_1.1_all.deb; rm -f /var/cache/apt/archives/lab*' </dev/null
fresh
install apply two.json from=/srv/ahead
is "$rc $(version labone)" "1 1.0 installed" "a fetched package that was changed is not installed"
like "$out" "packages can't be fetched" "but looked for elsewhere"

# ---------------------------------------------------------------- no room
fresh
in_lab sh -c 'mkdir -p /mnt/small && mount -t tmpfs -o size=4k none /mnt/small && head -c 4096 /dev/zero >/mnt/small/full' </dev/null
install check held.json keep=/mnt/small
is $rc 1 "a folder without room is refused before the start"
like "$out" '/mnt/small[^ ]* has room for [0-9]+ bytes, [0-9]+ are needed' "with figures"
in_lab umount /mnt/small </dev/null

# ---------------------------------------------------------------- the real security updates
in_lab sh -c 'DEBIAN_FRONTEND=noninteractive dpkg --purge labtwo labone labheld labgone labclash; rm -rf /etc/apt/sources.list.d/made.list /opt/repo; apt-get -qq update' >/dev/null 2>&1 </dev/null
fresh
# shellcheck disable=SC2046
selection /root/all.json $(in_lab apt-get -s dist-upgrade </dev/null | sed -n 's/^Inst \([^ ]*\) \[[^]]*\] (\([^ ]*\) .*/\1=\2/p')
count=$(in_lab grep -o '"name"' /root/all.json </dev/null | wc -l)
state >"$scratch/before"
run step update.install check,apply,verify updates=@/root/all.json
is $rc 0 "$count real updates are installed and verified"
[ "$rc" = 0 ] || printf '%s\n' "$out" | tail -n 5
is "$([ "$count" -gt 20 ] && echo more)" more "these are more than 20"
is "$(in_lab apt-get -s dist-upgrade </dev/null | grep -c '^Inst ')" 0 "apt has nothing left to upgrade"
is "$(in_lab dpkg --audit </dev/null)" "" "dpkg has nothing to complain about"
run step update.install undo updates=@/root/all.json
is $rc 0 "they are all taken back"
state >"$scratch/now"
is "$(diff "$scratch/before" "$scratch/now")" "" "packages, marks and every file in /etc are as before"
done_testing
