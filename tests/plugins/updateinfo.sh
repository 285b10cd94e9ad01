#!/bin/bash
# SPDX-License-Identifier: MIT
# The plugin updateinfo: what it reads of each variant of the format, that less
# is kept for one server and the verdicts are the same, and that an answer is
# given again only as long as nothing has changed.
. "${PD_SRCDIR:?}/tests/style/tap.sh" || exit 99
command -v jq >/dev/null || skip "jq is not installed"
data=$PD_SRCDIR/tests/data/catalogs/updateinfo
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 755 "$tmp/plugins"
cp "${PD_BUILDDIR:?}"/plugins/{updateinfo/.libs/updateinfo,unpack/.libs/unpack}.so "$tmp/plugins/"
cp "$data/variants.xml" "$data/installed.tsv" "$tmp/"
catalog=$tmp/variants.xml

pd()
{
	"$PD_BUILDDIR/patchday" "$@" --plugin-dir "$tmp/plugins" --state "$tmp/state" 2>"$tmp/err"
}

scan()
{
	pd scan --catalog "$catalog" --packages "$tmp/installed.tsv" --scheme rpm --json "$@"
}

verdicts()
{
	jq -r '"\(.id) \(.revision) \(.verdict) \([.packages[] | "\(.name)-\(.version).\(.arch)"] | join(" "))"' |
		sed 's/ $//'
}

want='EX-1 3 needed old-1:2.0-1.x86_64
EX-2 1 installed
EX-3 1 not-applicable
EX-4 1 not-applicable
EX-5 1 unknown
EX-6 1 installed
EX-7 1 needed old-1:1.5-1.x86_64
EX-7 2 needed switched-2-1.x86_64
EX-8 1 unknown'
is "the verdicts" "$(scan | verdicts)" "$want"
like "an entry that is wrong is named, with its line" "$(cat "$tmp/err")" \
	'variants.xml:[0-9]+: update EX-5: a package has no version'
like "which is why it is not known, and none of its packages" "$(scan --why EX-5)" '"packages":\[\],"reason":"a package has no version"'
like "an element that is not known is named" "$(cat "$tmp/err")" 'an element that is not known: newthing'
like "a date of no form is named" "$(cat "$tmp/err")" 'a date of no form that is known: mangled'
like "one id and revision is one update" "$(cat "$tmp/err")" 'update EX-7 is there more than once with revision "2"'
# ---- others in a text belong to it, wherever they stand and whatever they are called
printf '%s' '<updates><update type="security"><id>EX-1</id><title>of <b>one</b> line</title><pkglist><collection><package name="a" version="1"/></collection></pkglist>
	<description>a <b>b<i>c</i></b> d <id>e</id> f<br/>g</description><severity>Low</severity></update></updates>' >"$tmp/mixed.xml"
is "a text with elements in it is whole" "$(pd catalog show "$tmp/mixed.xml" --json | jq -r '"\(.id)|\(.title)|\(.description)|\(.severity)"')" \
	"EX-1|of one line|a bc d e fg|low"
like "why" "$(pd scan --catalog "$catalog" --packages "$tmp/installed.tsv" --scheme rpm --why EX-2)" \
	'new 9.0-1 is installed'
like "why not: one package" "$(pd scan --catalog "$catalog" --packages "$tmp/installed.tsv" --scheme rpm --why EX-3)" \
	'absent is not installed'
like "why not: withdrawn" "$(pd scan --catalog "$catalog" --packages "$tmp/installed.tsv" --scheme rpm --why EX-4)" \
	'it was withdrawn'
like "why it can't be said" "$(pd scan --catalog "$catalog" --packages "$tmp/installed.tsv" --scheme rpm --why EX-8)" \
	'whether the module perl:5.26 of modular is enabled'
