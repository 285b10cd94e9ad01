#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin guard: windows by a table, the rest against made-up surroundings
# in a mount namespace of its own.
set -u
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
[ -e /usr/share/zoneinfo/Europe/Berlin ] || skip "there are no time zones here"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 755 "$tmp/plugins"
cp "$PD_BUILDDIR/plugins/guard/.libs/guard.so" "$tmp/plugins/"
step=("$PD_BUILDDIR/tests/tools/pd-step" --plugin-dir "$tmp/plugins" --work "$tmp/work")
export TZ=UTC

# guard STEP ARGUMENT...: sets $out, $result and $causes
guard()
{
	local name=$1

	shift
	out=$("${step[@]}" "guard.$name" check "$@" 2>&1)
	result=$(sed -n 's/.*"phase":"check","result":"\([a-z-]*\)".*/\1/p' <<<"$out")
	causes=$(sed -n 's/.*"event":"inhibit".*"cause":"\([^"]*\)".*/\1/p' <<<"$out")
}
output() { sed -n "s/.*\"name\":\"$1\",\"value\":\"\\([^\"]*\\)\".*/\\1/p" <<<"$out"; }

# row WINDOWS NOW WANTED [ARGUMENT...]: NOW is local time; WANTED is "open until
# TIME", "shut until TIME", "short until TIME" (open, but not for long enough) or "wrong"
row()
{
	local windows=$1 now=$2 wanted=$3 zone=Europe/Berlin got argument

	shift 3
	for argument; do
		case $argument in timezone=*) zone=${argument#*=} ;; esac
	done
	guard window "windows=$windows" "now=$(TZ=$zone date -d "$now" +%s)" "timezone=$zone" "$@"
	case $result in
	unchanged) got="open until $(output closes)" ;;
	refused) got="shut until $(output opens)"
		[ -z "$(output closes)" ] || got="short until $(output opens)" ;;
	bad-args) got=wrong ;;
	*) got=$out ;;
	esac
	is "$windows at $now${*:+ $*}" "$got" "$wanted"
}

# ---- weekdays; 2026-11-20 is a Friday
row "sat 22:00-06:00" "2026-11-20 12:00" "shut until Sat 2026-11-21 22:00 CET"
row "sat 22:00-06:00" "2026-11-21 21:59:59" "shut until Sat 2026-11-21 22:00 CET"
row "sat 22:00-06:00" "2026-11-21 22:00" "open until Sun 2026-11-22 06:00 CET"
row "sat 22:00-06:00" "2026-11-22 05:59:59" "open until Sun 2026-11-22 06:00 CET"
row "sat 22:00-06:00" "2026-11-22 06:00" "shut until Sat 2026-11-28 22:00 CET"
row "Saturday 22:00-06:00" "2026-11-21 23:00" "open until Sun 2026-11-22 06:00 CET"
row "mon-fri 20:00-23:30" "2026-11-20 20:00" "open until Fri 2026-11-20 23:30 CET"
row "mon-fri 20:00-23:30" "2026-11-21 20:00" "shut until Mon 2026-11-23 20:00 CET"
row "fri-mon 20:00-21:00" "2026-11-23 20:30" "open until Mon 2026-11-23 21:00 CET"
row "fri-mon 20:00-21:00" "2026-11-24 20:30" "shut until Fri 2026-11-27 20:00 CET"
row "daily 01:00-03:00" "2026-11-20 02:00" "open until Fri 2026-11-20 03:00 CET"
row "daily 01:00-03:00" "2026-11-20 03:00" "shut until Sat 2026-11-21 01:00 CET"
row "daily 22:00-24:00" "2026-11-20 23:59" "open until Sat 2026-11-21 00:00 CET"
# windows that touch or overlap are one
row "fri 20:00-24:00,sat 00:00-04:00" "2026-11-20 23:00" "open until Sat 2026-11-21 04:00 CET"
row "fri 20:00-23:00,fri 22:00-23:30" "2026-11-20 20:00" "open until Fri 2026-11-20 23:30 CET"
row "fri 20:00-23:30,fri 21:00-22:00" "2026-11-20 20:00" "open until Fri 2026-11-20 23:30 CET"

