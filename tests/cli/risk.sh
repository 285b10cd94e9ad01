#!/bin/bash
# SPDX-License-Identifier: MIT
# Risk: scores, classes, waves, partners; forms, pictures; what can't be used.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
for tool in jq xmllint python3; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
catalogs=$PD_SRCDIR/catalogs

cat >"$tmp/model.xml" <<'END'
<risk xmlns="urn:patchday:risk:1">
  <factor id="worth" axis="impact" weight="3" title="what it is worth">
    <level name="little" value="0"/>
    <level name="much" value="100" mitigation="be careful"/>
  </factor>
  <factor id="ports" axis="impact" weight="1" title="open ports" count="listeners">
    <level name="few" upto="1" value="0"/>
    <level name="many" value="100"/>
  </factor>
  <factor id="age" axis="likelihood" weight="1" title="years">
    <level name="new" upto="3" value="20"/>
    <level name="old" value="80" mitigation="replace it"/>
  </factor>
  <class id="low" from="0" working_hours="yes" hours="any"/>
  <class id="high" from="50" hours="night"/>
</risk>
END
# risk FILE ARGUMENT...: a CSV from standard input; sets $out and $rc
risk()
{
	cat >"$tmp/servers.csv"
	pd risk --model "$tmp/model.xml" "$tmp/servers.csv" "$@"
}

check "the model that ships fits its schema" xmllint --noout --relaxng "$catalogs/patchday-risk.rng" "$catalogs/risk.xml"
check "so does the one of this test" xmllint --noout --relaxng "$catalogs/patchday-risk.rng" "$tmp/model.xml"

risk <<END
server
$(printf 'a%.0s' {1..256})
END
like "the name of a server has an end" "$rc $out" '^2 .*servers.csv:2: .*has 256 bytes, at most 255 are allowed'

risk --json <<'END'
server,worth,ports,age,partner
b,much,many,4,
a,little,few,1,
# a comment
c,much,few,9,b
"d, the last",much,0,3.5,
END
is "scores are products of weighted means" "$rc $(jq -r '.[] | "\(.server)=\(.impact)*\(.likelihood)=\(.score)"' <<<"$out" | xargs)" \
	"0 a=0*20=0 c=75*80=60 d, the last=75*80=60 b=100*80=80"
is "partners do not go at once, whoever names the other" "$(jq -r '.[] | "\(.server):\(.wave)"' <<<"$out" | xargs)" \
	"a:1 c:2 d, the last:2 b:3"
is "who may be patched in working hours" "$(jq -r '.[] | select(.working_hours) | .server' <<<"$out")" a
risk <<'END'
server,worth,ports,age,partner
a,much,many,9,b
b,little,few,9,
c,little,few,9,"b; d"
d,little,few,1,
END
is "nor do those of one that several name" "$rc $(grep -oE '^wave [0-9].*|^  [a-d] ' <<<"$out" | xargs)" \
	"0 wave 1: low, any b d wave 2: low, any c wave 3: high, night a"
cp "$tmp/servers.csv" "$tmp/four.csv"
pd risk --dates --model "$tmp/model.xml" "$tmp/four.csv"
is "the waves begin a plan of dates" "$rc $(sed -n 's/"//g; 2,5p' <<<"$out" | tr -d '\r' | xargs)" \
	"0 b,1,,,,,,,a; c,low,yes,any d,1,,,,,,,c,low,yes,any c,2,,,,,,,b; d,low,yes,any a,3,,,,,,,b,high,no,night"
# dates WINDOW: the plan, with it in each row; sets $out and $rc
dates()
{
	"${patchday[@]}" risk "${places[@]}" --dates --model "$tmp/model.xml" "$tmp/four.csv" |
		awk -v w="$1" 'NR > 1 { sub(/"","","","",""/, w ",1h,1h,Person " NR) } 1' >"$tmp/dates.csv"
	pd schedule --first 2026-12-07 "$tmp/dates.csv"
}
dates 22:00,04:00
is "that can be filled in" "$rc $(grep -c 2026-12-14 <<<"$out")" "0 1"
dates 10:00,14:00
is "and that holds who may be patched in working hours" "$rc $(grep -c schedule-conflict <<<"$out")" "2 1"
like "by name" "$out" "dates.csv:5: a may be patched out of working hours only \(class high\), and its window, Mon 2026-12-21 10:00-14:00, is in them"
risk --json <<'END'
server,worth,ports,age,partner
b,much,many,4,
a,little,few,1,
c,much,few,9,b
END
is "classes say when" "$(jq -r '.[] | .class + " " + .hours' <<<"$out" | sort -u | xargs)" "high night low any"
is "what mitigates is told" "$(jq -c '.[1].mitigation' <<<"$out")" '["be careful","replace it"]'