# streams WORD...: why EX-8 is needed or not where these are enabled
streams()
{
	printf '%b\n' '# of a test' "$@" >"$tmp/streams"
	pd scan --catalog "$catalog" --packages "$tmp/installed.tsv" --scheme rpm --modules "$tmp/streams" --why EX-8
	cat "$tmp/err"
}
like "its stream is enabled" "$(streams 'other\t1' 'perl\t5.26')" '^needed .*5.26-2.module_el8 is offered, and 1 more'
like "or another one" "$(streams perl:5.30)" '^not-applicable .*the module perl:5.26 of plain is not enabled'
like "or another module" "$(streams other:1)" '^not-applicable .*the module perl:5.26 of plain is not enabled'
like "or none" "$(streams)" '^not-applicable .*the module perl:5.26 of plain is not enabled'
like "or none that can be understood" "$(streams perl)" "'perl' is no module and its stream.*facts-packages"
jq -Rn '{os: {hostname: "s"}, "x-modules": [{name: "perl", enabled: "5.26"}], packages: [inputs | split("\t") |
	{name: .[0], version: "\(.[2])-\(.[3])", arch: .[4], scheme: "rpm"}]}' <"$tmp/installed.tsv" >"$tmp/facts.json"
like "as a server's facts say it" "$(pd scan --catalog "$catalog" --facts "$tmp/facts.json" --why EX-8)" '^needed .*plain'
jq '."x-modules" = []' "$tmp/facts.json" >"$tmp/none.json"
like "that it is none, too" "$(pd scan --catalog "$catalog" --facts "$tmp/none.json" --why EX-8)" '^not-applicable .*plain is not'
jq 'del(."x-modules")' "$tmp/facts.json" >"$tmp/none.json"
like "or that nobody has looked" "$(pd scan --catalog "$catalog" --facts "$tmp/none.json" --why EX-8)" '^unknown .*modular is'

# --- default streams
modules=$PD_SRCDIR/tests/data/catalogs/updateinfo/modules.yaml
is "default streams of modules" "$(pd catalog show --json "$modules" | jq -r '"\(.id): \(.title)"' | paste -sd,)" \
	"perl:5.26: 5.26 is the default stream of the module perl,tools:rhel8: rhel8 is the default stream of the module tools"
is "apply nowhere by themselves" "$(pd scan --catalog "$modules" --packages "$tmp/installed.tsv" --scheme rpm --json --all | jq -r .verdict | sort -u)" \
	"not-applicable"
mkdir -p "$tmp/repo/repodata"
cp "$data/primary.xml" "$modules" "$tmp/repo/repodata"
cp "$catalog" "$tmp/repo/repodata/updateinfo.xml"
repository() # FOLDER: its repomd.xml lists what it has now
{
	local file

	echo '<repomd xmlns="http://linux.duke.edu/metadata/repo">'
	for file in primary.xml updateinfo.xml modules.yaml; do
		[ ! -e "$1/repodata/$file" ] || printf '<data type="%s"><checksum type="sha256">%s</checksum><location href="repodata/%s"/></data>' \
			"${file%.*}" "$(sha256sum <"$1/repodata/$file" | cut -d' ' -f1)" "$file"
	done
	echo '</repomd>'
} >"$1/repodata/repomd.xml"
repository "$tmp/repo"
catalog=$tmp/repo
export PATCHDAY_LIBEXEC=$PD_BUILDDIR
like "a default stream counts where none is enabled" "$(streams)" '^needed .*5.26-2.module_el8 is offered, and 1 more'
like "and not where another one is" "$(streams perl:5.30)" '^not-applicable .*the module perl:5.26 of plain is not enabled'
is "and its packages say so" "$(pd catalog show "$catalog" --json | jq -r 'select(.id == "EX-8") | .packages[].module' | sort -u)" \
	"perl:5.26 default"
jq '."x-modules" = [{name: "perl", enabled: ""}]' "$tmp/facts.json" >"$tmp/none.json"
like "nor where the module is disabled" "$(pd scan --catalog "$catalog" --facts "$tmp/none.json" --why EX-8)" '^not-applicable .*plain is not'
# own STREAM: EX-8 where the administrator has set this default stream
own()
{
	jq --arg stream "$1" '."x-modules" = [] | ."x-module-defaults" = [{name: "tools", stream: "5.26"}, {name: "perl", stream: $stream}]' \
		"$tmp/facts.json" >"$tmp/none.json"
	pd scan --catalog "${2:-$catalog}" --facts "$tmp/none.json" --why EX-8 | cut -d' ' -f1
}
is "what the administrator has set counts before the repository's" "$(own 5.26) $(own 5.30) $(own '')" \
	"needed not-applicable not-applicable"
