#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin notify on a server: terminals of people who are logged in, and a mailbox.
# shellcheck source-path=SCRIPTDIR source=common.sh disable=SC2154,SC2034,SC2016,SC2317
. "$(dirname "$0")/common.sh"
need_lab
lab_up a
push_plugins notify

run step notify.wall check,apply,verify text="nobody is here"
is "$rc" 0 "nobody is there, and that is no failure"
unlike "$out" '"name":"told"' "nobody is told"

# alice is logged in twice, once without a terminal
in_lab bash -s <<'SERVER' >/dev/null 2>&1
install -d -o alice -g alice -m 700 ~alice/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/key && install -o alice -g alice -m 600 /root/key.pub ~alice/.ssh/authorized_keys
SERVER
to_alice=(ssh -i /root/key -o StrictHostKeyChecking=no)
in_lab "${to_alice[@]}" -tt alice@localhost cat </dev/null >"/tmp/$PD_LAB.seen" 2>/dev/null &
in_lab "${to_alice[@]}" alice@localhost sleep infinity </dev/null >"/tmp/$PD_LAB.other" 2>/dev/null &
soon '[ "$(loginctl list-sessions --no-legend | grep -c alice)" = 2 ] && who | grep -q alice'
work=/opt/pd/told
run step notify.wall check text="x"
like "$out" '"name":"told".*alice \(pts/[0-9]+\)' "check predicts who is told"
run step notify.wall check,apply,verify text=$'Updates begin at 22:00.\nPlease save your work: Gr\xc3\xb6\xc3\x9fe \e]0;evil\a'
is "$rc" 0 "the message is written"
for _ in {1..300}; do # a minute is for a test that fails
	grep -q 'save your work' "/tmp/$PD_LAB.seen" && break
	sleep 0.2
done
seen=$(cat "/tmp/$PD_LAB.seen")
like "$seen" 'Updates begin at 22:00\.' "alice has seen it on her terminal"
like "$seen" 'Please save your work: ' "the second line, too"
unlike "$seen" $'\e' "and nothing that her terminal would obey"
unlike "$seen" 'nobody is here' "and nothing from before"
is "$(cat "/tmp/$PD_LAB.other")" "" "the other session is left alone"
like "$out" '"name":"told","value":"?\[?.*alice \(pts/[0-9]+\)' "she is told of"
like "$(in_lab cat $work/notify.wall/wall.txt </dev/null)" '^alice \(pts/[0-9]+\)$' "and is in the evidence"
before=$(wc -c <"/tmp/$PD_LAB.seen")
run step notify.wall check,apply text="x"
is "$rc $(wc -c <"/tmp/$PD_LAB.seen")" "0 $before" "it is not written twice"
rm -f "/tmp/$PD_LAB.seen" "/tmp/$PD_LAB.other"
done_testing
