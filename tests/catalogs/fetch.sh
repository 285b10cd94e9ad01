#!/bin/bash
# SPDX-License-Identifier: MIT
# The package source: what the catalog says and nothing else gets into it, of
# what was chosen; resumed, from a medium, and only where nobody else can write.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
for tool in python3 jq; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
unset http_proxy https_proxy all_proxy no_proxy
tmp=$(mktemp -d)
mkdir -m 755 "$tmp/plugins" "$tmp/web" "$tmp/sources"
mkdir -m 700 "$tmp/keys"
cp "$PD_BUILDDIR"/plugins/{native,updateinfo,unpack}/.libs/*.so "$tmp/plugins/"
export PATCHDAY_STATE=$tmp/state PATCHDAY_LIBEXEC=$PD_BUILDDIR
patchday=("$PD_BUILDDIR/patchday")
[ ! -x "$PD_BUILDDIR/.libs/patchday" ] || patchday=("$PD_BUILDDIR/.libs/patchday")
places=(--plugin-dir "$tmp/plugins" --scripts "$PD_SRCDIR/scripts" --sources "$tmp/sources")
exec {port_fd}< <(exec python3 "$PD_SRCDIR/tests/transfer/server.py" "$tmp/web")
server=$!
trap 'kill $server; rm -rf "$tmp"' EXIT
read -r -u $port_fd port || { echo "Bail out! the server does not start"; exit 99; }
at=http://127.0.0.1:$port
to=$tmp/to

pd() # VERB ARGUMENT...: sets $out (standard output), $err and $rc
{
	out=$("${patchday[@]}" catalog "$1" "${places[@]}" "${@:2}" 2>"$tmp/err" </dev/null)
	rc=$?
	err=$(<"$tmp/err")
}

fetch()
{
	pd fetch "$tmp/c.xml" --to "$to" --retries 0 "$@"
}

sum() { "$1sum" <"$2" | cut -d' ' -f1; }
requests() { wc -l <"$tmp/web/requests"; }
there() { find "$to" -mindepth 1 -printf '%f\n' | sort | paste -sd' '; }

# update ID ADDRESS FILE [DIGEST [ARCH]]: with the size that FILE has; of ARCH alone with one
update()
{
	printf '<update id="%s" kind="security"><title>t</title>' "$1"
	printf '<payload id="1" url="%s" bytes="%s" digest="%s"/>' "$2" "$(stat -c %s "$3")" \
		"${4-sha256:$(sum sha256 "$3")}"
	printf '<package name="%s" version="2" scheme="deb" payload="1" arch="%s"/></update>\n' "$1" "${5-all}"
}

catalog() # UPDATE...: texts
{
	{
		echo '<catalog xmlns="urn:patchday:catalog:1">'
		printf '%s\n' "$@"
		echo '</catalog>'
	} >"$tmp/c.xml"
}

for name in a b c; do head -c 200000 /dev/urandom >"$tmp/web/$name.deb"; done

# ------------------------------------------------- what is chosen, and proved
catalog "$(update A "$at/plain/a.deb" "$tmp/web/a.deb")" "$(update B "$at/plain/b.deb" "$tmp/web/b.deb")" \
	"$(update C "$at/plain/c.deb" "$tmp/web/c.deb" "sha512:$(sum sha512 "$tmp/web/c.deb")")"
fetch --id A
is "one update is fetched" "$rc $(there)" "0 SHA256SUMS a.deb"
fetch
is "all of a frozen catalog" "$rc $(there)" "0 SHA256SUMS a.deb b.deb c.deb"
like "what was there is not fetched again" "$out" '2 fetched \(390.6 KiB\), 1 were there, 0 failed'
is "which the server sees" "$(requests)" 3
check "they are as they were" cmp -s "$tmp/web/b.deb" "$to/b.deb"
is "for all to read, for nobody to write" "$(stat -c '%a %u' "$to/b.deb")" "644 $(id -u)"
check "stock sha256sum says so, too" bash -c "cd '$to' && sha256sum --check --quiet SHA256SUMS"
fetch --json
is "as JSON, a line for each" "$(jq -rs 'map(.name + " " + .state + " " + (.updates | join(","))) | join("; ")' <<<"$out")" \
	"a.deb there A; b.deb there B; c.deb there C"
like "with what has come of how much" "$err" '"event":"progress","files":3,"files_of":3,"bytes":600000,"bytes_of":600000'
is "and nothing is asked for" "$(requests)" 3

pd approve "$tmp/c.xml" --id B --why "read it"
rm -r "$to"
fetch --approved
is "what is approved, and nothing else" "$rc $(there)" "0 SHA256SUMS b.deb"
fetch --id A --approved
is "nothing of what is not" "$rc" 2
like "which is said" "$err" 'no update that was chosen.*\[freeze-nothing\]'
cat >"$tmp/facts.json" <<-'END'
	{"os": {"hostname": "x"}, "packages": [{"name": "C", "version": "1", "arch": "all", "scheme": "deb"}]}
END
fetch --needed --facts "$tmp/facts.json"
is "what another server needs" "$rc $(there)" "0 SHA256SUMS b.deb c.deb"
fetch --id Z
is "an update that is not there" "$rc" 2
pd fetch "$tmp/c.xml"
is "without a folder, below the state" "$rc $(ls "$tmp/state/packages" | wc -l)" "0 4"

# -------------------------------------------------------------- not as it was
rm -r "$to"
echo tampered >>"$tmp/web/b.deb"
fetch
is "a payload that is not the one" "$rc $(there)" "4 SHA256SUMS a.deb c.deb"
like "is named" "$err" 'plain/b.deb (has the digest|is larger).*\[transfer-(digest|size)\]'
head -c 200000 "$tmp/web/b.deb" >"$tmp/b" && mv "$tmp/b" "$tmp/web/b.deb"
printf x | dd of="$tmp/web/b.deb" bs=1 seek=5 conv=notrunc status=none
fetch --json
is "of the same size" "$rc $(there)" "4 SHA256SUMS a.deb c.deb"
is "is told apart" "$(jq -r 'select(.error) | .name + " " + .error.id' <<<"$out")" "b.deb transfer-digest"
printf x | dd of="$to/c.deb" bs=1 seek=7 conv=notrunc status=none
fetch --id C
is "what was changed in the folder" "$rc $(there)" "0 .c.deb.wrong SHA256SUMS a.deb c.deb"
like "is set aside" "$err" 'is not what the catalog says.*/\.c\.deb\.wrong'
check "and comes anew" cmp -s "$tmp/web/c.deb" "$to/c.deb"
printf x | dd of="$to/c.deb" bs=1 seek=7 conv=notrunc status=none
mv "$tmp/web/c.deb" "$tmp/c.deb"
fetch --id C
is "also if it can't" "$rc $(there)" "4 .c.deb.wrong SHA256SUMS a.deb"
is "and is no longer listed" "$(cut -c67- "$to/SHA256SUMS")" a.deb
mv "$tmp/c.deb" "$tmp/web/"