is "also where that has none" "$(own 5.26 "$catalog/repodata/updateinfo.xml") $(own 5.2 "$catalog/repodata/updateinfo.xml")" \
	"needed not-applicable"
if unshare -m mount -t tmpfs none "$tmp/repo/repodata" 2>/dev/null; then
	mkdir -p "$tmp/etc/dnf/modules.defaults.d"
	cp "$modules" "$tmp/etc/dnf/modules.defaults.d/own.yaml"
	cp "$modules" "$tmp/etc/dnf/modules.defaults.d/notes.txt"
	is "which a scanner finds, with modules that have none" "$(unshare -m sh -c \
		'mount -t tmpfs none /etc && cp -r "$1/." /etc && shift && exec "$@"' sh "$tmp/etc" "$PD_BUILDDIR/patchday" facts \
		--plugin-dir "$tmp/plugins" --state "$tmp/state" --json 2>/dev/null | jq -c '[."x-module-defaults"[] | [.name, .stream]]')" \
		'[["perl","5.26"],["none",""],["tools","rhel8"]]'
else
	echo "# SKIPPED: the default streams of a server, which needs root and namespaces"
fi
# ---- of several repositories, as libmodulemd merges them
# together {WHEN STREAM}...: EX-8, where the default is 5.26 since 202601010000, beside
# repositories that have another one since then
together()
{
	local others=() why

	: >"$tmp/streams"
	while [ $# -gt 1 ]; do
		others+=(--catalog "$tmp/other${#others[@]}")
		mkdir -p "${others[-1]}/repodata"
		cp "$data/primary.xml" "${others[-1]}/repodata"
		echo '<updates/>' >"${others[-1]}/repodata/updateinfo.xml"
		printf -- '---\ndocument: modulemd-defaults\ndata:\n  module: perl\n  modified: %s\n  stream: "%s"\n' "$1" "$2" \
			>"${others[-1]}/repodata/modules.yaml"
		repository "${others[-1]}"
		shift 2
	done
	why=$(pd scan --catalog "$catalog" "${others[@]}" --packages "$tmp/installed.tsv" --scheme rpm --modules "$tmp/streams" --why EX-8)
	cut -d' ' -f1 <<<"$why"
}
is "another repository agrees" "$(together 202701010000 5.26)" needed
is "it has another stream, of later" "$(together 202701010000 5.30)" not-applicable
is "of before" "$(together 202501010000 5.30)" needed
is "of the same time: then there is no default" "$(together 202601010000 5.30)" not-applicable
is "whatever a third one says" "$(together 202601010000 5.30 202801010000 5.26)" not-applicable
rm "$tmp/repo/repodata/modules.yaml"
repository "$tmp/repo"
like "without a default of its own" "$(streams)" '^not-applicable '
is "another repository's counts" "$(together 1 5.26)" needed
catalog=$tmp/variants.xml
is "the counts" "$(pd scan --catalog "$catalog" --packages "$tmp/installed.tsv" --scheme rpm | tail -1)" \
	"3 needed, 2 installed, 0 superseded, 2 not applicable, 2 unknown"

# --- for one server little is kept, for many everything: the same comes out
cp "$tmp/installed.tsv" "$tmp/second.tsv"
is "all that is read for many servers gives the same" \
	"$(scan --packages "$tmp/second.tsv" | jq -c 'select(.server == "'"$tmp"'/second.tsv") | del(.server)')" \
	"$(scan | jq -c .)"

# --- the model
update()
{
	pd catalog show --json "$catalog" | jq -r "select(.id == \"$1\" and .revision == \"$2\") | $3"
}
is "title, without the blanks around it" "$(update EX-1 3 .title)" "old: fixes"
is "a text behind the references" "$(update EX-1 3 .description)" "what is fixed, behind the references"
is "severity, normalised and as written" "$(update EX-1 3 '"\(.severity) \(.severity_text)"')" "important Important"
is "aliases" "$(update EX-1 3 '[.relations[] | select(.kind == "alias") | .target] | join(" ")')" "CVE-2019-0001 77"
is "a link with &" "$(update EX-1 3 '[.relations[] | select(.kind == "reference") | .target][0]')" \
	"https://example.com/CVE-2019-0001?a=1&b=2"
is "its own page" "$(update EX-1 3 .url)" "https://example.com/EX-1"
is "files and digests" "$(update EX-1 3 '.payloads[0] | "\(.url) \(.digest[:10])"')" "old-2.0-1.x86_64.rpm sha256:000"
is "kinds" "$(pd catalog show --json "$catalog" | jq -r .kind | sort | uniq -c | awk '{ print $1 $2 }' | tr '\n' ' ')" \
	"5bugfix 1enhancement 3security "
for date in "EX-1 3 1553854830" "EX-2 1 1515628800" "EX-3 1 1515704700" "EX-4 1 1515704700" "EX-6 1 1515704700" \
	"EX-7 1 1515704700"; do
	read -r id revision seconds <<<"$date"
	is "the date of $id" "$(update "$id" "$revision" .issued)" "$seconds"
done
is "what has to be started anew" "$(update EX-6 1 .restart)" service
is "of packages that say so, those that are needed count" \
	"$(awk -f "$PD_SRCDIR/tests/data/catalogs/updateinfo/facts.awk" "$tmp/installed.tsv" >"$tmp/facts.json"
	pd scan --catalog "$catalog" --facts "$tmp/facts.json" --json | jq -r 'select(.id == "EX-1") | .restart')" reboot