# ---- of the month: second Tuesday, last Sunday, fifth Friday
row "2nd tue 22:00-04:00" "2026-11-10 22:30" "open until Wed 2026-11-11 04:00 CET"
row "2nd tue 22:00-04:00" "2026-11-11 03:00" "open until Wed 2026-11-11 04:00 CET"
row "2nd tue 22:00-04:00" "2026-11-03 22:30" "shut until Tue 2026-11-10 22:00 CET"
row "2nd tue 22:00-04:00" "2026-11-17 22:30" "shut until Tue 2026-12-08 22:00 CET"
row "second tue 22:00-04:00" "2026-11-03 22:30" "shut until Tue 2026-11-10 22:00 CET"
row "First sun 01:00-05:00" "2026-11-01 02:00" "open until Sun 2026-11-01 05:00 CET"
row "third sat 20:00-21:00" "2026-11-14 20:30" "shut until Sat 2026-11-21 20:00 CET"
row "fourth Wednesday 20:00-21:00" "2026-11-14 20:30" "shut until Wed 2026-11-25 20:00 CET"
row "fifth fri 01:00-05:00" "2026-11-20 02:00" "shut until Fri 2027-01-29 01:00 CET"
row "2nd sat 20:00-21:00" "2026-11-14 20:30" "open until Sat 2026-11-14 21:00 CET"
row "3rd sat 20:00-21:00" "2026-11-14 20:30" "shut until Sat 2026-11-21 20:00 CET"
row "1st sun 01:00-05:00" "2026-11-01 02:00" "open until Sun 2026-11-01 05:00 CET"
row "last sun 01:00-05:00" "2026-11-22 02:00" "shut until Sun 2026-11-29 01:00 CET"
row "last sun 01:00-05:00" "2026-11-29 02:00" "open until Sun 2026-11-29 05:00 CET"
row "5th fri 01:00-05:00" "2026-11-20 02:00" "shut until Fri 2027-01-29 01:00 CET"
row "last sat 22:00-04:00" "2027-02-27 23:00" "open until Sun 2027-02-28 04:00 CET"
row "last mon-fri 22:00-23:00" "2026-11-25 22:30" "open until Wed 2026-11-25 23:00 CET"

# ---- dates and exceptions
row "2026-12-24 18:00-23:00" "2026-12-24 18:00" "open until Thu 2026-12-24 23:00 CET"
row "2026-12-24 18:00-23:00" "2026-12-24 23:00" "shut until "
row "2029-02-28 18:00-23:00" "2026-12-24 23:00" "shut until Wed 2029-02-28 18:00 CET"
row "sat 22:00-06:00" "2026-11-21 23:00" "shut until Sat 2026-12-05 22:00 CET" \
	"except=2026-11-20..2026-11-28"
row "sat 22:00-06:00" "2026-11-22 01:00" "open until Sun 2026-11-22 06:00 CET" "except=2026-11-22"
row "sat 22:00-06:00" "2026-12-26 23:00" "shut until Sat 2027-01-02 22:00 CET" "except=2026-12-26,2026-12-31"

