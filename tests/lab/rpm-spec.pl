#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Prints a spec that packs the packages of a Debian root, as they are installed there, as rpm packages of the same
# name, version, files and dependencies (reduced to names); their lists of files go to a folder.
#   rpm-spec.pl ROOT LISTS            all of them, and lab-base: what no package has
#   rpm-spec.pl ROOT LISTS --since F  those that are not in F, lines "NAME VERSION" (--versions prints them)
use strict;
use warnings;

my ($root, $lists, $mode, $since) = @ARGV;
my (%package, %provided, %owned);

# Debian's own package management: on these servers it is rpm's.
my %left_out = map { $_ => 1 } qw(apt dpkg libapt-pkg6.0 debconf debian-archive-keyring createrepo-c gpg gpg-agent);

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return scalar <$file> // '';
}

# /bin, /lib ... are symbolic links on these servers, and a package has its files where they lead.
sub canonical {
	my ($path) = @_;
	$path =~ s{^/(bin|sbin|lib|lib32|lib64|libx32)(?=/|$)}{/usr/$1};
	return $path;
}

# DEBIAN-VERSION: epoch, version and release
sub parts {
	my ($epoch, $rest) = $_[0] =~ /^(?:(\d+):)?(.*)$/;
	my ($version, $release) = $rest =~ /^(.*)-([^-]*)$/ ? ($1, $2) : ($rest, '1');
	$version =~ s/-/_/g;
	return ($epoch, $version, $release);
}

sub read_status {
	for (split /\n\n+/, slurp("$root/var/lib/dpkg/status")) {
		s/\n[ \t]/ /g;
		my %field = map { /^([^:]+):\s*(.*)$/ ? ($1 => $2) : () } split /\n/;
		next unless ($field{Status} // '') eq 'install ok installed' && !$left_out{$field{Package}};
		$package{$field{Package}} = \%field;
		$provided{$_} = 1 for map { /^\s*([^\s(]+)/ } split /,/, $field{Provides} // '';
	}
}

# "a (>= 1) | b, c:any" as rpm has it: each of what is left as one line
sub requirements {
	my @out;
	for my $group (split /,/, join ',', grep { defined } @_) {
		my @names = grep { $package{$_} || $provided{$_} } map { /^\s*([^\s(:]+)/ } split /\|/, $group;
		push @out, 'Requires: ' . (@names > 1 ? '(' . join(' or ', @names) . ')' : $names[0]) . "\n" if @names;
	}
	return @out;
}

sub files_of {
	my ($name) = @_;
	my ($list) = grep { -e } map { "$root/var/lib/dpkg/info/$_.list" } $name, "$name:$package{$name}{Architecture}";
	return map { canonical($_) } grep { m{^/.} } split /\n/, slurp($list // '');
}

# One line of a list of files.
sub entry {
	my ($path, $config) = @_;
	my $kind = !-l "$root$path" && -d _ ? '%dir ' : $config ? '%config(noreplace) ' : '';
	$path =~ s/%/%%/g;
	return "$kind\"$path\"\n";
}

sub write_list {
	my ($name, @lines) = @_;
	open my $file, '>', "$lists/$name" or die "$lists/$name: $!\n";
	print $file @lines;
	close $file or die "$lists/$name: $!\n";
}

sub unit_scripts {
	my ($name, @files) = @_;
	return '' if $name =~ /^(systemd|dbus|udev|libpam)/;
	my @units = map { m{^/usr/lib/systemd/system/([^/@]+\.service)$} ? $1 : () } @files;
	return @units ? "%postun -n $name\nif [ \$1 -ge 1 ]; then systemctl daemon-reload && systemctl try-restart @units; fi || :\n\n" : '';
}

sub print_package {
	my ($name) = @_;
	my %field = %{ $package{$name} };
	my ($epoch, $version, $release) = parts($field{Version});
	my %config = map { canonical((split)[0]) => 1 } grep { /\S/ } split / (?=\/)/, $field{Conffiles} // '';
	my %seen;
	my @files = grep { !$seen{$_}++ && (-l "$root$_" || -e _) } files_of($name);
	my @virtual = map { /^\s*([^\s(]+)/ } split /,/, $field{Provides} // '';

	push @virtual, '/bin/sh' if $name eq 'dash';
	push @virtual, '/bin/bash' if $name eq 'bash';
	my ($summary) = ($field{Description} // $name) =~ /^(.{1,60})/;
	$summary =~ s/%/%%/g;
	write_list($name, map { entry($_, $config{$_}) } @files);
	print "%package -n $name\nSummary: $summary\n", $epoch ? "Epoch: $epoch\n" : '', "Version: $version\nRelease: $release\n",
		$field{Architecture} eq 'all' ? "BuildArch: noarch\n" : '', "AutoReqProv: no\nRequires(pre): lab-base\n",
		requirements($field{'Pre-Depends'}, $field{Depends}), map({ "Provides: $_\n" } @virtual),
		"\n%description -n $name\n$summary\n\n", unit_scripts($name, @files), "%files -n $name -f $lists/$name\n\n";
}

sub preamble {
	print <<'END';
%define _use_internal_dependency_generator 0
%define _build_id_links none
%define debug_package %{nil}
%define __os_install_post %{nil}
%define _unpackaged_files_terminate_build 0
%define _binary_payload w1.zstdio
%define _docdir_fmt none
Name: lab-base
Version: 12
Release: 1
Summary: what no package of the lab's root has
License: several
AutoReqProv: no

%description
Accounts, links and settings that the installation of a root leaves behind.

END
}

# Whatever was made or set up when the root was; not what is only there while it runs.
sub print_base {
	my @files;
	my $skip = qr{^/(?:proc|sys|dev|run|tmp|build|boot|mnt|srv/mirror)/|^/var/(?:cache|log|tmp)/.|^/etc/(?:apt|dpkg)(?:/|$)
		|^/var/lib/(?:dpkg|apt|ucf|deb|systemd|rpm|dnf)|^/root/\.(?:rpmdb|gnupg)|/ld\.so\.cache$|^/var/run/}x;
	open my $find, '-|', 'find', $root, '-xdev', '-printf', '/%P\n' or die "find: $!\n";
	while (<$find>) {
		chomp;
		push @files, $_ if !$owned{$_} && $_ ne '/' && !/$skip/ && !m{^/build$};
	}
	close $find;
	write_list('lab-base', map { entry($_, m{^/etc/}) } @files);
	print "%transfiletriggerin -- /usr/lib\n/usr/sbin/ldconfig || :\n\n%files -f $lists/lab-base\n";
}

read_status();
if (($lists // '') eq '--versions') {
	print map { "$_ $package{$_}{Version}\n" } sort keys %package;
	exit;
}
my %known = map { $_ => 1 } split /\n/, $since ? slurp($since) : '';
preamble();
for my $name (sort keys %package) {
	@owned{ files_of($name) } = () x 0;
	$owned{$_} = 1 for files_of($name);
	print_package($name) unless $known{"$name $package{$name}{Version}"};
}
print_base() unless $mode;
