#!/bin/bash
# SPDX-License-Identifier: MIT
# Signatures that Lenovo made in its own files, which are not part of the source
# (PD_SHARED is the folder that has them): they count by the certificate that is
# pinned, and no longer once a byte is different.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
shared=${PD_SHARED:-$PD_SRCDIR/../shared}/data/catalogs/lenovo
[ -d "$shared" ] || skip "there is no $shared; set PD_SHARED"
command -v xmlsec1 >/dev/null || skip "xmlsec1 is not installed"

# certificate FILE: the one that it brings, as PEM
certificate()
{
	echo "-----BEGIN CERTIFICATE-----"
	grep -o '<X509Certificate>[^<]*' "$1" | head -1 | sed 's/.*>//' | fold -w 64
	echo "-----END CERTIFICATE-----"
}

# verify FILE CERTIFICATE
verify()
{
	pd catalog verify "$1" --trust xmldsig --key "$tmp/$2.pem"
}

# flip FILE TEXT: a copy with one bit of TEXT's first byte turned, where it stands first
flip()
{
	local at byte

	cp "$1" "$tmp/flipped.xml"
	chmod u+w "$tmp/flipped.xml"
	at=$(grep -obaF "$2" "$1" | head -1 | cut -d: -f1)
	byte=$(printf '%d' "'${2:0:1}")
	printf '%b' "$(printf '\\x%02x' $((byte ^ 1)))" | dd of="$tmp/flipped.xml" bs=1 seek="$at" conv=notrunc status=none
	check "one byte is different" [ "$(cmp -l "$1" "$tmp/flipped.xml" | wc -l)" = 1 ]
}

products=$shared/LenovoCatalog_v2.xml package=$shared/nz3gs05w_2_.xml
certificate "$products" >"$tmp/products.pem"
certificate "$package" >"$tmp/package.pem"
verify "$products" products
is "the list of products" "$rc" 0
verify "$package" package
is "the descriptor of a package" "$rc" 0
verify "$package" products
is "by another certificate of the same vendor" "$rc" 2
like "which is said" "$out" 'is not signed by the key of .*products\.pem'
flip "$package" 'nz3gs05w.exe'
verify "$tmp/flipped.xml" package
is "the name of the file to install is another one" "$rc" 2
flip "$products" 'Tablet'
verify "$tmp/flipped.xml" products
is "a product is another one" "$rc" 2
flip "$package" "$(grep -o '<DigestValue>[^<]*' "$package" | tail -1 | sed 's/.*>//')"
verify "$tmp/flipped.xml" package
is "the digest is another one" "$rc" 2
flip "$package" "$(grep -o '<SignatureValue>[^<]*' "$package" | sed 's/.*>//')"
verify "$tmp/flipped.xml" package
is "the signature is another one" "$rc" 2
end