# ---- clusters, and what is critical, go last
risk --json <<'END'
server,worth,ports,age,partner,cluster
n2,little,few,1,,db
n1,little,few,1,,db
lone,little,few,1,,-
crit,much,many,9,,none
twin,little,few,1,lone,
moved,little,few,1,lone; twin,no
n3,little,few,1,n1,db
END
is "nodes go after all others, one after the other" "$rc $(jq -r '.[] | "\(.server):\(.wave)"' <<<"$out" | xargs)" \
	"0 lone:1 moved:2 twin:3 n1:4 crit:4 n2:5 n3:6"
is "with a class of their own" "$(jq -c '.[] | select(.cluster) | [.cluster, .class, .partners]' <<<"$out" | xargs -d'\n')" \
	'["db","low",["n3","n2"]] ["db","low",["n1","n3"]] ["db","low",["n1","n2"]]'
risk <<'END'
server,worth,ports,age,cluster
a,little,few,1,pgsql
b,little,few,1,pgsq
c,little,few,1,pgsql
END
is "a cluster of one is told" "$rc $(sed -n 's/^patchday: .*servers.csv:/csv:/p' <<<"$out")" \
	"0 csv:3: b is the only node of the cluster 'pgsq'; did you mean pgsql?"
like "the table names the cluster" "$out" '^  c +0 low .* cluster pgsql'
risk --json <<'END'
server,worth,ports,age,cluster
a,little,few,1,DB
b,little,few,1,db
c,little,few,1,Db
d,little,few,1,Bd
END
sed '/^patchday: /d' <<<"$out" >"$tmp/out"
is "capitals make no other cluster" "$rc $(jq -r '.[] | select(.cluster == "DB") | "\(.server):\(.wave)"' "$tmp/out" | xargs)" "0 a:1 b:2 c:3"
is "which is called as its first node has it" "$(sed -n 's/^patchday: .*servers.csv:/csv:/p' <<<"$out")" \
	"csv:5: d is the only node of the cluster 'Bd'; did you mean DB?"
risk <<'END'
server,cluster
a,yes
END
like "a cluster has a name" "$rc $out" "^2 .*servers.csv:2: the column cluster has the name of a cluster, or nothing; 'yes' is none"
risk --json <<'END'
server,worth,ports,age,partner
a,little,few,4,b; c
b,little,few,4,a; c
c,little,few,4,
z,much,many,9,
END
is "the highest class goes after those that moved on" "$(jq -r '.[] | "\(.server):\(.wave)"' <<<"$out" | xargs)" "a:1 b:2 c:3 z:4"
sed 's/name="old"/& least="high"/' "$tmp/model.xml" >"$tmp/least.xml"
cat >"$tmp/servers.csv" <<'END'
server,worth,ports,age
a,much,many,new
b,little,few,old
c,little,few,
END
pd risk --model "$tmp/least.xml" "$tmp/servers.csv" --json
is "a level says the class at least, also where nobody knows" "$(jq -r '.[] | "\(.server) \(.wave) \(.score) \(.class) \(.raised_by)"' <<<"$out")" \
	"a 1 20 low null
b 2 0 high age old
c 2 0 high age ?"
pd risk --model "$tmp/least.xml" "$tmp/servers.csv"
like "and why is told" "$out" '^  b +0 high .* age old$'
cat >"$tmp/servers.csv" <<'END'
server,criticality,users,standby,exposure,hardware_years,backup_days,last_patched_days,last_result,custom,remote,cluster
single,high,50,none,5,2,5,30,rolled back,some,console,
node1,high,50,active,5,2,5,30,rolled back,some,console,c1
node2,high,50,active,5,2,5,30,rolled back,some,console,c1
vital,vital,5,active,5,1,1,1,done,none,console,
END
pd risk "$tmp/servers.csv" --model "$catalogs/risk.xml" --json
is "the model that ships does both" "$rc $(jq -r '.[] | "\(.server):\(.wave):\(.class)"' <<<"$out" | xargs)" \
	"0 single:1:medium node1:2:medium vital:2:critical node2:3:medium"

