#!/bin/bash
# SPDX-License-Identifier: MIT
# A real server is patched from a signed catalog that was synchronised, approved
# and frozen, with the payloads from the package source, when there is neither a
# network nor a source of apt any more; and it goes back the same way.
export PD_LAB=${PD_LAB:-t-frozen}
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
. "$PD_SRCDIR/tests/lab/server.sh" || exit 99
[ "$(id -u)" = 0 ] || skip "the lab needs root"
for tool in python3 jq dpkg-deb; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
tmp=$(mktemp -d)
web=
trap '[ -z "$web" ] || kill "$web"; "$lab" destroy >/dev/null 2>&1; rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
packages=/srv/patch/packages

# ask COMMAND...: on the server; sets $out and $rc
ask()
{
	out=$(on_server "$@" </dev/null 2>&1)
	rc=$?
}

versions()
{
	on_server dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Status}\n' </dev/null | sort
}

# made NAME VERSION [CONTROL-LINE]: a package of the vendor's, for what Debian has no example of at hand
made()
{
	local d=$tmp/build/$1_$2

	mkdir -p "$d/DEBIAN" "$tmp/web/made"
	printf '%s\n' "Package: $1" "Version: $2" "Architecture: all" "Maintainer: Lab <lab@example.org>" ${3:+"$3"} \
		"Description: made-up package" >"$d/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$d" "$tmp/web/made/$1_${2#*:}_all.deb" >/dev/null
}

# payload NUMBER NAME VERSION: of a made package, in a catalog
payload()
{
	local file=$tmp/web/made/$2_${3#*:}_all.deb

	printf '<payload id="%s" url="http://10.77.0.1:8000/made/%s" bytes="%s" digest="sha256:%s"/>' "$1" "${file##*/}" \
		"$(stat -c %s "$file")" "$(sha256sum <"$file" | cut -d' ' -f1)"
	printf '<package name="%s" version="%s" arch="all" scheme="deb" payload="%s" restart="none"/>' "$2" "$3" "$1"
}

server_up || { echo "Bail out! no server"; exit 1; }
mkdir -m 755 "$tmp/web"
made labone 1:1.0
made labone 1:1.1 "Depends: labnew (>= 1.0)"
made labnew 1.0
made labother 1.0
made labother 1.1
"$lab" push "$server" "$tmp/web/made" /root/made </dev/null
on_server sh -c 'dpkg -i /root/made/labone_1.0_all.deb /root/made/labother_1.0_all.deb' </dev/null >/dev/null 2>&1

# ------------------------------------- the vendor: a catalog, signed, and its files
on_server patchday catalog convert apt: --to /root/catalog.xml </dev/null >/dev/null
"$lab" pull "$server" /root/catalog.xml "$tmp/apt.xml" </dev/null
proof='apt: InRelease of [^"]*, signed with the key [0-9A-F]{40}'
is "each update of apt's has on record what proves it" "$(grep -c '<update ' "$tmp/apt.xml")" "$(grep -cE "<update .* trust=\"$proof" "$tmp/apt.xml")"
ask patchday scan --catalog apt: --json
is "which a scan tells" "$(jq -r 'select(.verdict == "needed").trust' <<<"$out" | grep -vcE "^$proof")" 0
ask patchday catalog show /root/catalog.xml --json
is "and of one that is frozen, that its file is not signed" "$(jq -r .trust <<<"$out" | grep -vcE "^not signed; on record: $proof")" 0
ask patchday catalog check apt:
like "check says where it stands" "$out" 'proved by: as each update says'
mirror=$(
	lab_dir=$PD_SRCDIR/tests/lab
	# shellcheck source=tests/lab/lib.sh
	. "$lab_dir/lib.sh"
	readlink -e "$lab_cache/$(recipe_digest)/mirror"
)
ln -s "$mirror" "$tmp/web/mirror"
{
	grep -v '</catalog>' "$tmp/apt.xml" | sed 's|url="file:/*srv/mirror/|url="http://10.77.0.1:8000/mirror/|'
	echo "<update id=\"LAB-1\" kind=\"security\"><title>with a new dependency</title>$(payload 1 labone 1:1.1)$(payload 2 labnew 1.0)</update>"
	echo "<update id=\"LAB-2\" kind=\"security\"><title>not wanted</title>$(payload 1 labother 1.1)</update>"
	echo "</catalog>"
} >"$tmp/web/catalog.xml"
"$PD_BUILDDIR/patchday" final --make-key --key "$tmp/vendor.key" --scripts "$PD_SRCDIR/scripts" >/dev/null
"$PD_BUILDDIR/patchday" catalog sign "$tmp/web/catalog.xml" --key "$tmp/vendor.key" --scripts "$PD_SRCDIR/scripts" >/dev/null
"$lab" net -- python3 -m http.server --bind 10.77.0.1 --directory "$tmp/web" 8000 >"$tmp/web.log" 2>&1 &
web=$!