catalog "$(update A "$at/plain/a.deb" "$tmp/web/a.deb" '')" "$(update C "$at/plain/c.deb" "$tmp/web/c.deb")"
fetch
is "without a digest it is not fetched" "$rc $(there)" "4 .c.deb.wrong SHA256SUMS a.deb c.deb"
like "which is said" "$err" 'no digest of .*a.deb \[payload-unproved\]'
catalog "$(update A "$at/plain/a.deb" "$tmp/web/a.deb" "md5:$(sum md5 "$tmp/web/a.deb")")"
fetch
is "with a weak one it is" "$rc" 0
like "and that is said" "$err" 'of 1 payload the catalog has a digest of MD5 or SHA-1 only'
mkdir "$tmp/web/x"
cp "$tmp/web/c.deb" "$tmp/web/x/a.deb"
catalog "$(update A "$at/plain/a.deb" "$tmp/web/a.deb")" "$(update B "$at/plain/x/a.deb" "$tmp/web/c.deb")"
fetch
is "two files of one name" "$rc" 4
like "are not mixed up" "$err" 'plain/a.deb and .*/x/a.deb would both be a.deb.*\[payload-name\]'
check "the first is there" cmp -s "$tmp/web/a.deb" "$to/a.deb"
for bad in "$at/plain/" "$at/plain/.hidden" "$at/plain/SHA256SUMS"; do
	catalog "$(update A "$bad" "$tmp/web/a.deb")"
	fetch
	is "no file can be called as in $bad" "$rc $(grep -c payload-name <<<"$err")" "4 1"
