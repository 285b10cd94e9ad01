#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader lvfs: made-up metadata with all that is read of it, and verdicts.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
reader lvfs
fixtures
catalog=$PD_SRCDIR/tests/data/lvfs/catalog.xml
bios=55555555-2222-4333-8444-eeeeeeeeeeee
dock=22222222-2222-4333-8444-bbbbbbbbbbbb

# server ID VERSION...
server()
{
	verdicts "$catalog" "$(printf '%s\n' "$@" | xargs -n2 | jq -Rnc '{firmware: [inputs | split(" ") |
		{id: .[0], version: .[1]}], packages: [{name: "fwupd", version: "1.9.5-1", scheme: "deb"}],
		"x-fwupd-id": [{id: "org.example.other"}], "x-fwupd-hardware": [{id: "bbbbbbbb-1111-4111-8111-111111111111"}],
		"x-fwupd-firmware": [{id: "vendor-id"}, {id: "bootloader"}, {id: "not-child"}]}')"
}

of()
{
	sed -n "s|^com.example.$1 \([a-z-]*\) .*|\1|p" <<<"$out"
}

out=$(server $bios 0.1.2)
is "an older version" "$(of Server.bios/0.1.4)" needed
is "the one that it replaces" "$(of Server.bios/0.1.3)" superseded
is "a device that is not there" "$(of Server.me/11.8)" not-applicable
out=$(server $bios 0.1.3)
is "the version between" "$(of Server.bios/0.1.3)" installed
is "and the newer one" "$(of Server.bios/0.1.4)" needed
out=$(server $bios 0.1.10)
is "a newer version" "$(of Server.bios/0.1.4)" installed
out=$(server $dock 1.1.0 44444444-2222-4333-8444-dddddddddddd 1.0)
is "all that it requires" "$(of Dock.firmware/oem/1.2.0)" needed
is "another component of the same device" "$(of Dock.old/oem/1.1.5)" not-applicable
out=$(server $dock 1.0.0 44444444-2222-4333-8444-dddddddddddd 1.0)
is "too old for it" "$(of Dock.firmware/oem/1.2.0)" not-applicable
out=$(server $dock 1.1.0 44444444-2222-4333-8444-dddddddddddd 2.0)
is "not with that other device" "$(of Dock.firmware/oem/1.2.0)" not-applicable
out=$(server 11111111-2222-4333-8444-aaaaaaaaaaaa 1.1.2 44444444-2222-4333-8444-dddddddddddd 1.0)
is "by time the newest of several components" "$(of Dock.firmware/oem/1.2.0)" needed
is "replaces the other one" "$(of Dock.old/oem/1.1.5)" superseded
out=$(verdicts "$catalog" '{"firmware":[{"id":"'$dock'","version":"1.1.0"}]}')
is "what can't be asked" "$(of Dock.firmware/oem/1.2.0)" not-applicable
out=$(verdicts "$catalog" '{"os":{"id":"debian"}}')
is "no firmware known" "$(of Server.bios/0.1.4)" unknown
like "why" "$out" 'no facts of kind firmware were collected'
# a file of one component alone, as it lies in an archive
cat >"$tmp/alone.xml" <<END
<?xml version="1.0" encoding="UTF-8"?>
<!-- Copyright -->
<component type="firmware"><id>com.example.Alone</id><provides><firmware type="flashed">$bios</firmware></provides>
  <releases><release version="0.1.4" date="2026-01-02"/><release version="0.1.3" date="2026-01-01"/></releases></component>
END
out=$(verdicts "$tmp/alone.xml" '{"firmware":[{"id":"'$bios'","version":"0.1.2"}]}')
is "a component alone" "$(of Alone/0.1.4) $(of Alone/0.1.3)" "needed superseded"
out=$(parts <(printf '<Other/>'))
like "another document is refused" "$out" 'starts with <Other>, not with'
end