# ---- daylight saving: Berlin, 2027-03-28 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00
row "sun 02:30-05:00" "2027-03-28 01:59" "shut until Sun 2027-03-28 03:30 CEST"
row "sun 02:30-05:00" "2027-03-28 03:30" "open until Sun 2027-03-28 05:00 CEST"
row "sun 01:30-02:30" "2027-03-28 03:20" "open until Sun 2027-03-28 03:30 CEST"
row "sun 02:30-03:15" "2027-03-28 03:10" "shut until Sun 2027-04-04 02:30 CEST"
row "sat 22:00-06:00" "2027-03-28 05:59" "open until Sun 2027-03-28 06:00 CEST"
row "sun 02:30-05:00" "2026-10-25 02:30 CEST" "open until Sun 2026-10-25 05:00 CET"
row "sun 01:00-02:30" "2026-10-25 02:15 CEST" "open until Sun 2026-10-25 02:30 CEST"
row "sun 01:00-02:30" "2026-10-25 02:15 CET" "shut until Sun 2026-11-01 01:00 CET"
# seven hours of clock, eight that pass
row "sat 23:00-06:00" "2026-10-24 23:00" "open until Sun 2026-10-25 06:00 CET" expected_do=8h
row "sat 23:00-06:00" "2026-10-24 23:00" "short until " expected_do=28801
# the other half of the world, and a zone of half an hour (Lord Howe: 02:00 -> 02:30)
row "sun 02:15-04:00" "2026-10-04 01:59" "shut until Sun 2026-10-04 02:45 +11" timezone=Australia/Lord_Howe
row "sat 22:00-06:00" "2026-11-21 23:00" "open until Sun 2026-11-22 06:00 JST" timezone=Asia/Tokyo
row "fri 12:00-13:00" "2026-11-20 12:30" "open until Fri 2026-11-20 13:00 UTC" timezone=UTC
guard window "windows=fri 12:00-13:00" "now=$(date -d '2026-11-20 12:30 UTC' +%s)"
is "without a time zone the server's counts" "$result $(output closes)" "unchanged Fri 2026-11-20 13:00 UTC"

# ---- long enough?
row "sat 22:00-06:00" "2026-11-21 22:00" "open until Sun 2026-11-22 06:00 CET" expected_do=7h expected_undo=1h
row "sat 22:00-06:00" "2026-11-21 22:01" "short until Sat 2026-11-28 22:00 CET" expected_do=7h expected_undo=1h
is "every figure is told" "$causes" "the window closes Sun 2026-11-22 06:00 CET, 7h 59m from now; 7h 00m to do the rest and 1h 00m to take it back are needed; the next window that is long enough is Sat 2026-11-28 22:00 CET to Sun 2026-11-29 06:00 CET"
row "sat 22:00-06:00,sun 22:00-23:00" "2026-11-22 12:00" "shut until Sat 2026-11-28 22:00 CET" expected_do=2h
row "daily 22:00-23:00" "2026-11-22 12:00" "shut until " expected_do=2h
like "no window is ever long enough" "$causes" "no window of the next 400 days is long enough"

# ---- what is not understood is refused, with its reason
for wrong in "sat" "sat 22:00" "sat 22:00-25:00" "sat 22:60-23:00" "sat 22:00-22:00" "sat 24:00-23:00" \
	"sat 9:00-10:00" "sta 22:00-23:00" "2nd 22:00-23:00" "6th tue 22:00-23:00" "sixth tue 22:00-23:00" "2nd daily 22:00-23:00" \
	"2026-02-29 22:00-23:00" "2026-13-01 22:00-23:00" "sat-mnd 22:00-23:00" "sat 22:00-23:00 CET" \
	"sat 22:00-24:01" "every sat 22:00-23:00" "" "1st 2026-12-24 22:00-23:00" "sat 22.00-23.00"; do
	row "$wrong" "2026-11-20 12:00" wrong
done
row "daily 22:00-23:00" "2026-11-20 12:00" wrong except=2026-11-31
row "daily 22:00-23:00" "2026-11-20 12:00" wrong except=2026-11-30..2026-11-29
for zone in Europe/Berlyn ../../etc/passwd /etc/localtime America Europe/ zone.tab tzdata.zi Factory right/Europe/Berlin posix/../Europe/Berlin; do
	guard window "windows=daily 22:00-23:00" timezone=$zone
	like "no time zone: $zone" "$result $out" "^bad-args .*'$zone' is no time zone that this server knows"
done
[ ! -e /usr/share/zoneinfo/posix/Europe/Berlin ] ||
	row "sat 22:00-06:00" "2026-11-21 23:00" "open until Sun 2026-11-22 06:00 CET" timezone=posix/Europe/Berlin
