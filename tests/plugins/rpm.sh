#!/bin/bash
# SPDX-License-Identifier: MIT
# rpm.install and the scanner on a real server with rpm packages: what is refused, the way there and back, an interruption.
# shellcheck source=tests/plugins/common.sh
. "$(dirname "$0")/common.sh"

need_lab
"$lab" build --kind rpm >/dev/null 2>&1 # which may be under way
lab_up rpm --kind rpm
push_plugins rpm

scratch=$(mktemp -d)
trap 'rc=$?; rm -rf "$scratch"; (exit $rc); lab_end' EXIT
in_lab sh -c 'mkdir -m 755 /srv/source /srv/bad && cp /srv/mirror/updates/lab-*.rpm /srv/source' </dev/null

# selection FILE NAME[=SHA256]...: a selection of updates as a plan has it
selection()
{
	in_lab python3 -c '
import glob, hashlib, json, subprocess, sys
here = subprocess.check_output(["rpm", "-qa", "--qf", "%{NAME}\n"], text=True).split()
out = []
for name in sys.argv[2:]:
    name, _, sha256 = name.partition("=")
    path = glob.glob("/srv/mirror/updates/" + name + "-[0-9]*.rpm")[0]
    row = subprocess.check_output(["rpm", "-qp", "--qf", "%{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}", path], text=True).split()
    sha256 = sha256 or hashlib.sha256(open(path, "rb").read()).hexdigest()
    out.append({"catalog": "lab", "id": name, "revision": "1", "title": name, "severity": "important", "kind": "security",
                "restart": "reboot" if name == "lab-core" else "service", "packages": [{
                    "name": name, "version": row[0], "arch": row[1], "scheme": "rpm", "installed": "1.0-1" if name in here else "", "url": path.rsplit("/", 1)[1],
                    "sha256": sha256, "bytes": 1}]})
json.dump(out, open(sys.argv[1], "w"))' "$@" </dev/null
}

# Everything that undo has to bring back, one line each.
state()
{
	in_lab sh -c 'rpm -qa --qf "%{NEVRA} %{SIGMD5}\n" | sort
		rpm -Va --nomtime | grep -v __pycache__ | sort
		systemctl list-unit-files --no-legend --no-pager | sort
		find /etc -xdev ! -type d -exec stat -c "%A %U %G %N" {} + | sort
		find /etc -xdev -type f -exec sha256sum {} + | sort -k2' </dev/null
}

version() { in_lab rpm -q --qf '%{VERSION}' "$1" </dev/null; }
fresh() { in_lab sh -c "rm -rf $work && mkdir -p $work" </dev/null; }
install() { run step rpm.install "$1" "updates=@/root/$2" "${@:3}"; }
both=(source=/srv/source old=/srv/mirror/release)

selection /root/all.json lab-clock lab-tool lab-core
selection /root/clock.json lab-clock
selection /root/wrong.json lab-clock=0000000000000000000000000000000000000000000000000000000000000000
in_lab sh -c 'systemctl start lab-clock; echo mine >>/etc/lab-clock.conf' </dev/null
state >"$scratch/before"

