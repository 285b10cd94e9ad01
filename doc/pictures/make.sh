#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the pictures of this folder anew: a file-and-print server of the lab goes
# through its workflow in a terminal of tmux, whose screen becomes SVG (svg.py).
# Needs root, a build (PD_BUILDDIR), tmux and python3; takes about two minutes.
# shellcheck disable=SC2016 # the variable is one of the server's shell
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PD_SRCDIR=${PD_SRCDIR:-$(cd "$here/../.." && pwd)} PD_LAB=${PD_LAB:-pictures} LC_ALL=C.UTF-8
export PD_BUILDDIR=${PD_BUILDDIR:-$PD_SRCDIR/build/main}
# shellcheck source=tests/lab/server.sh
. "$PD_SRCDIR/tests/lab/server.sh"
terminals=0 terminal=(true)
trap '"${terminal[@]}" kill-server 2>/dev/null; "$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
tmp=$(mktemp -d)
prompt='root@fp1:~# '

# open COLUMNS ROWS: a terminal of the server's, with an empty screen
open()
{
	columns=$1
	[ $terminals = 0 ] || "${terminal[@]}" kill-server 2>/dev/null || true
	terminals=$((terminals + 1))
	terminal=(tmux -f /dev/null -L "pictures-$$-$terminals") # one that ends is not met again
	"${terminal[@]}" new-session -d -x "$1" -y "$2" "exec '$lab' shell '$server'"
	"${terminal[@]}" set-option -g status off
	sleep 1
	enter "export TERM=tmux-256color PS1='$prompt' parameters='${parameters[*]}'; stty cols $1 rows $2; clear"
	sleep 1
}

# enter TEXT: as if it was typed
enter()
{
	"${terminal[@]}" send-keys -l "$1"
	"${terminal[@]}" send-keys Enter
	sleep 0.5 # the prompt before it is no answer
}

screen()
{
	"${terminal[@]}" capture-pane -p "$@"
}

# until_shown SECONDS PATTERN: the screen as text has it
until_shown()
{
	local end=$((SECONDS + $1))

	until screen | grep -qE "$2"; do
		[ $SECONDS -lt $end ] || { screen >&2; echo "$2 was not shown within $1 s" >&2; return 1; }
		sleep 0.1
	done
}

at_prompt()
{
	until_shown "$1" "^${prompt% }\$"
}

# picture NAME TITLE: of what is on the screen now
picture()
{
	screen -e >"$tmp/screen"
	# nothing of this machine, only of the server
	if grep -F -e "$(hostname)" -e "$PD_SRCDIR" "$tmp/screen"; then
		echo "$1: the name or a path of this machine is in it" >&2
		return 1
	fi
	python3 "$here/svg.py" "$columns" "$2" <"$tmp/screen" >"$here/$1.svg"
	echo "$here/$1.svg"
}

server_up

# As after a point release: what is installed can't be had again, so an update can't be taken back.
on_server cp -a /etc/apt /root/apt </dev/null
only openssl libssl3
on_server sh -c 'sed -i "s/^Suites: .* /Suites: /" /etc/apt/sources.list.d/lab.sources &&
	apt-get -q update' </dev/null >/dev/null
open 100 30
enter 'patchday plan file-print $parameters --check'
at_prompt 120
picture plan "patchday plan --check: what each step finds, and the point of no return"
on_server sh -c 'rm -rf /etc/apt && mv /root/apt /etc/apt && apt-get -q update' </dev/null >/dev/null

open 100 30
enter 'patchday run file-print $parameters'
"$lab" wait --boot 2 --timeout 180 "$server" </dev/null

# the server was started anew; the run goes on by itself
open 100 30
enter 'patchday status --follow'
until_shown 180 '^  install/update\.install  step [0-9]+ of [0-9]+  [2-9][0-9] % .* of about '
picture run "patchday status --follow, in the middle of a run: updates are being installed"
"$lab" wait --boot 3 --timeout 300 "$server" </dev/null

open 72 24
enter 'patchday status --follow'
at_prompt 300
picture follow "patchday status --follow on a narrow terminal, after the last reboot"

on_server patchday signoff --party operations --name "Ann Example" --note "all clients work" </dev/null >/dev/null || [ $? = 5 ]
on_server patchday signoff --party "application owner" --name "Bob Example" </dev/null >/dev/null
open 100 48
enter 'patchday status'
at_prompt 60
picture status "patchday status at the end: each step, what became of it, and how long it took"