if unshare -m mount -t tmpfs none /usr/share/zoneinfo 2>/dev/null; then
	out=$(unshare -m sh -c 'mount -t tmpfs none /usr/share/zoneinfo && exec "$@"' sh "${step[@]}" guard.window check \
		"windows=daily 00:00-24:00" timezone=UTC 2>&1)
	like "UTC is one without tzdata" "$out" '"phase":"check","result":"unchanged"'
fi

# ---- load
guard load one=0 five=0 memory=0
is "any load is fine when nothing is asked" "$result" unchanged
[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null || { end; }

# fake SOURCE TARGET STEP ARGUMENT...: guard with SOURCE mounted over TARGET
fake()
{
	local source=$1 target=$2 name=$3

	shift 3
	# shellcheck disable=SC2016
	out=$(unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$source" "$target" \
		"${step[@]}" "guard.$name" check "$@" 2>&1)
	result=$(sed -n 's/.*"phase":"check","result":"\([a-z-]*\)".*/\1/p' <<<"$out")
	causes=$(sed -n 's/.*"event":"inhibit".*"cause":"\([^"]*\)".*/\1/p' <<<"$out")
}
cores=$(getconf _NPROCESSORS_ONLN)
echo "$((cores * 3)).00 $((cores * 2)).00 0.10 1/100 1" >"$tmp/loadavg"
fake "$tmp/loadavg" /proc/loadavg load memory=0
is "too much load is refused, with both figures" "$result $(wc -l <<<"$causes")" "refused 2"
like "in percent per processor" "$causes" 'is 300 %, 200 % allowed'
fake "$tmp/loadavg" /proc/loadavg load one=300 five=200 memory=0
is "as much as allowed is not too much" "$result" unchanged
if [ -e /proc/pressure/memory ]; then
	echo "some avg10=90.00 avg60=31.50 avg300=1.00 total=1" >"$tmp/psi"
	fake "$tmp/psi" /proc/pressure/memory load one=0 five=0
	like "memory pressure" "$result $causes" 'refused time that work stood still for memory is 32 %, 20 % allowed'
fi

# ---- power
if [ -d /sys/class/power_supply ]; then
	supply() { mkdir -p "$tmp/power/$1"; echo "$3" >"$tmp/power/$1/$2"; }
	supply AC type Mains; supply AC online 1
	supply BAT0 type Battery; supply BAT0 status Charging
	supply mouse type Battery; supply mouse scope Device; supply mouse status Discharging
	fake "$tmp/power" /sys/class/power_supply power
	is "on mains" "$result" unchanged
	supply AC online 0; supply BAT0 status Discharging
	fake "$tmp/power" /sys/class/power_supply power
	is "on battery" "$result $(sort <<<"$causes" | paste -sd,)" "refused AC is off line,the server runs on BAT0"
fi
guard power ups=nobody@localhost
is "a UPS that can't be asked" "$result" failed
mkdir "$tmp/bin" "$tmp/sbin"
cat >"$tmp/sbin/upsc" <<'END'
#!/bin/sh
case $1 in
-l) printf 'left\nright\n' ;;
left*) printf 'battery.charge: 100\nups.status: OL\n' ;;
*) printf 'ups.status: OB DISCHRG\nups.status.more: OL\n' ;;
esac
END
chmod 755 "$tmp/sbin/upsc"
fake "$tmp/sbin" /usr/sbin power ups=left@here
is "a UPS on line" "$result" unchanged
fake "$tmp/sbin" /usr/sbin power
like "all of this host; one is on battery" "$result $causes" 'refused UPS right is on battery \(OB DISCHRG\)'

# ---- busy
cp /bin/sleep "$tmp/bin/restic"
"$tmp/bin/restic" 60 &
pid=$!
printf '#!/bin/bash\nread -t 60 <> <(:)\n' >"$tmp/bin/borg"
bash "$tmp/bin/borg" &
script=$!
# until both are what they are to be
named() { [ "$(cat "/proc/$pid/comm" "/proc/$script/comm" | xargs)" = "restic $1" ]; }
for _ in $(seq 600); do
	named bash && grep -qz "^$tmp/bin/borg" "/proc/$script/cmdline" && break
	sleep 0.1