# ---- what spreadsheets write
printf '\xef\xbb\xbfserver;worth;age\r\nx;much;1\r\n"y ""z""";;\r\n' | { risk --json; echo "$out"; } >"$tmp/out"
is "spreadsheets write semicolons, marks and CR LF" "$(jq -r '.[].server' "$tmp/out" | sort | xargs -d'\n')" 'x y "z"'
printf 'server;worth;age\r\nx;much;1\r\n' | tr ';' '\t' | { risk --json; echo "$rc $out"; } >"$tmp/tabs"
is "or TABs" "$(jq -r '.[].score' <<<"$(sed '1s/^0 //' "$tmp/tabs")")" 20
printf 'server,worth,ports,age\r"a\rb",much,few,1\rc,muhc,few,1\r' | { risk; echo "$out"; } >"$tmp/mac"
is "or CR alone" "$(sed -n 's/^patchday: .*servers.csv:\([0-9]\): \(.*\) \[.*/\1 \2/p' "$tmp/mac")" \
	"2 the server's name has a line end, or another control character
4 c: 'muhc' is no worth; there are: little, much; did you mean much?"
printf '%s\n' '"# worth: little; or, ""much"""' '"# a comment",,,' '# another; with "' ',,,' 'server;age;worth' ' ;;' '"#x";1;much' 'a;1;much' |
	{ risk --json; echo "$rc $out"; } >"$tmp/quoted"
is "comments may be quoted, and records empty" "$(jq -c '[.[].server]' <<<"$(sed '1s/^0 //' "$tmp/quoted")")" '["a"]'
is "what nobody knows is the worst, and is said" "$(jq -c '.[] | select(.server != "x") | [.score, .unknown, .mitigation]' "$tmp/out")" \
	'[80,["worth","ports","age"],[]]'

mkdir "$tmp/facts"
echo '{"os": {"hostname": "e"}, "listeners": [{"protocol": "tcp", "address": "0.0.0.0", "port": 22}, {"protocol": "tcp", "address": "0.0.0.0", "port": 80}]}' >"$tmp/facts/1.json"
risk --json --facts "$tmp/facts" <<'END'
server,worth,age
e,little,1
END
is "facts are counted" "$(jq -c '.[0].factors[] | select(.factor == "ports") | [.value, .level]' <<<"$out")" '["2","many"]'
risk --json --facts "$tmp/facts" <<'END'
server,worth,age,ports
e,little,1,few
END
is "but the CSV comes first" "$(jq -r '.[0].factors[] | select(.factor == "ports") | .level' <<<"$out")" few

facts_of() { echo '{"os": {"hostname": "'"$1"'"}, "listeners": [{"protocol": "tcp", "address": "0.0.0.0", "port": 22}]}'; }
rm "$tmp/facts/1.json"
for host in alpha beta.example.com Gamma.example.com delta delta.example.com.x none eps.a eps.b; do
	facts_of $host >"$tmp/facts/$host.json"
done
risk --json --facts "$tmp/facts" <<'END'
server,worth,age
alpha.example.com,little,1
beta,little,1
gamma.example.com,little,1
delta.a,little,1
delta.b,little,1
eps,little,1
END
sed -n '/^patchday: /!p' <<<"$out" >"$tmp/out"
is "facts find their row by the short name" "$rc $(jq -r '.[] | select(.unknown == []) | .server' "$tmp/out" | sort | xargs)" \
	"0 alpha.example.com beta gamma.example.com"
is "where only one can be meant; what has no row is told" \
	"$(sed -n 's/^patchday: .*: no row is clearly that of \(.*\): it counts as one more server.*/\1/p' <<<"$out" | sort | xargs -d'\n')" \
	"delta, it may be delta.a delta.example.com.x eps.a, it may be eps eps.b, it may be eps none"