done
catalog "$(update A "ftp://127.0.0.1/a.deb" "$tmp/web/a.deb")"
fetch
is "another protocol" "$rc $(grep -c payload-address <<<"$err")" "4 1"

# ---------------------------------------------------- of which machine, from where
catalog "$(update A a.deb "$tmp/web/a.deb" "sha256:$(sum sha256 "$tmp/web/a.deb")" amd64)" \
	"$(update B c.deb "$tmp/web/c.deb" "sha256:$(sum sha256 "$tmp/web/c.deb")" arm64)" \
	"$(update S s.deb "$tmp/web/c.deb" "sha256:$(sum sha256 "$tmp/web/c.deb")" src)"
rm -r "$to"
fetch
is "an address that is not whole" "$rc $(grep -c payload-address <<<"$err")" "4 2"
mkdir -p "$tmp/medium" "$tmp/lying/pool"
cp "$tmp/web/a.deb" "$tmp/web/c.deb" "$tmp/medium/"
fetch --from "$tmp/medium"
is "lies on a medium under its name" "$rc $(there)" "0 SHA256SUMS a.deb c.deb"
rm -r "$to"
cp "$tmp/c.xml" "$tmp/flat.xml"
sed -i 's,url=",&pool/,' "$tmp/c.xml"
cp "$tmp/web/a.deb" "$tmp/web/c.deb" "$tmp/lying/pool/"
fetch --from "$tmp/lying"
is "or as in its address" "$rc $(there)" "0 SHA256SUMS a.deb c.deb"
rm -r "$to" "$tmp/lying/pool/a.deb"
cp "$tmp/web/a.deb" "$tmp/"
sed -i 's,pool/a.deb,../a.deb,' "$tmp/c.xml"
fetch --from "$tmp/lying"
is "and nowhere else" "$rc $(there) $(grep -c 'source-from' <<<"$err")" "4 SHA256SUMS c.deb 1"
rm -r "$to" "$tmp/a.deb"
mv "$tmp/flat.xml" "$tmp/c.xml"
fetch --base "$at/plain" --arch arm64
is "counts from --base, and of one kind of machine" "$rc $(there)" "0 SHA256SUMS c.deb"
printf '%s\n' "Url: $at/plain/c.xml" "Trust: none" >"$tmp/sources/s.source"
cp "$tmp/c.xml" "$tmp/web/"
pd sync
pd fetch sync:s --to "$to"
is "of a source that grows, not all" "$rc" 2
pd fetch sync:s --id A --to "$to" --retries 0
is "of a source it counts from where that is" "$rc $(there)" "0 SHA256SUMS a.deb c.deb"
pd freeze sync:s --id A --to "$tmp/frozen.xml"
like "and does so when it is frozen" "$(<"$tmp/frozen.xml")" "url=\"$at/plain/a.deb\""

# --------------------------------------------------------------- cut off, by hand
catalog "$(update A "$at/cut/150000/a.deb" "$tmp/web/a.deb")"
rm -r "$to" && : >"$tmp/web/requests"
fetch
is "a connection that breaks" "$rc $(there)" "4 .a.deb.part .a.deb.part.json SHA256SUMS"
fetch
is "is gone on with" "$rc $(there) $(cut -d' ' -f2 "$tmp/web/requests" | paste -sd' ')" "0 SHA256SUMS a.deb - bytes=150000-"
catalog "$(update A "$at/busy/1/a.deb" "$tmp/web/a.deb")"
rm -r "$to"
fetch --retries 2 --parallel 2 --rate 64MiB
is "a server that is busy is asked again" "$rc" 0
for wrong in "--parallel 0" "--parallel x" "--rate fast" "--retries x" "--retries 1.5" "--retries -5"; do
	# shellcheck disable=SC2086 # two words
	fetch $wrong
	is "$wrong" "$rc" 2