# ------------------------------------------ the server: no source of apt any more
"$lab" push "$server" "$tmp/vendor.pub" /etc/patchday/vendor.pub </dev/null
on_server sh -c '
	mkdir -p /etc/patchday/sources.d /srv/old
	printf "%s\n" "Url: http://10.77.0.1:8000/catalog.xml" "Trust: minisign /etc/patchday/vendor.pub" \
		>/etc/patchday/sources.d/vendor.source
	# what is installed, as somebody keeps it for the way back
	dpkg-query -W -f "\${Package}_\${Version}_\${Architecture}.deb\n" | sed "s/_[0-9]*:/_/" | while read -r f; do
		cp "/srv/mirror/pool/base/$f" /srv/old/ 2>/dev/null
	done
	cp /root/made/*_1.0_all.deb /srv/old/
	rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
	umount /srv/mirror' </dev/null
versions >"$tmp/before"
ask apt-get -s dist-upgrade
like "apt knows of nothing newer" "$out" '^0 upgraded'

ask patchday catalog sync
is "the signed catalog is synchronised" "$rc" 0
like "proved by the vendor's key" "$out" '^vendor +[0-9]+ updates.*proved by minisign'
ask patchday scan --catalog sync:vendor --json
needed=$(jq -r 'select(.verdict == "needed") | .id' <<<"$out" | wc -l)
is "the server needs updates of it" "$((needed > 10))" 1
ask patchday catalog approve sync:vendor --needed --why "tried on the test server"
is "they are approved" "$rc $(grep -c ^approved <<<"$out")" "0 $needed"
ask patchday catalog withdraw --id LAB-2 --why "not wanted"
is "but for one" "$rc" 0
on_server mkdir -p /srv/patch </dev/null
ask patchday catalog freeze sync:vendor --approved --to /srv/patch/frozen.xml
is "what is approved is frozen" "$rc $(on_server patchday catalog show /srv/patch/frozen.xml </dev/null | wc -l)" "0 $((needed - 1))"
ask patchday catalog fetch /srv/patch/frozen.xml --to $packages
is "the payloads are fetched" "$rc" 0
like "all of them" "$out" '^/srv/patch/packages: [0-9]+ fetched \(.*\), 0 were there, 0 failed$'
ask sh -c "cd $packages && sha256sum --check --quiet SHA256SUMS && find . ! -user root -o -perm /022 ! -type l"
is "as they should be, and root's alone" "$rc $out" "0 "
ask ls $packages
like "the new dependency is among them" "$out" '^labnew_1.0_all.deb$'
is "what is not approved is not" "$(grep -c labother <<<"$out")" 0

# ---------------------------------------------------------------- no network
kill "$web"
wait "$web" 2>/dev/null
web=
on_server ip link set host0 down </dev/null
ask curl -s -m 5 http://10.77.0.1:8000/catalog.xml
is "there is no network any more" "$((rc != 0))" 1
on_server sh -c 'cat >/root/frozen.lua' <<END
local pd = require "patchday"
local update = pd.use "update"
return pd.workflow { api = 1, name = "frozen", role = "test", help = "from a package source",
	plan = function(t)
		local due = t.catalog:needed()
		if #due == 0 then return pd.nothing "no update applies" end
		return { pd.stage "install" { on_failure = "undo",
			update.install { updates = due, source = "$packages", from = "/srv/old" } } }
	end }
END
run=(patchday run /root/frozen.lua --catalog /srv/patch/frozen.xml)

# refused TEXT MESSAGE: the run does not begin, and nothing was touched
refused()
{
	ask "${run[@]}"
	is "$1: the run is refused" "$rc" 4
	like "which is said" "$out" "$2"
	empty "nothing was touched" "$(versions | diff "$tmp/before" -)"
}

on_server sh -c "cp -a $packages /srv/medium; f=\$(ls $packages/libssl3_*.deb); printf x | dd of=\$f bs=1 seek=1000 conv=notrunc status=none" </dev/null
refused "a payload that was changed" 'libssl3_.*deb has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}'
ask patchday catalog fetch /srv/patch/frozen.xml --to $packages --from /srv/medium
is "it comes again from a medium" "$rc" 0
like "it alone" "$out" ': 1 fetched'
on_server sh -c "printf x | dd of=$packages/labnew_1.0_all.deb bs=1 seek=100 conv=notrunc status=none" </dev/null
refused "a dependency that was changed" 'labnew_1.0_all.deb has SHA-256'
on_server sh -c "cp -a /srv/medium/labnew_1.0_all.deb $packages/; chmod 777 $packages" </dev/null
refused "a package source that others can write to" "$packages can be written by others \(mode 0777\)"
on_server sh -c "chmod 755 $packages; chown nobody $packages/labnew_1.0_all.deb" </dev/null
refused "a file of somebody else" 'labnew_1.0_all.deb belongs to user 65534'
on_server sh -c "chown root $packages/labnew_1.0_all.deb; mv $packages/labone_1.1_all.deb /root/" </dev/null
refused "a payload that is not there" 'labone_1.1_all.deb is not there'
on_server sh -c "mv /root/labone_1.1_all.deb $packages/" </dev/null

# ------------------------------------------------------------------- patched
ask "${run[@]}"
is "the server is patched" "$rc" 0 || sed 's/^/# | /' <<<"$out"
id=$(on_server patchday status --json </dev/null | jq -r .run)
versions >"$tmp/after"
on_server cat /srv/patch/frozen.xml </dev/null >"$tmp/frozen.xml"
wrong=
while read -r name version; do
	grep -q "^$name:[a-z0-9]* $version installed$" "$tmp/after" || wrong+=" $name $version"
done < <(sed -n 's/.*<package name="\([^"]*\)" version="\([^"]*\)".*/\1 \2/p' "$tmp/frozen.xml")
empty "all packages have the versions of the catalog" "$wrong"
is "with the new dependency" "$(grep -c '^labnew:all 1.0 installed' "$tmp/after")" 1
is "what is not approved is as it was" "$(grep '^labother:' "$tmp/after")" "labother:all 1.0 installed"
ask patchday scan --catalog sync:vendor --json
is "it alone is still needed" "$(jq -r 'select(.verdict == "needed") | .id' <<<"$out")" LAB-2
ask patchday run /root/frozen.lua --catalog sync:vendor
like "and no plan has it" "$out" 'no update applies'
is "nor does it change" "$rc $(versions | diff "$tmp/after" - | wc -l)" "0 0"

# ------------------------------------------------------------ and the way back
ask patchday undo "$id"
is "all is taken back, still without a network" "$rc" 1 || sed 's/^/# | /' <<<"$out"
empty "to the versions that were there" "$(versions | diff "$tmp/before" -)"
end