is "and is a server" "$(jq length "$tmp/out")" 11
pd risk --form --facts "$tmp/facts" --model "$tmp/model.xml"
is "without a list all facts are servers" "$rc $(grep -c ^patchday: <<<"$out") $(grep -vc '^#' <<<"$out")" "0 0 9"
mkdir "$tmp/nobody"
pd risk --json --facts "$tmp/facts" --facts "$tmp/nobody" --model "$tmp/model.xml"
is "a folder without facts is no answer" "$rc $(jq -r '.error | "\(.id) \(.message)"' <<<"$out")" \
	"2 facts-none the folder $tmp/nobody has no file of facts"
sed 's/count="listeners"/count="listener"/' "$tmp/model.xml" >"$tmp/kind.xml"
pd risk --facts "$tmp/facts" --model "$tmp/kind.xml"
like "facts that nobody has are told" "$rc $out" "no facts have 'listener', which the factor ports counts; did you mean listeners"

mkfifo "$tmp/pipe"
printf 'server\na\n' >"$tmp/one.csv"
like "a pipe is not replaced by the picture" "$("${patchday[@]}" risk "$tmp/one.csv" --matrix "$tmp/pipe" 2>&1 | paste -sd" "; stat -c %F "$tmp/pipe")" \
	'cannot write .*pipe: it is no regular file.*'$'\n''fifo'
risk --matrix "$tmp/m.svg" <<'END'
server,worth,ports,age
<evil> & "co",much,many,9
END
check "the picture is XML" xmllint --noout "$tmp/m.svg"
is "with the server at its place" "$(xmllint --xpath 'concat(//*[local-name()="circle"]/@cx, " ", //*[local-name()="circle"]/@cy)' "$tmp/m.svg")" "630 152"
like "the table has it, too" "$out" '^  <evil> & "co" +80 high +impact 100  likelihood  80  worth much'
risk --csv <<'END'
server,worth,ports,age
=1+1,much,many,9
END
is "CSV is read by others, and is no formula" "$(python3 -c 'import csv, sys; print([r[:3] for r in csv.reader(sys.stdin)])' <<<"$out")" \
	"[['server', 'wave', 'score'], [\"'=1+1\", '1', '80']]"
pd risk --form --model "$tmp/model.xml"
is "a form has each factor" "$rc $(grep -v '^#' <<<"$out")" "0 server,partner,cluster,worth,ports,age"
form=$out
risk --json < <(printf '%s\n' "$form" "a,,,little,few,2")
is "and can be used as it is" "$rc $(jq -r '.[0].score' <<<"$out")" "0 0"
risk --json < <(sed 's/^\(#.*\)$/"\1"/; s/,/;/g' <<<"$form"; echo "a;;;little;few;2")
is "also by a spreadsheet" "$rc $(jq -r '.[0].score' <<<"$out")" "0 0"
pd risk --form
is "so has that of the model that ships" "$rc $(grep -cv '^#' <<<"$out")" "0 1"

# refused WHAT WANTED: with the CSV of standard input
refused()
{
	risk
	like "$1" "$rc $out" "^2 .*$2"
}
risk <<'END'
server,worth,age,prots
a,muhc,9,
a,much,9,
b,much,old age,
c,little,1,
END
is "all that is wrong is told at once" "$rc $(sed -n 's/^patchday: .*servers.csv:\([0-9]\): .*/\1/p' <<<"$out" | xargs)" "2 1 2 3 4"
refused "a value that there is not" "servers.csv:2: a: 'muhc' is no worth; there are: little, much; did you mean much" <<'END'
server,worth
a,muhc
END
for value in 0x2 1e1 NaN -1 1e400; do
	refused "'$value' as a number" "'$value' is no age; there are: numbers, new, old" <<<"server,age
