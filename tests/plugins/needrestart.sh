#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin needrestart on a server whose libssl is really upgraded, and taken back.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins needrestart

state() { in_lab systemctl is-active "$@" 2>&1 </dev/null | xargs; }
started() { in_lab systemctl show -p InvocationID --value "$1" </dev/null; }
# replace PROGRAM WITH: as a package manager does
replace() { in_lab sh -c "cp $2 /usr/local/bin/new && mv /usr/local/bin/new /usr/local/bin/$1" </dev/null; }
# list OUTPUT: its last value in $out
list() { sed -n "s/.*\"name\": *\"$1\", *\"value\": *\\(.*\\)}.*/\\1/p" <<<"$out" | tail -1; }
libssl() { in_lab env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -qqy --allow-downgrades install "libssl3=$1" >/dev/null 2>&1 </dev/null; }

old=$(in_lab dpkg-query -W -f '${Version}' libssl3 </dev/null)
new=$(in_lab sh -c 'apt-get update -qq; apt-cache policy libssl3 | sed -n "s/.*Candidate: //p"' </dev/null)
isnt "$old" "$new" "there is an update for libssl3"

run step needrestart.probe check,apply,verify fail_on=services,sessions,systemd,kernel
is "$rc" 0 "nothing uses old files on a fresh server"
[ "$rc" = 0 ] || echo "$out"
is "$(list services)$(list sessions)" "" "and nothing is listed"

# t-tool is a service as any other; none of the others is to be restarted or even counted
in_lab bash -s <<'SERVER' >/dev/null 2>&1
cd /usr/local/bin && for name in t-tool t-once t-left t-held t-root t-shm; do cp /bin/sleep $name; done
cp /usr/bin/perl t-locked
mkdir -p /srv/root/usr/local/bin
cp -L --parents $(ldd t-root | grep -o '/[^ ]*') /usr/local/bin/t-root /srv/root
cp t-shm /dev/shm/t-shm; cp t-shm /tmp/t-shm
cd /etc/systemd/system
printf '[Service]\nExecStart=/usr/local/bin/t-tool infinity\n' >t-tool.service
printf '[Service]\nExecStart=/usr/local/bin/t-held infinity\n' >t-held.service
printf '[Service]\nType=exec\nExecStart=/dev/shm/t-shm infinity\n' >t-shm.service
printf '[Service]\nType=exec\nExecStart=/tmp/t-shm infinity\n' >t-tmp.service
printf '[Service]\nType=exec\nRootDirectory=/srv/root\nExecStart=/usr/local/bin/t-root infinity\n' >t-root.service
printf '[Service]\nExecStart=/usr/local/bin/t-locked -e "chroot q{/srv/root}; sleep 1e6"\n' >t-locked.service
printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "t-once infinity & :"\n' >t-once.service
printf '[Service]\nKillMode=process\nExecStart=/bin/sh -c "t-left 1000000 & exec sleep infinity"\n' >t-left.service
systemctl daemon-reload
systemctl start t-tool t-held t-shm t-tmp t-root t-locked t-once t-left
rm /dev/shm/t-shm /tmp/t-shm /srv/root/usr/local/bin/t-root
install -d -o alice -g alice -m 700 ~alice/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/key && install -o alice -g alice -m 600 /root/key.pub ~alice/.ssh/authorized_keys
SERVER
in_lab ssh -i /root/key -o StrictHostKeyChecking=no alice@localhost sleep infinity </dev/null >/dev/null 2>&1 &
soon 'loginctl list-sessions --no-legend | grep -q alice'
is "$(state t-tool t-held t-shm t-tmp t-root t-locked t-once t-left)" "active active active active active active active active" "the scene is set"
for name in t-tool t-held t-once t-left; do replace $name /bin/sleep; done
replace t-locked /usr/bin/perl
libssl "$new"
is "$(in_lab dpkg-query -W -f '${Version}' libssl3 </dev/null)" "$new" "libssl3 is upgraded"