done
guard busy locks=
like "a backup runs" "$result $causes" "restic runs as process $pid"
like "a script too" "$causes" "borg runs as process $script"
guard busy processes=nothing-like-this locks=
is "other names do not count" "$result" unchanged
kill $pid $script
wait $pid $script 2>/dev/null

# a backup daemon waits all day; only with a connection is it at work
cat >"$tmp/bin/bacula-fd" <<'END'
use strict; use IO::Socket::INET;
my $at = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
my $caller;
$| = 1; print $at->sockport, "\n";
while (<STDIN>) {
	if (/call/) { $caller = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $at->sockport) or die; }
	else { close $caller; }
	print "so\n";
}
END
coproc FD { exec perl "$tmp/bin/bacula-fd"; }
pid=$FD_PID
tell() { echo "$1" >&"${FD[1]}" && read -r -u "${FD[0]}"; }
read -r -u "${FD[0]}"
guard busy processes=nothing locks=
is "a backup daemon that waits" "$result" unchanged
tell call
guard busy processes=nothing locks=
like "one that works" "$result $causes" "refused bacula-fd, process $pid, is at work"
guard busy processes=nothing daemons= locks=
is "one that may" "$result" unchanged
tell end
guard busy processes=nothing locks=
is "one that has ended" "$result" unchanged
kill "$pid"
wait "$pid" 2>/dev/null
: >"$tmp/lock"
guard busy processes=nothing "locks=$tmp/lock,$tmp/no-lock"
is "a lock that nobody holds" "$result" unchanged
# hold FILE: somebody else does; sets $pid
hold()
{
	rm -f "$tmp/held"
	perl -e 'use Fcntl; open(F, "+<", $ARGV[0]); my $l = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);
		fcntl(F, F_SETLK, $l) or die; print "held\n"; close(STDOUT); sleep 60' "$1" >"$tmp/held" &
	pid=$!
	for _ in $(seq 600); do
		[ -s "$tmp/held" ] && break
		sleep 0.1
	done
}
release()
{
	kill $pid
	wait $pid 2>/dev/null
}
hold "$tmp/lock"
guard busy processes=nothing "locks=$tmp/lock"
is "one that is held" "$result $causes" "refused process $pid holds $tmp/lock"
ln -s lock "$tmp/link"
guard busy processes=nothing "locks=$tmp/lock,$tmp/link"
is "is named once, whatever its names" "$(wc -l <<<"$causes")" 1
release