# --- encodings
sed 's/encoding="UTF-8"/encoding="UTF-16"/' "$data/variants.xml" | iconv -f UTF-8 -t UTF-16 >"$tmp/utf16.xml"
catalog=$tmp/utf16.xml
is "UTF-16 with a byte-order mark" "$(scan | verdicts)" "$want"
{ printf '\xef\xbb\xbf'; cat "$data/variants.xml"; } >"$tmp/mark.xml"
catalog=$tmp/mark.xml
is "UTF-8 with a byte-order mark" "$(scan | verdicts)" "$want"
sed 's/fixes/\xff/' "$data/variants.xml" >"$tmp/bytes.xml"
catalog=$tmp/bytes.xml
scan >"$tmp/out"
like "invalid UTF-8 is refused with its line" "$(cat "$tmp/out" "$tmp/err")" 'bytes.xml:[67]:'
sed 's/fixes/\&undefined;/' "$data/variants.xml" >"$tmp/entity.xml"
catalog=$tmp/entity.xml
scan >"$tmp/out"
like "an entity that is not known is refused" "$(cat "$tmp/out" "$tmp/err")" 'entity &undefined; is not known'

# --- an answer that was given before
catalog=$tmp/variants.xml
old()
{
	while [ "$(stat -c %Z "$catalog")" -gt $(($(date +%s) - 3)) ]; do sleep 0.2; done
}
rm -rf "$tmp/state"
old
scan >"$tmp/first"
cp "$tmp/err" "$tmp/notes"
answer=$(echo "$tmp"/state/cache/answer-*)
echo marked >>"$answer"
is "the same is asked again, and answered from the cache" "$(scan)" "$(cat "$tmp/first" <(echo marked))"
is "with its notes" "$(cat "$tmp/err")" "$(cat "$tmp/notes")"
is "another question is another answer" "$(scan --why EX-3 | verdicts)" "EX-3 1 not-applicable"
touch -r "$catalog" "$tmp/time"
sed -i 's/version="1.5"/version="0.5"/' "$catalog"
touch -r "$tmp/time" "$catalog"
is "a catalog of the same size and time that has changed is read anew" "$(scan | verdicts | grep EX-7)" \
	"$(printf 'EX-7 1 installed\nEX-7 2 needed switched-2-1.x86_64')"
