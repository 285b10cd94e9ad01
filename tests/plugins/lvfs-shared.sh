#!/bin/bash
# SPDX-License-Identifier: MIT
# The reader lvfs on metadata of fwupd's and the LVFS: counts, and what was
# looked up by hand.
# shellcheck source=tests/plugins/reader.sh
. "${PD_SRCDIR:?}/tests/plugins/reader.sh"
shared lvfs
reader lvfs
updates() { parts "$shared/$1" | grep -v '"event":'; }
updates data_metadata_2018.xml >"$tmp/updates"
is "five components of one release each" "$(jq -r .id "$tmp/updates")" 'org.fwupd.8330a096d9f1af8567c7374cb8403e1ce9cf3163.device/1
com.via.VL811.firmware/0983
com.via.VL811+.firmware/9095
com.via.VL812.firmware/8581
com.via.VL812_B2.firmware/9091'
is "one of them" "$(sed -n 2p "$tmp/updates" | jq -r '"\(.title)|\(.vendor)|\(.url)|\(.issued)|\(.kind)|\(.description | split("\n") | length)"')" \
	'VL811 Firmware 0983|VIA|http://www.via.com.tw/|1456743953|firmware|6'
is "its device" "$(sed -n 2p "$tmp/updates" | jq -r '.rules[] | select(.kind == "firmware") | .subject // empty' | sort -u)" \
	adbb9034-b577-42c2-a661-1ee4f49ef64c
for n in 1 2 3 4; do
	is "report $n" "$(updates src_tests_metadata-report$n.xml | jq -r '"\(.id) \(.payloads[0].url) \(.payloads[0].digest)"')" \
		'org.fwupd.something.device/1.2.3 https://fwupd.org/something.cab sha256:0628376cb0583335a7ff5875dd2d4b09fc5653057f644783a477553ca9981dcd'
done
is "one component" "$(updates src_tests_metadata.xml | jq -r '"\(.id) \(.issued)"')" \
	'org.fwupd.8330a096d9f1af8567c7374cb8403e1ce9cf3163.device/1 1456743843'
is "no firmware at all" "$(updates appstream-lvfs-gdpr.xml | grep -c .)" 0
like "and that is said" "$(parts "$shared/appstream-lvfs-gdpr.xml")" 'component of the type \\"repository\\" is no firmware'
out=$(verdicts "$shared/data_metadata_2018.xml" '{"firmware":[{"id":"adbb9034-b577-42c2-a661-1ee4f49ef64c","version":"0982"}]}')
like "an older device" "$out" '^com.via.VL811.firmware/0983 needed'
like "a device that is not there" "$out" '^com.via.VL812.firmware/8581 not-applicable'
end
