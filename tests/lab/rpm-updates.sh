#!/bin/bash
# SPDX-License-Identifier: MIT
# Packs the made-up packages of the servers with rpm packages, signs all, and writes both repositories with the
# updates' advisories; called by rpm-build.sh in the root that is packed.
set -euo pipefail
shopt -s nullglob

cd /build/work
mirror=/build/work/mirror

# NAME VERSION REPOSITORY: a package of files below build/, with the spec's further lines from standard input
made() {
	local name=$1 version=$2 repository=$3
	{
		printf '%s\n' '%define _binary_payload w1.zstdio' "Name: $name" "Version: $version" 'Release: 1' \
			"Summary: made-up package" 'License: MIT' 'BuildArch: noarch' 'AutoReqProv: no' 'Requires(pre): lab-base'
		cat
	} >"$name-$version.spec"
	rpmbuild -bb --quiet --define "_topdir /build/work/rpmbuild" --define "_rpmdir $mirror/$repository" \
		--define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" "$name-$version.spec"
}

# VERSION REQUIREMENT...: a package with one file, as old and as long in all its versions
plain() {
	local name=$1 version=$2 repository=$3
	shift 3
	made "$name" "$version" "$repository" <<-END
		$(printf '%s\n' "$@")

		%description
		Made up.

		%install
		mkdir -p %{buildroot}/usr/share/$name
		echo $version >%{buildroot}/usr/share/$name/version
		touch -d @1700000000 %{buildroot}/usr/share/$name/version

		%files
		/usr/share/$name
	END
}

# VERSION REPOSITORY: a service that says which version of it runs
clock() {
	made lab-clock "$1" "$2" <<-END

		%description
		A service that writes its version to /run/lab-clock.

		%install
		mkdir -p %{buildroot}/usr/libexec %{buildroot}/usr/lib/systemd/system %{buildroot}/etc
		printf '#!/bin/sh\necho $1 >/run/lab-clock\nexec sleep infinity\n' >%{buildroot}/usr/libexec/lab-clock
		printf '[Service]\nExecStart=/usr/libexec/lab-clock\n[Install]\nWantedBy=multi-user.target\n' \
			>%{buildroot}/usr/lib/systemd/system/lab-clock.service
		echo "of $1" >%{buildroot}/etc/lab-clock.conf

		%post
		[ \$1 -gt 1 ] || systemctl enable -q lab-clock.service || :
		if [ -e /run/lab-clock-slow ]; then sleep 600; fi

		%preun
		[ \$1 -gt 0 ] || systemctl disable -q --now lab-clock.service || :

		%postun
		if [ \$1 -ge 1 ]; then systemctl daemon-reload && systemctl try-restart lab-clock.service; fi || :

		%files
		%attr(755,root,root) /usr/libexec/lab-clock
		/usr/lib/systemd/system/lab-clock.service
		%config(noreplace) /etc/lab-clock.conf
	END
}

# The advisories: one for each package, but one for what belongs together.
advisories() {
	local file name epoch version release arch kind suggest
	echo '<?xml version="1.0" encoding="UTF-8"?>'
	echo '<updates>'
	for file in *.rpm; do
		IFS=$'\t' read -r name epoch version release arch < <(
			rpm -qp --nosignature --qf '%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n' "$file")
		kind=security suggest=
		case $name in
		lab-core | libc6 | systemd | dbus | dbus-daemon) suggest='<reboot_suggested>True</reboot_suggested>' ;;
		lab-clock | openssh-server | apache2) suggest='<restart_suggested>True</restart_suggested>' ;;
		esac
		[[ $name != lab-* ]] || kind=bugfix
		cat <<-END
			<update from="lab@localhost" status="final" type="$kind" version="1">
			  <id>LAB-2026:$name</id><title>$name $version</title>
			  <issued date="2026-11-02 08:00:00"/><severity>Important</severity><description>Update of $name.</description>
			  <pkglist><collection short="lab"><name>Lab</name>
			    <package name="$name" version="$version" release="$release" epoch="$epoch" arch="$arch" src="$name.src.rpm">
			      <filename>$file</filename><sum type="sha256">$(sha256sum "$file" | cut -d' ' -f1)</sum>$suggest
			    </package>
			  </collection></pkglist>
			</update>
		END
	done
	echo '</updates>'
}

clock 1.0 release
plain lab-tool 1.0 release
plain lab-old 1.0 release
plain lab-core 1.0 release
clock 1.1 updates
plain lab-tool 1.1 updates 'Requires: lab-dep' 'Requires: lab-new'
plain lab-dep 1.0 updates
plain lab-new 2.0 updates 'Obsoletes: lab-old < 2' 'Provides: lab-old = 2.0'
plain lab-core 1.1 updates

install -d -m 700 gnupg
gpg --batch --passphrase '' --quick-gen-key 'patchday lab, rpm <lab-rpm@localhost>' rsa2048 sign never
gpg --batch --armor --export lab-rpm@localhost >"$mirror/RPM-GPG-KEY-lab"
for repository in release updates; do
	(
		cd "$mirror/$repository"
		rpmsign --define '_gpg_name lab-rpm@localhost' --define '__gpg /usr/bin/gpg' --addsign ./*.rpm >/dev/null
		createrepo_c -q --no-database .
		if [[ $repository == updates ]]; then
			advisories >/build/work/updateinfo.xml
			modifyrepo_c --mdtype=updateinfo /build/work/updateinfo.xml repodata
		fi
		gpg --batch --yes --armor --detach-sign --output repodata/repomd.xml.asc repodata/repomd.xml
	)
done
gpgconf --kill all