cp "$data/variants.xml" "$catalog"
is "and again" "$(scan | verdicts)" "$want"
sed -i '/^switched/d' "$tmp/installed.tsv"
is "other packages are another question" "$(scan | verdicts | grep 'EX-7 2')" "EX-7 2 not-applicable"
old
scan >"$tmp/first"
for answer in "$tmp"/state/cache/answer-*; do echo marked >>"$answer"; done
is "what was written is believed" "$(scan | tail -1)" marked
echo 3f6cbfd1-6c1e-4a0c-9d51-0a8f5a3bd0c7 >"$tmp/boot"
if unshare -m mount --bind "$tmp/boot" /proc/sys/kernel/random/boot_id 2>/dev/null; then
	is "until the next boot" "$(unshare -m bash -c 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"' - \
		"$tmp/boot" "$PD_BUILDDIR/patchday" scan --catalog "$catalog" --packages "$tmp/installed.tsv" --scheme rpm --json \
		--plugin-dir "$tmp/plugins" --state "$tmp/state" 2>/dev/null)" "$(cat "$tmp/first")"
else
	echo "# SKIPPED: an answer of another boot, which needs root and namespaces"
fi
rm -rf "$tmp/state"
is "the cache may be deleted at any time" "$(scan | verdicts | grep -c EX)" 9

# -------------------------------------------------------------- primary.xml
cp "$data/primary.xml" "$tmp/"
is "each package of a primary.xml is an update" "$(pd catalog show "$tmp/primary.xml" --json | jq -r .id | paste -sd' ')" \
	"old-1:2.0-1.x86_64 elsewhere-1-2.noarch unproved-1-1.noarch nowhere-1-1.noarch renamed-6-1.noarch"
is "with the file that it comes in, where that is and what proves it" "$(for id in old-1:2.0-1.x86_64 elsewhere-1-2.noarch \
	unproved-1-1.noarch nowhere-1-1.noarch; do
		pd catalog show "$tmp/primary.xml" --id "$id" --json |
			jq -r '"\(.packages[0].version) \(.issued) \(.bytes) \(.payloads[0] | "\(.url) \(.bytes) \(.digest)")"'
	done)" \
	"1:2.0-1 1700000000 4096 Packages/o/old-2.0-1.x86_64.rpm 2048 sha256:0e44d9a7f1ad5e5c2b0e4f2d3b0a8a0ad2c6b2c1f3bd8f3d5c1e1d9a6d7b4c21
1-2 0 1 https://other.example.org/repo/elsewhere-1-2.noarch.rpm -1 sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709
1-1 0 -1 unproved-1-1.noarch.rpm -1 
1-1 0 -1 null null null"
like "what has no version is named" "$(pd catalog check "$tmp/primary.xml"; cat "$tmp/err")" 'primary.xml:29: a package has no name, version or architecture'
is "and what replaces no package of a version" "$(grep -c 'primary.xml:3[45]: an entry of obsoletes' "$tmp/err")" 2
is "what it replaces is known" "$(pd catalog show "$tmp/primary.xml" --id renamed-6-1.noarch --json | jq -r '.packages[0].replaces')" \
	"plain < 6, new = 2:6-2"
catalog=$tmp/primary.xml
is "and is needed where it is newer, or replaces what is there" "$(scan | verdicts | grep -v not-applicable)" \
	"old-1:2.0-1.x86_64  needed old-1:2.0-1.x86_64
renamed-6-1.noarch  needed renamed-6-1.noarch"
is "all others are told, too" "$(scan | verdicts | grep -c not-applicable)" 3

# what no version compares with is refused, also of packages that the server lacks
cat >"$tmp/wrong.xml" <<'END'
<updates>
<update><id>GOOD</id><pkglist><collection><package name="old" epoch="" version="9" arch="x86_64"/></collection></pkglist></update>
<update><id>NONE</id><pkglist><collection><package name="old" epoch="None" version="9" arch="x86_64"/></collection></pkglist></update>
<update><id>ABSENT</id><pkglist><collection><package name="zoo" epoch="(none)" version="9" arch="x86_64"/></collection></pkglist></update>
<update><id>EMPTY</id><pkglist><collection><package name="zoo" version="" arch="x86_64"/></collection></pkglist></update>
<update><id>NAMELESS</id><pkglist><collection><package version="9" arch="x86_64"/></collection></pkglist></update>
</updates>
END
catalog=$tmp/wrong.xml
is "with an epoch that is no number, no version and no name updates are unknown" \
	"$(scan --all | jq -r '"\(.id) \(.verdict)"' | paste -sd,)" "GOOD installed,NONE unknown,ABSENT unknown,EMPTY unknown,NAMELESS unknown"
