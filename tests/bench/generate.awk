# SPDX-License-Identifier: MIT
# A server and what is published for it, always the same: facts with PACKAGES
# packages and a native catalog with UPDATES updates, of which half are needed.
#   awk -v packages=2000 -v updates=1000 -v facts=FILE -v catalog=FILE -f this

function name(n) { return "package-" n }

function digest(n) { return sprintf("%08x", n) "aa5d27d7ab3ef5c1b24c7a6f3e0d8f7b92b0c4d1e6f8a7b3c5d9e1f0" }

function write_facts(i)
{
	print "{\"os\": {\"hostname\": \"files\", \"id\": \"debian\", \"version_id\": \"12\"," \
		" \"arch\": \"amd64\", \"family\": \"debian\"}," >facts
	print "\"kernel\": {\"release\": \"6.1.0-28-amd64\", \"machine\": \"x86_64\"}," >facts
	print "\"boot\": {\"id\": \"5a0c\", \"started\": 1795190142}," >facts
	print "\"services\": [" >facts
	for (i = 1; i <= 200; i++)
		print "{\"name\": \"unit-" i ".service\", \"state\": \"active\", \"sub_state\":" \
			" \"running\", \"enabled\": \"enabled\", \"description\": \"Unit " i "\"}" \
			(i < 200 ? "," : "],") >facts
	print "\"packages\": [" >facts
	for (i = 1; i <= packages; i++)
		print "{\"name\": \"" name(i) "\", \"version\": \"1:2." i % 40 ".3-4+deb12u2\"," \
			" \"arch\": \"amd64\", \"scheme\": \"deb\", \"status\": \"installed\"," \
			" \"source\": \"source-" int(i / 3) "\", \"source_version\":" \
			" \"1:2." i % 40 ".3-4+deb12u2\"}" (i < packages ? "," : "]}") >facts
}

# one package of an update; the version is newer, or the one installed
function write_package(i, k, n, newer)
{
	n = (i * 2 + k * 7) % packages + 1
	print "    <payload id=\"p" k "\" url=\"pool/main/" name(n) "_2." n % 40 ".3_amd64.deb\"" \
		" bytes=\"" 20000 + n * 37 "\"\n             digest=\"sha256:" digest(n) "\"/>" >catalog
	print "    <package name=\"" name(n) "\" epoch=\"1\" version=\"2." n % 40 ".3-4+deb12u" \
		(newer ? 3 : 2) "\" arch=\"amd64\"\n             scheme=\"deb\" source=\"source-" \
		int(n / 3) "\" payload=\"p" k "\"/>" >catalog
}

function write_update(i, k)
{
	print "  <update id=\"EX-2026-" i "\" revision=\"" i % 3 "\" kind=\"" kinds[i % 3] \
		"\" severity=\"" severities[i % 4] "\"\n          restart=\"" restarts[i % 3] \
		"\" issued=\"2026-" sprintf("%02d-%02d", i % 12 + 1, i % 28 + 1) "\" expected=\"20s\">" >catalog
	print "    <title>" name(i) ": update " i "</title>" >catalog
	print "    <description>A malformed request could make the service read behind the end" \
		" of a buffer, and crash or\nshow what is not meant to be seen. All servers that" \
		" run it are affected; restart it afterwards.</description>" >catalog
	print "    <link>https://updates.example.com/EX-2026-" i "</link>" >catalog
	print "    <alias id=\"CVE-2026-" 10000 + i "\"/>\n    <alias id=\"CVE-2026-" 20000 + i "\"/>" >catalog
	if (i > 1 && i % 5 == 0)
		print "    <supersedes id=\"EX-2026-" i - 1 "\"/>" >catalog
	for (k = 0; k <= i % 3; k++)
		write_package(i, k, 0, i % 2)
	print "  </update>" >catalog
}

BEGIN {
	split("security bugfix enhancement", words, " ")
	for (i = 1; i <= 3; i++) kinds[i - 1] = words[i]
	split("low moderate important critical", words, " ")
	for (i = 1; i <= 4; i++) severities[i - 1] = words[i]
	split("none service reboot", words, " ")
	for (i = 1; i <= 3; i++) restarts[i - 1] = words[i]
	write_facts()
	print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" >catalog
	print "<catalog xmlns=\"urn:patchday:catalog:1\" vendor=\"Example\">" >catalog
	for (i = 1; i <= updates; i++)
		write_update(i)
	print "</catalog>" >catalog
}