# those of dpkg, apt, rpm and dnf, where they are; what this machine does is out of sight
tops="/var/lib /var/cache /run /usr/lib/sysimage"
fake_locks()
{
	# shellcheck disable=SC2016,SC2086
	out=$(unshare -m sh -c 'at=$1; shift
		while [ "$1" != -- ]; do [ ! -d "$1" ] || mount --bind "$at$1" "$1" || exit; shift; done
		shift; exec "$@"' sh "$tmp/top" $tops -- "${step[@]}" guard.busy check processes=nothing 2>&1)
	result=$(sed -n 's/.*"phase":"check","result":"\([a-z-]*\)".*/\1/p' <<<"$out")
	causes=$(sed -n 's/.*"event":"inhibit".*"cause":"\([^"]*\)".*/\1/p' <<<"$out")
}
for path in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock \
	/var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock /run/dnf/rpmtransaction.lock; do
	[ -d "$(cut -d/ -f1-4 <<<"$path")" ] || [ "${path#/usr}" = "$path" ] || continue
	for top in $tops; do
		mkdir -p "$tmp/top$top"
	done
	mkdir -p "$(dirname "$tmp/top$path")"
	: >"$tmp/top$path"
	hold "$tmp/top$path"
	fake_locks
	is "somebody holds $path" "$result $causes" "refused process $pid holds $path"
	release
	fake_locks
	is "nobody does" "$result" unchanged
	rm -rf "$tmp/top"
done

# ---- users: sessions of logind, else utmp
# fake_run ARGUMENT...: guard.users with $tmp/run as /run
fake_run() { fake "$tmp/run" /run users "$@"; }
mkdir -p "$tmp/run/systemd/sessions"
n=7
for class in user user-early user-light user-early-light user-incomplete greeter lock-screen background background-light \
	manager manager-early none; do
	printf 'UID=0\nUSER=root\nACTIVE=1\nSTATE=online\nCLASS=%s\nTTY=pts/%s\n' $class $n >"$tmp/run/systemd/sessions/$n"
	n=$((n + 1))
done
printf 'UID=0\nUSER=root\nSTATE=closing\nCLASS=user\nTTY=pts/99\n' >"$tmp/run/systemd/sessions/99"
fake_run
is "people in sessions of logind, by class; a closing one, screens and managers do not count" \
	"$result $(grep -o 'root ([^)]*)' <<<"$causes" | sort -V | paste -sd,)" "refused root (pts/7),root (pts/8),root (pts/9),root (pts/10)"
like "as many as there are" "$causes" '^4 sessions, 0 allowed: '
fake_run max=4
is "so many are allowed" "$result" unchanged
fake_run ignore=root
is "a user that does not count" "$result" unchanged
# ---- a clone is not held up by what is outside of it
echo patchday >"$tmp/run/systemd/container"
rm -rf "$tmp/run/systemd/sessions"
# in_clone WANTED GUARD ARGUMENT...: in one, and in a container of another kind
in_clone()
{
	local wanted=$1 guard=$2

	shift 2
	fake "$tmp/run" /run "$guard" "$@"
	is "$guard in a clone" "$result" "$wanted"
	echo lxc >"$tmp/run/systemd/container"
	fake "$tmp/run" /run "$guard" "$@"
	like "and in another container" "$result" '^(refused|failed|bad-args)$'
	echo patchday >"$tmp/run/systemd/container"
}
in_clone unchanged window "windows=2020-01-01 00:00-01:00"
in_clone bad-args window "windows=always"
in_clone unchanged power ups=nobody@localhost
echo "$((cores * 3)).00 $((cores * 2)).00 0.10 1/100 1" >"$tmp/run/loadavg"
fake_load()
{
	# shellcheck disable=SC2016
	out=$(unshare -m sh -c 'mount --bind "$1/loadavg" /proc/loadavg && mount --bind "$1" /run && shift && exec "$@"' sh "$tmp/run" \
		"${step[@]}" guard.load check memory=0 2>&1)
	result=$(sed -n 's/.*"phase":"check","result":"\([a-z-]*\)".*/\1/p' <<<"$out")
}
fake_load
is "load in a clone" "$result" unchanged
echo lxc >"$tmp/run/systemd/container"
fake_load
is "and in another container" "$result" refused

# struct utmpx of glibc, 384 bytes on this machine
perl -e 'sub u { pack("s x2 i a32 a4 a32 a256 s2 i i2 i4 a20", $_[0], 4242, $_[1], "1", $_[2], "") }
	print u(7, "pts/1", "ann"), u(7, "tty2", "bob"), u(6, "tty3", "LOGIN")' >"$tmp/utmp"
fake_utmp()
{
	# shellcheck disable=SC2016
	out=$(unshare -m sh -c 'mount -t tmpfs none /run && cp "$1" /run/utmp && shift && exec "$@"' sh \
		"$tmp/utmp" "${step[@]}" guard.users check "$@" 2>&1)
	result=$(sed -n 's/.*"phase":"check","result":"\([a-z-]*\)".*/\1/p' <<<"$out")
	causes=$(sed -n 's/.*"event":"inhibit".*"cause":"\([^"]*\)".*/\1/p' <<<"$out")
}
if [ "$(uname -m)" = x86_64 ]; then
	fake_utmp
	is "two are logged in" "$result $causes" "refused 2 sessions, 0 allowed: ann (pts/1), bob (tty2)"
	fake_utmp ignore=ann
	is "one does not count" "$causes" "1 session, 0 allowed: bob (tty2)"
	fake_utmp ignore=ann max=1
	is "one is allowed" "$result" unchanged
fi
end