is "each with its line" "$(grep -o 'wrong.xml:.*' "$tmp/err")" 'wrong.xml:3: update NONE: the epoch "None" of package old is no number
wrong.xml:4: update ABSENT: the epoch "(none)" of package zoo is no number
wrong.xml:5: update EMPTY: a package has no version
wrong.xml:6: update NAMELESS: a package needs 1 to 256 characters as its name'
scan --strict >"$tmp/strict"
is "and --strict refuses the catalog" "$?" 2

# of several sums of a file the strongest counts, wherever it stands
one=$(printf %064d 1) weak=$(printf %032d 2)
for sums in "sha256 $one md5 $weak" "md5 $weak sha256 $one" "sha1 ${one:24} sha256 $one md5 $weak"; do
	{
		echo '<updates><update version="1"><id>S</id><pkglist><collection><package name="old" version="9" arch="x86_64"><filename>o.rpm</filename>'
		xargs -n 2 printf '<sum type="%s">%s</sum>' <<<"$sums"
		echo '</package></collection></pkglist></update></updates>'
	} >"$tmp/sums.xml"
	catalog=$tmp/sums.xml
	is "of ${sums//0} the strongest" "$(update S 1 '.payloads[0].digest')" "sha256:$one"
done

# what stands before the first element may be long, as far as is looked
{ printf '<?xml version="1.0"?>\n<!--%60000s-->\n<?x y?>' ''; echo '<updates><update version="1"><id>S</id></update></updates>'; } >"$tmp/comment.xml"
is "a comment of 60,000 bytes" "$(pd catalog check "$tmp/comment.xml" --json | jq -r '"\(.format) \(.updates)"')" "updateinfo:updateinfo 1"
{ printf '<?xml version="1.0"?>\n<!--%70000s-->\n' ''; echo '<updates/>'; } >"$tmp/comment.xml"
is "but not longer" "$(pd catalog check "$tmp/comment.xml" >/dev/null; echo $?)" 2

# of one id and revision many times: the memory does not grow with their square
awk 'BEGIN { print "<updates>"
	for (i = 0; i < 4000; i++)
		printf "<update version=\"1\"><id>A</id><pkglist><collection><package name=\"old\" epoch=\"5\" version=\"9.%d\" arch=\"x86_64\"/></collection></pkglist></update>\n", i
	print "</updates>" }' >"$tmp/many.xml"
catalog=$tmp/many.xml
# AddressSanitizer's shadow alone is larger
most=$((256 << 10))
! grep -qa __asan_init "$PD_BUILDDIR/.libs/patchday" "$PD_BUILDDIR/patchday" 2>/dev/null || most=unlimited
is "4,000 entries of one update are one, in 256 MiB" \
	"$(ulimit -v "$most"; scan | jq -r '"\(.verdict) \(.packages | length)"')" "needed 4000"

# a document of several MiB is read in pieces, also as it is unpacked
awk 'BEGIN { print "<updates>"
	for (i = 0; i < 20000; i++)
		printf "<update version=\"1\"><id>L-%d</id><title>%0300d</title><pkglist><collection><package name=\"old\" epoch=\"5\" version=\"9.%d\" arch=\"x86_64\"/></collection></pkglist></update>\n", i, i, i
	print "</updates>" }' >"$tmp/long.xml"
catalog=$tmp/long.xml
scan | jq -c 'del(.catalog)' >"$tmp/plain"
is "all of a long document" "$(jq -r .id "$tmp/plain" | awk '$0 != "L-" NR - 1' | head -1) $(wc -l <"$tmp/plain")" " 20000"
for pack in "gzip gz" "bzip2 bz2" "xz xz" "zstd zst"; do
	command -v "${pack% *}" >/dev/null || continue
	"${pack% *}" -kq "$tmp/long.xml"
	catalog=$tmp/long.xml.${pack#* }
	is "${pack#* }: the same" "$(scan | jq -c 'del(.catalog)' | cmp - "$tmp/plain" 2>&1)" ""
done
head -c -1000 "$tmp/long.xml.gz" >"$tmp/short.xml.gz"
catalog=$tmp/short.xml.gz
is "one that is cut off is none" "$(scan >"$tmp/out"; echo "$?")" 2
end