# ---------------------------------------------------------------- facts
run scan rpm
is $rc 0 "the scan succeeds"
like "$out" '"name": ?"lab-clock".*' "a package is reported"
like "$(tr '{' '\n' <<<"$out" | grep '"lab-clock"')" '"scheme": ?"rpm".*"signature": ?"[0-9a-f]{16}"' "with its scheme and who signed it"
is "$(grep -o '"name": *"[^"]*"' <<<"$out" | wc -l)" "$(in_lab sh -c 'rpm -qa | grep -vc ^gpg-pubkey' </dev/null)" "all packages are, and no key"

# ---------------------------------------------------------------- check
fresh
install check all.json "${both[@]}"
is $rc 0 "check succeeds"
like "$out" '"result":"changed"' "check sees work to do"
like "$out" '"packages".*6' "what is needed, and what is replaced, is predicted too"
like "$out" '"reboot_required".*true' "so is the reboot that the catalog suggests"
unlike "$out" '"event":"irreversible"' "old packages that a folder has make it reversible"
is "$(state | sha256sum)" "$(sha256sum <"$scratch/before")" "check changes nothing"
install check all.json source=/srv/source
like "$out" 'irreversible.*lab-clock 1\.0-1, lab-tool 1\.0-1' "old packages that are nowhere are a point of no return, by name"
install check wrong.json "${both[@]}"
like "$rc $(paste -sd" " <<<"$out")" '^1 .*has SHA-256 [0-9a-f]{64}, and 0{64} in the catalog' "another digest than the catalog's is refused"
install check clock.json source=/srv/bad
like "$rc $(paste -sd" " <<<"$out")" '^1 .*not in /srv/bad: lab-clock-1\.1-1\.noarch\.rpm' "so is a file that is not there"
in_lab sh -c 'cp /srv/source/lab-tool* /srv/source/lab-clock* /srv/bad' </dev/null
install check all.json source=/srv/bad
like "$rc $(paste -sd" " <<<"$out")" '^1 .*lab-core' "or a part of them"
selection /root/tool.json lab-tool
install check tool.json source=/srv/bad
like "$rc $(paste -sd" " <<<"$out")" '^1 .*lab-(dep|new) is needed by lab-tool' "or what an update needs beside"
selection /root/new.json lab-new
install check new.json "${both[@]}"
like "$rc $(paste -sd" " <<<"$out")" '^0 .*lab-old is replaced.*"packages","value":2.*"result":"changed"' "a package that is not here replaces one that is"
install check new.json source=/srv/bad
like "$rc $(paste -sd" " <<<"$out")" '^1 .*not in /srv/bad: lab-new' "and is missed where it is not in the source"
selection /root/gone.json lab-clock
in_lab sed -i 's/lab-clock"/lab-gone"/g' /root/gone.json </dev/null
install check gone.json "${both[@]}"
like "$rc $(paste -sd" " <<<"$out")" '^0 .*lab-gone .*not installed.*"result":"unchanged"' "one that was removed since is left out"
in_lab chmod 777 /srv/bad </dev/null
install check clock.json source=/srv/bad
like "$rc $(paste -sd" " <<<"$out")" '^1 .*/srv/bad can be written by others' "or what everybody may write to"
in_lab sh -c 'chmod 755 /srv/bad; rpmsign --delsign /srv/bad/lab-clock*.rpm' >/dev/null 2>&1 </dev/null
selection /root/unsigned.json "lab-clock=$(in_lab sh -c 'sha256sum /srv/bad/lab-clock*' </dev/null | cut -c1-64)"
install check unsigned.json source=/srv/bad
like "$rc $(paste -sd" " <<<"$out")" '^1 .*lab-clock-1\.1-1\.noarch\.rpm: .*NOT OK' "or what nobody has signed"
install check unsigned.json source=/srv/bad unsigned=true
is $rc 0 "unless that is allowed"
in_lab sh -c 'mkdir -p /etc/dnf/plugins; echo "lab-tool-0:1.0-1.*" >/etc/dnf/plugins/versionlock.list' </dev/null
install check all.json "${both[@]}"
like "$rc $(paste -sd" " <<<"$out")" '^1 .*locked: lab-tool' "a package that is locked stops the run before it starts"
install check all.json "${both[@]}" held=skip
like "$rc $(paste -sd" " <<<"$out")" '^0 .*"packages","value":2' "or is left out"
like "$(scan rpm | tr '{' '\n' | grep '"lab-tool"')" '"held": ?true' "the facts say so"
in_lab sh -c 'rm /etc/dnf/plugins/versionlock.list; cp -p /etc/dnf/dnf.conf /root; echo "excludepkgs=foo, lab-cl*" >>/etc/dnf/dnf.conf' </dev/null
install check all.json "${both[@]}"
like "$rc $(paste -sd" " <<<"$out")" '^1 .*locked: lab-clock' "so is one that dnf's configuration excludes"
in_lab cp -p /root/dnf.conf /etc/dnf/dnf.conf </dev/null
# dnf5's locks, as `dnf versionlock` writes them and its manual has them
locks() { in_lab sh -c 'cat >/etc/dnf/versionlock.toml'; }
condition() { printf '\n[[packages.conditions]]\nkey = "%s"\ncomparator = "%s" # so\nvalue = "%s"\n' "$@"; }
lock() { printf '\n[[packages]]\nname = "%s"\ncomment = "Added by '"'versionlock add'"' command on 2026-10-03 00:35:13"\n' "$1"; condition "${@:2}"; }
{ echo 'version = "1.0"'; lock lab-tool evr = 1.0-1; lock lab-none evr = 1.0-1; } | locks
install check all.json "${both[@]}"
like "$rc $(paste -sd" " <<<"$out")" '^1 .*locked: lab-tool' "a package that dnf5 has locked stops the run"
install check all.json "${both[@]}" held=skip
like "$rc $(paste -sd" " <<<"$out")" '^0 .*"packages","value":2' "or is left out"
like "$(scan rpm | tr '{' '\n' | grep '"lab-tool"')" '"held": ?true' "the facts say so"
{ echo 'version = "1.0"'; lock 'lab-t*' evr '>=' 1.1; condition evr '<' 2; lock lab-tool arch '!=' noarch; lock lab-clock evr != 0:1.0-1; condition epoch = 0; } | locks
install check all.json "${both[@]}"
is $rc 0 "what a lock allows is installed" || printf '%s\n' "$out" | tail -5
{ echo 'version = "1.0"'; lock lab-tool evr '>=' 1.1; condition evr '<' 1.1; lock lab-clock evr != 1.1-1; } | locks
install check all.json "${both[@]}"
like "$rc $(paste -sd" " <<<"$out")" '^1 .*locked: lab-clock, lab-tool' "by all conditions of an entry"
echo 'packages = []' | locks
install check all.json "${both[@]}"
is $rc 0 "as where all locks were taken away"
while IFS='|' read -r text line; do
	printf "$text" | locks
	install check all.json "${both[@]}" held=skip
	like "$rc $(paste -sd" " <<<"$out")" "^1 .*what is locked is not known: /etc/dnf/versionlock.toml:$line" "what is not understood refuses the run: $text"
done <<'END'
version = "2.0"\n|1: its version is
\n[[packages]]\nname = "a"\n|2: version = .* is missing
version = "1.0"\n[[packages]]\nname = "a"\n|2: this package has no condition
version = "1.0"\n[[packages]]\nname = "a"\nconditions = [{key = "evr"}]\n|4: conditions is not known
version = "1.0"\n[[packages]]\nname = "a"\n[[packages.conditions]]\nkey = "evr"\nvalue = "1"\n|4: this condition lacks
version = "1.0"\n[[packages]]\nname = "a\n|3: the value of name
version = "1.0"\n[[packages]]\nname = "a"\n[[packages.conditions]]\nkey = "arch"\ncomparator = "<"\nvalue = "x"\n|4: this condition compares
version = "1.0"\n[packages]\n|2: this is neither
END
in_lab rm /etc/dnf/versionlock.toml </dev/null

# ---------------------------------------------------------------- lock
in_lab python3 -c 'import fcntl, time
lock = open("/var/lib/rpm/.rpm.lock", "r+"); fcntl.lockf(lock, fcntl.LOCK_EX); open("/run/locked", "w"); time.sleep(600)' </dev/null &
holder=$!
soon "[ -e /run/locked ]"
install apply clock.json "${both[@]}" lock_timeout=1
like "$rc $(paste -sd" " <<<"$out")" '^1 .*still held by process [0-9]+ \(python3 -c' "whoever has the lock is named"
is "$(version lab-clock)" 1.0 "and nothing was installed"
in_lab pkill -f run/locked </dev/null
wait $holder

# ---------------------------------------------------------------- there and back
fresh
install check,apply,verify all.json "${both[@]}"
is $rc 0 "the updates are installed" || printf '%s\n' "$out" | tail -20
is "$(version lab-clock) $(version lab-tool) $(version lab-core)" "1.1 1.1 1.1" "those that were selected"
is "$(version lab-dep) $(version lab-new)" "1.0 2.0" "what they need"
like "$(version lab-old)" "not installed" "and what is replaced is gone"
soon 'grep -q 1.1 /run/lab-clock' && ok "the service runs in its new version"
like "$(in_lab cat /etc/lab-clock.conf </dev/null)" mine "the administrator's settings are kept"
like "$(in_lab dnf -q history info last </dev/null 2>&1 | paste -sd' ')" 'Install +lab-dep.*Upgrade +lab-tool' "dnf's history has all of it as one transaction"
like "$(in_lab sh -c "cat $work/packages.txt $work/*/packages.txt" </dev/null 2>/dev/null)" 'lab-old noarch 1\.0-1 -> \(removed\)' "the evidence says what changed"
install check all.json "${both[@]}"
like "$out" '"result":"unchanged"' "there is nothing more to do"
install undo all.json "${both[@]}"
is $rc 0 "it is taken back" || printf '%s\n' "$out" | tail -20
state >"$scratch/after"
is "$(diff "$scratch/before" "$scratch/after")" "" "and all is as it was"
soon 'grep -q 1.0 /run/lab-clock' && ok "the service too"

# ---------------------------------------------------------------- interrupted
# cut off in a script of the new version: it is in the database, the old one too
cut_off()
{
	fresh
	in_lab sh -c 'touch /run/lab-clock-slow' </dev/null
	step rpm.install apply updates=@/root/all.json "${both[@]}" >/dev/null 2>&1 &
	soon 'pgrep -f "^sleep 600"'
	in_lab sh -c 'pkill -9 pd-step; pkill -9 -x dnf; pkill -9 -f "^sleep 600"; rm -f /run/lab-clock-slow' </dev/null
	wait $! 2>/dev/null
}
cut_off
like "$(in_lab rpm -q lab-clock </dev/null | paste -sd' ')" 'lab-clock-1\.0-1.*lab-clock-1\.1-1' "a transaction that was cut off leaves both"
install apply,verify all.json "${both[@]}"
is $rc 0 "it is finished" || printf '%s\n' "$out" | tail -20
is "$(in_lab rpm -q lab-clock lab-tool lab-core </dev/null | paste -sd' ')" "lab-clock-1.1-1.noarch lab-tool-1.1-1.noarch lab-core-1.1-1.noarch" "with each package once"
install undo all.json "${both[@]}"
is $rc 0 "and is taken back"
is "$(diff "$scratch/before" <(state))" "" "to what was before"
cut_off
install undo all.json "${both[@]}"
is $rc 0 "what was cut off is taken back too" || printf '%s\n' "$out" | tail -20
is "$(diff "$scratch/before" <(state))" "" "to what was before"
# somebody else's, seen by a step that did not begin it
cut_off
fresh
install check clock.json "${both[@]}"
like "$out" 'lab-clock-1\.0-1\.noarch is there beside a newer one' "another's interruption is seen"
selection /root/core.json lab-core
install apply,verify core.json "${both[@]}"
is "$rc $(in_lab rpm -q lab-clock </dev/null | paste -sd' ')" "0 lab-clock-1.1-1.noarch" "and repaired"

# ---------------------------------------------------------------- a kernel
# of a name that no list has, by a vendor whose catalog says nothing of a reboot; and a package that somebody keeps twice
in_lab sh -ec 'mkdir -m 755 /srv/kernels; cd /root
	made() { # NAME VERSION PROVIDED FILE
		printf "%s\n" "Name: $1" "Version: $2" "Release: 1" "Summary: made-up" "License: MIT" "BuildArch: noarch" \
			"Provides: $3" "%description" "Made up." "%install" "mkdir -p %{buildroot}/boot" \
			"echo >%{buildroot}/boot/$4-$2" "%files" "/boot/$4-$2" >$1.spec
		rpmbuild -bb --quiet --define "_topdir /root/rpmbuild" --define "_rpmdir /srv/kernels" \
			--define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" $1.spec
	}
	for version in 1.0 1.1; do
		made kernel-uek-core $version "installonlypkg(kernel)" vmlinuz
		made twin $version "twin(it)" twin
		rpm -i --nosignature /srv/kernels/twin-$version-1.noarch.rpm
	done
	rpm -i --nosignature /srv/kernels/kernel-uek-core-1.0-1.noarch.rpm' </dev/null >/dev/null 2>&1
is $? 0 "there is a kernel"
in_lab sh -c 'sed "s/lab-clock/kernel-uek-core/g; s/\"sha256\": \"[0-9a-f]*/\"sha256\": \"/" /root/clock.json >/root/kernel.json' </dev/null
fresh
install check kernel.json source=/srv/kernels unsigned=true
like "$(grep '"event":"irreversible"' <<<"$out")" 'twin-1\.0-1\.noarch is there beside a newer one' "what is there twice is going to be removed: a point of no return"
in_lab sh -c 'mkdir -p /etc/zypp; printf "[main]\nmultiversion.kernels = none\nmultiversion = provides:multiversion(kernel),twin\n" >/etc/zypp/zypp.conf' </dev/null
install check kernel.json source=/srv/kernels unsigned=true
is "$rc $(grep -c 'beside a newer one' <<<"$out")" "0 0" "unless zypp is to keep it so"
in_lab sh -c 'rm -r /etc/zypp; echo "installonlypkgs=foo, twin(it)" >>/etc/dnf/dnf.conf' </dev/null
install check,apply,verify kernel.json source=/srv/kernels unsigned=true
like "$rc $(grep -c '"reboot_required".*true' <<<"$out")" '^0 [1-9]' "a new one needs a reboot" || printf '%s\n' "$out" | tail -20
is "$(in_lab rpm -q kernel-uek-core twin </dev/null | paste -sd' ')" "kernel-uek-core-1.0-1.noarch kernel-uek-core-1.1-1.noarch twin-1.0-1.noarch twin-1.1-1.noarch" \
	"it stands beside the old one, and so does what dnf is to keep"
install undo kernel.json source=/srv/kernels unsigned=true
is "$rc $(in_lab sh -c 'rpm -q kernel-uek-core twin; ls /boot' </dev/null | paste -sd' ')" \
	"0 kernel-uek-core-1.0-1.noarch twin-1.0-1.noarch twin-1.1-1.noarch twin-1.0 twin-1.1 vmlinuz-1.0" "which alone is there after it was taken back"
done_testing