# ---- probe
run step needrestart.probe check,apply,verify
is "$rc" 0 "the probe finds, and does not judge"
for unit in ssh t-tool t-held t-locked t-once systemd-logind; do like "$(list services)" "\"$unit.service\"" "$unit uses old files"; done
unlike "$(list services)" 't-(root|shm|tmp|left)' "a container, and files in /tmp and /dev/shm do not count"
like "$(list others)" '"[0-9]+ \(t-left\)"' "what a restart would not end is of no service"
like "$(list sessions)" '^\["[0-9a-z]+ \(alice\)"' "alice's session is found"
is "$(list systemd) $(list kernel)" 'true "unknown"' "systemd uses the old library; there is no kernel"
like "$(in_lab cat "$work/needrestart.probe/needrestart.txt" </dev/null)" '^ssh.service +[0-9]+ sshd +/usr/lib/.*/libcrypto.so.3' "the evidence has process and file"
run step needrestart.probe check,apply fail_on=services
is "$rc" 1 "fail_on services fails"
like "$out" 'still uses files that are no longer there: process [0-9]+ \([a-z-]+\), /usr/' "naming one"
run step needrestart.probe check fail_on=service
like "$out" "did you mean 'services'" "a word that is none is refused"

# ---- the kernel: images with a header as those for x86 have it
image() { in_lab perl -e 'my ($file, $banner) = @ARGV; open F, ">", $file; seek F, 0x202, 0; print F "HdrS", "\0" x 8, pack("v", 0x1000);
	seek F, 0x1200, 0; print F "$banner\0"' "/boot/vmlinuz-$1" "$2" </dev/null; }
release=$(uname -r)
image "$release" "$release (root@lab) $(uname -v)"
run step needrestart.probe check,apply fail_on=kernel
is "$rc $(list kernel)" '0 "current"' "the kernel that is installed runs"
image "$release" "$release (root@lab) #99 SMP another one"
run step needrestart.probe check,apply fail_on=kernel
is "$rc $(list kernel)" '1 "outdated"' "a newer one of the same name is found"
image "$release" "$release (root@lab) $(uname -v)"
image "9$release" "9$release (root@lab) #1"
run step needrestart.probe check,apply fail_on=kernel
like "$out" "the kernel $release runs, and 9$release is installed" "a newer one by its name, too"
in_lab sh -c 'rm /boot/vmlinuz-*' </dev/null

# ---- restart
before=$(started t-tool; started ssh; started t-held; started systemd-logind)
run step needrestart.restart check except=t-held
is "$rc $(started t-tool; started ssh; started t-held; started systemd-logind)" "0 $before" "check restarts nothing"
like "$(list restarted)" '"ssh.service".*"t-tool.service"' "it predicts what is restarted"
like "$(list left)" '"systemd-logind.service","t-held.service","t-once.service"' "and what is left"
run step needrestart.restart check,apply,verify except=t-held
is "$rc" 0 "they are restarted"
[ "$rc" = 0 ] || echo "$out"
like "$out" 'systemd-logind.service goes on with old files .*: logins, the bus or the run itself hang on it' "each that is left has its reason"
like "$out" 't-once.service goes on with old files .*: it would do its work a second time' "a oneshot too"
is "$(state ssh t-tool t-locked t-held systemd-logind)" "active active active active active" "all run"
after=$(started t-tool; started ssh; started t-held; started systemd-logind)
is "$(diff <(cat <<<"$before") <(cat <<<"$after") | grep -c '^>')" 2 "t-tool and ssh anew, t-held and logind as before"
is "$(in_lab loginctl list-sessions --no-legend </dev/null | grep -c alice)" 1 "alice is still there"
like "$(in_lab cat "$work/needrestart.restart/old-files.txt" </dev/null)" '^t-tool.service' "the evidence says what it was before"
out=$(step needrestart.probe check 2>&1)
is "$(list services) $(list systemd)" '["systemd-logind.service","t-held.service","t-once.service"] false' "nothing else uses old files, systemd neither"
run step needrestart.restart check,apply,verify except=t-held
is "$rc $(started t-tool; started ssh; started t-held; started systemd-logind)" "0 $after" "once more nothing is restarted"

# ---- the packages are taken back: undo restarts again
libssl "$old"
replace t-tool /bin/sleep
run step needrestart.restart undo except=t-held
is "$rc $(state ssh t-tool)" "0 active active" "undo restarts what uses the files of the update"
isnt "$(started ssh)" "$(sed -n 2p <<<"$after")" "ssh is another one"
out=$(step needrestart.probe check 2>&1)
unlike "$(list services)" '"ssh|t-tool' "and uses the files that were brought back"
like "$(list systemd)" 'false' "so does systemd"
now=$(started t-tool; started ssh)
run step needrestart.restart undo except=t-held
is "$rc $(started t-tool; started ssh)" "0 $now" "undo once more does nothing"

# ---- around the update: what does not come up with the new files comes up when they are taken back
work=/opt/pd/around
run step needrestart.restart check,apply,verify units=t-tool
is "$rc $(list restarted)" "0 " "before the update there is nothing to restart"
replace t-tool /bin/false
run step needrestart.restart undo units=t-tool
is "$rc" 1 "a service that does not come up with its new files fails what gives back"
like "$out" 'unit t-tool.service is not running again: t-tool.service is (failed|inactive)' "it is named"
replace t-tool /bin/sleep
run step needrestart.restart undo units=t-tool
is "$rc $(state t-tool)" "0 active" "with the old ones it is started again"

# ---- after the update alone: undo does not stand in the way of bringing back the packages
work=/opt/pd/after
replace t-tool /bin/false
run step needrestart.restart check,apply units=t-tool
is "$rc" 1 "a service that does not come up fails the step"
run step needrestart.restart undo units=t-tool
is "$rc" 0 "undo can't help it, and does not fail"
like "$out" 'did not come up when it was restarted, nor does it now: t-tool.service' "but says so"
replace t-tool /bin/sleep
in_lab sh -c 'systemctl reset-failed t-tool; systemctl start t-tool' </dev/null

# ---- not the unit that this run is in
replace t-tool /bin/sleep
in_lab bash -s <<'SERVER' >/dev/null 2>&1
cat >/usr/local/bin/t-self <<'S'
#!/bin/sh
t-held infinity &
cp /bin/sleep /usr/local/bin/new && mv /usr/local/bin/new /usr/local/bin/t-held
LD_LIBRARY_PATH=/opt/pd/lib /opt/pd/pd-step --plugin-dir /opt/pd/plugins --work /opt/pd/self \
	needrestart.restart check,apply units='t-self,t-tool' >/root/self.out 2>&1
echo "status $?" >>/root/self.out
S
chmod 755 /usr/local/bin/t-self
systemd-run -q --wait --unit=t-self /usr/local/bin/t-self
SERVER
out=$(in_lab cat /root/self.out </dev/null)
like "$out" '^status 0' "a run in a service of its own comes to its end"
like "$out" 't-self.service goes on with old files .*: this run is a part of it' "and does not restart itself"

# ---- killed in the middle of the restart
work=/opt/pd/killed
in_lab sh -c 'printf "[Service]\nExecStart=/usr/local/bin/t-tool infinity\nExecStop=/bin/sh -c \"until [ -e /run/t-may-stop ]; do sleep 0.1; done\"\n" \
	>/etc/systemd/system/t-tool.service; systemctl daemon-reload' </dev/null
replace t-tool /bin/sleep
before=$(started t-tool)
in_lab sh -c 'LD_LIBRARY_PATH=/opt/pd/lib /opt/pd/pd-step --plugin-dir /opt/pd/plugins --work /opt/pd/killed \
	needrestart.restart check,apply units=t-tool & pid=$!
	while kill -0 $pid && [ "$(systemctl is-active t-tool)" != deactivating ]; do sleep 0.1; done; pkill -KILL -P $pid; kill -KILL $pid' >/dev/null 2>&1 </dev/null
is "$(state t-tool)" deactivating "apply was killed while the unit stopped"
in_lab touch /run/t-may-stop </dev/null
soon "[ \"\$(systemctl show -p InvocationID --value t-tool)\" != $before ] && systemctl -q is-active t-tool"
between=$(started t-tool)
run step needrestart.restart check,apply,verify units=t-tool
is "$rc $(state t-tool) $(started t-tool)" "0 active $between" "apply after the crash finds it done, and does not restart it again"
done_testing