a,$value"
done
refused "a factor that there is not" "servers.csv:1: there is no factor 'wort'; did you mean worth" <<'END'
server,wort
a,much
END
refused "a server twice" "servers.csv:3: server 'a' is there twice" <<'END'
server,worth
a,much
a,much
END
refused "a partner that there is not" "servers.csv:2: the partner 'z' of a" <<'END'
server,partner
a,z
END
refused "no names" "there is no column 'server'" <<<"worth"
refused "a column twice" "servers.csv:1: the column 'worth' is there twice" <<<"server,worth,worth"
risk --json <<<"server,worth,,
a,little,,"
is "columns that nobody has named are none" "$rc" 0
refused "too many fields" "servers.csv:2: 3 fields, and the head has 1" <<'END'
server
a,b,c
END
refused "a quote without an end" "servers.csv:2: a quoted field has no end" <<'END'
server
"a
END
refused "nobody" "no server is named" <<<"server"
# model WHAT WANTED SED
model()
{
	sed "$3" "$tmp/model.xml" >"$tmp/broken.xml"
	echo server >"$tmp/servers.csv"
	pd risk --model "$tmp/broken.xml" "$tmp/servers.csv"
	like "a model $1" "$rc $out" "^2 .*$2"
}
model "with a wrong axis" "axis is impact or likelihood, not 'luck'" 's/axis="likelihood"/axis="luck"/'
model "whose levels do not rise" "upto has to rise|each level but the last" 's/name="many" value/name="many" upto="1" value/'
model "whose classes do not begin at 0" "from begins at 0" 's/from="0"/from="10"/'
model "with another word for working hours" "working_hours is yes or no, not 'often'" 's/working_hours="yes"/working_hours="often"/'
model "with a factor twice" "the factor 'worth' is there twice" 's/id="age"/id="worth"/'
model "of another namespace" 'broken.xml:1: the root is <risk xmlns="urn:other">, not <risk xmlns="urn:patchday:risk:1">' 's/urn:patchday:risk:1/urn:other/'
model "of none" 'broken.xml:1: the root is <risk xmlns="">' 's/ xmlns="[^"]*"//'
model "with an element of another namespace" "broken.xml:10: <factor> is of the namespace 'urn:other'" '10s/<factor/& xmlns="urn:other"/'
model "with an attribute that there is not" "broken.xml:4: <level> has no attribute 'mitigaton'; did you mean mitigation" 's/mitigation="be/mitigaton="be/'
model "with another one" "broken.xml:6: <factor> has no attribute 'cuont'; did you mean count" 's/count=/cuont=/'
model "whose hours are spelled wrong" "broken.xml:14: <class> has no attribute 'working_hour'; did you mean working_hours" 's/working_hours=/working_hour=/'
model "with an element that there is not" "broken.xml:14: <risk> has no <clas>; did you mean class" 's/<class id="low"/<clas id="low"/'
model "with an element too deep" "broken.xml:3: <level> has no <level>" '3s|/>|><level name="x" value="1"/></level>|'
model "with text" "broken.xml:1: there is text in <risk>" '2s/^/word /'
model "with a level twice" "broken.xml:4: factor 'worth' has the level 'little' twice" '4s/much/little/'
model "with a level without a name" "broken.xml:4: factor 'worth' has a level without a name" '4s/much//'
model "with a factor without a title" "broken.xml:2: factor 'worth' has no title" 's/ title="what it is worth"//'
for column in server partner cluster; do
	model "with a factor '$column'" "broken.xml:2: a factor can't be called '$column'" "s/id=\"worth\"/id=\"$column\"/"
	check "nor by the schema" [ "$(xmllint --noout --relaxng "$catalogs/patchday-risk.rng" "$tmp/broken.xml" 2>/dev/null; echo $?)" != 0 ]
done
model "with a class that there is not" "broken.xml:4: there is no class 'hihg'; did you mean high" '4s/value/least="hihg" &/'
model "with factors behind classes" "broken.xml:15: factors stand before classes" \
	'14a <factor id="x" axis="impact" weight="1" title="x"><level name="a" value="1"/></factor>'
for weight in 0 1001 1e2 0x10 9223372036854775808 -1 5.0; do
	model "with the weight $weight" "broken.xml:2: <factor id=\"worth\">: weight is a number from 1 to 1000, not '$weight'" "2s/weight=\"3\"/weight=\"$weight\"/"
done
model "with an entity" "." 's/<risk /<!DOCTYPE risk [<!ENTITY x "y">]><risk /'
end