done

mkdir -p "$tmp/medium/pool/main"
cp "$tmp/web/a.deb" "$tmp/medium/"
cp "$tmp/web/c.deb" "$tmp/medium/pool/main/c d%2+.deb"
catalog "$(update A "http://gone.invalid/pool/main/a.deb" "$tmp/web/a.deb")" \
	"$(update C "http://gone.invalid/debian/pool/main/c d%2+.deb" "$tmp/web/c.deb")"
rm -r "$to" && : >"$tmp/web/requests"
fetch --from "$tmp/medium"
is "from a medium, flat or as the source is" "$rc $(there) $(requests)" "0 SHA256SUMS a.deb c d%2+.deb 0"
printf x | dd of="$tmp/medium/a.deb" bs=1 seek=7 conv=notrunc status=none
rm "$to/a.deb"
fetch --from "$tmp/medium"
is "with the same checks" "$rc $(there)" "4 SHA256SUMS c d%2+.deb"
rm "$tmp/medium/a.deb"
fetch --from "$tmp/medium"
is "that lacks one" "$rc" 4
like "which is said" "$err" 'medium has no a.deb.*\[source-from\]'

# a proxy, and a password for nobody but the source
printf 'proxy-password\n' >"$tmp/keys/proxy"
printf 'p\n' >"$tmp/keys/own"
chmod 600 "$tmp/keys"/*
: >"$tmp/web/proxy-login"
printf '%s\n' "Url: http://own.invalid/plain/c.xml" "Trust: none" "Proxy: $at" "Proxy-User: proxy-user" \
	"Proxy-Password-File: $tmp/keys/proxy" "User: u" "Password-File: $tmp/keys/own" >"$tmp/sources/p.source"
catalog "$(update A "http://own.invalid/login/a.deb" "$tmp/web/a.deb")" \
	"$(update B "http://other.invalid/login/b.deb" "$tmp/web/b.deb")" \
	"$(update C "http://other.invalid/plain/c.deb" "$tmp/web/c.deb")"
rm -r "$to"
fetch --source p
is "through the proxy of a source" "$(there)" "SHA256SUMS a.deb c.deb"
like "its password goes to its host alone" "$rc $err" '^4 .*other.invalid/login/b.deb: the server answers 401'

# ------------------------------ a repository: what is where, its primary.xml knows
mkdir -p "$tmp/web/repo/repodata" "$tmp/web/repo/Packages/d"
cp "$tmp/web/a.deb" "$tmp/web/repo/Packages/d/demo-2-1.noarch.rpm"

sum_of() { printf '<checksum type="sha256">%s</checksum>' "$(sum sha256 "$1")"; }

repository() # TIMESTAMP [FILE]: with the digest of this one in place of the package's own
{
	local data=$tmp/web/repo/repodata

	cat >"$data/updateinfo.xml" <<-END
	<updates><update status="final" from="x" type="security" version="1"><id>EX-1</id><title>t</title>
	<pkglist><collection>
	<package name="demo" version="2" release="1" arch="noarch"><filename>demo-2-1.noarch.rpm</filename></package>
	<package name="demo" version="2" release="1" arch="src"><filename>demo-2-1.src.rpm</filename></package>
	<package name="gone" version="2" release="1" arch="noarch"><filename>gone-2-1.noarch.rpm</filename></package>
	</collection></pkglist></update></updates>
	END
	cat >"$data/primary.xml" <<-END
	<metadata xmlns="http://linux.duke.edu/metadata/common"><package type="rpm"><name>demo</name><arch>noarch</arch>
	<version epoch="0" ver="2" rel="1"/>$(sum_of "${2-$tmp/web/a.deb}")<size package="200000"/>
	<location href="Packages/d/demo-2-1.noarch.rpm"/></package></metadata>
	END
	{
		echo '<repomd xmlns="http://linux.duke.edu/metadata/repo">'
		for part in updateinfo primary; do
			printf '<data type="%s">%s<location href="repodata/%s.xml"/><timestamp>%s</timestamp></data>\n' $part \
				"$(sum_of "$data/$part.xml")" $part "$1"
		done
		echo '</repomd>'
	} >"$data/repomd.xml"
}
printf '%s\n' "Url: $at/plain/repo/repodata/repomd.xml" "Trust: none" >"$tmp/sources/r.source"
fetch_rpm()
{
	rm -rf "$to"
	pd sync r --retries 0
	pd fetch sync:r --id EX-1 --to "$to" --retries 0
}
repository 1700000000
fetch_rpm
is "what has no more than a name is found and proved" "$rc $(there)" "4 SHA256SUMS demo-2-1.noarch.rpm"
like "what the repository no longer has is not" "$err" 'no digest of .*/repo/gone-2-1.noarch.rpm.*\[payload-unproved\]'
pd freeze sync:r --id EX-1 --to "$tmp/frozen.xml"
like "where it is and its digest are frozen" "$(<"$tmp/frozen.xml")" \
	"url=\"$at/plain/repo/Packages/d/demo-2-1.noarch.rpm\".* digest=\"sha256:$(sum sha256 "$tmp/web/a.deb")\""
repository 1700000001 "$tmp/web/c.deb"
fetch_rpm
is "another file is refused" "$rc $(there) $(grep -c transfer-digest <<<"$err")" "4 SHA256SUMS 1"
cp "$tmp/web/repo/repodata/primary.xml" "$tmp/primary.xml"
repository 1700000002
cp "$tmp/primary.xml" "$tmp/web/repo/repodata/primary.xml"
pd sync r --retries 0
is "and a list of another day" "$rc $(grep -c 'transfer-\(digest\|size\)' <<<"$err")" "4 1"

# ------------------------------------------------------------- nobody else's
rm -r "$to"
catalog "$(update A "$at/plain/a.deb" "$tmp/web/a.deb")" "$(update C "$at/plain/c.deb" "$tmp/web/c.deb")"
fetch
refused() # TEXT MESSAGE
{
	fetch
	is "$1" "$rc $(grep -c transfer-folder <<<"$err")" "2 1"
	like "which is said" "$err" "$2"
}
chmod 777 "$to"
refused "a folder that others can write to" "$to may be written by others.*mode 0777"
chmod 755 "$to" && chmod 666 "$to/c.deb"
refused "a file that others can write to" 'c.deb may be written by others'
like "and how to mend it" "$err" 'chmod go-w'
chmod 644 "$to/c.deb" && ln -s c.deb "$to/link.deb"
refused "a link in it" 'link.deb is a symbolic link'
rm "$to/link.deb" && mkdir -m 777 "$tmp/open" && mv "$to" "$tmp/open/" && to=$tmp/open/to
refused "a folder above that others can write to" "$tmp/open may be written by others"
chmod 755 "$tmp/open"
if [ "$(id -u)" = 0 ]; then
	chown 1234 "$to/c.deb"
	refused "a file of somebody else" 'c.deb is owned by user 1234'
	chown 0 "$to/c.deb" && chown 1234 "$to"
	refused "a folder of somebody else" 'is owned by user 1234'
	chown 0 "$to"
fi

# ------------------------------------------------------ a catalog that is signed
"${patchday[@]}" final --make-key --key "$tmp/keys/seal.key" --plugin-dir "$tmp/plugins" --scripts "$PD_SRCDIR/scripts" >/dev/null
pd sign "$tmp/c.xml" --key "$tmp/keys/seal.key"
fetch --key "$tmp/keys/seal.pub"
is "a catalog that is signed" "$rc $(there)" "0 SHA256SUMS a.deb c.deb"
echo ' ' >>"$tmp/c.xml"
fetch --key "$tmp/keys/seal.pub"
is "is refused when it was changed" "$rc $(grep -c '\[trust\]' <<<"$err")" "2 1"
fetch
is "whether or not anybody asks" "$rc" 2
rm "$tmp/c.xml.minisig"
fetch --key "$tmp/keys/seal.pub"
is "and when the signature is gone, if one asks" "$rc" 2
end
