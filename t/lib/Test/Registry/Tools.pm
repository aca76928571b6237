package Test::Registry::Tools;

# Copyright (C) The ngx_registry_module authors

# The clients that people use, each with a home of its own in the test's
# directory.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

use Test::Registry::Util qw/
    temp_dir find_tool run_command clean_env write_file
/;

our @EXPORT_OK = qw/
    skopeo skopeo_push skopeo_pull crane oras trust make_certificate
    password_file
/;

###############################################################################

# What clients written in Go trust, for a registry with TLS: a file of roots.

my %Trust;

sub trust {
    my ($ca) = @_;

    %Trust = defined $ca ? (SSL_CERT_FILE => $ca) : ();
    return;
}


# Each returns the exit status and what was printed.

sub skopeo {
    my (@args) = @_;

    my $home = temp_dir('home');
    my $policy = "$home/policy.json";

    write_file($policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
        unless -f $policy;

    return run_command([find_tool('skopeo'), '--policy', $policy, @args],
        env => clean_env(%Trust), timeout => 180);
}


# From a layout of Test::Registry::Image to a registry, all platforms.

sub skopeo_push {
    my ($from, $port, $name) = @_;

    return skopeo('copy', '--all', '--preserve-digests',
        '--dest-tls-verify=false', $from, "docker://127.0.0.1:$port/$name");
}


# From a registry to a directory as it is there.

sub skopeo_pull {
    my ($port, $name, $dir, @options) = @_;

    return skopeo('copy', '--all', '--preserve-digests',
        '--src-tls-verify=false', @options,
        "docker://127.0.0.1:$port/$name", "dir:$dir");
}


sub crane {
    my (@args) = @_;

    return run_command([find_tool('crane'), @args],
        env => clean_env(%Trust), timeout => 180);
}


# In a directory of its own: paths in artifacts are relative to it.

sub oras {
    my ($dir, @args) = @_;

    return run_command([find_tool('oras'), @args], dir => $dir,
        env => clean_env(%Trust), timeout => 180);
}

###############################################################################

# A file for auth_basic_user_file: user => password

sub password_file {
    my ($path, %users) = @_;

    my $lines = '';

    for my $user (sort keys %users) {
        my ($status, $output) = run_command([find_tool('openssl'), 'passwd',
            '-apr1', $users{$user}], env => clean_env());
        die "openssl passwd: $output\n" if $status;
        $lines .= "$user:$output";
    }

    return write_file($path, $lines);
}

###############################################################################

# Certificates: a root of our own, and what it signs.

sub openssl {
    my (@args) = @_;

    my ($status, $output) = run_command([find_tool('openssl'), @args],
        env => clean_env());
    die "openssl @args: $output\n" if $status;
    return;
}


# A key and a certificate: name; ca (name of another one that signs it), days
# (may be negative), san ("IP:127.0.0.1,DNS:...").  Returns both paths.

sub make_certificate {
    my ($name, %opt) = @_;

    my $dir = temp_dir('tls');
    my $ca = !defined $opt{ca};
    my $days = $opt{days} // 30;

    my $extensions = write_file("$dir/$name.ext", join '', map { "$_\n" }
        $ca ? ('basicConstraints = critical, CA:TRUE',
            'keyUsage = keyCertSign, cRLSign')
        : ('basicConstraints = CA:FALSE',
            'subjectAltName = ' . ($opt{san} // 'IP:127.0.0.1')));

    openssl('ecparam', '-genkey', '-name', 'prime256v1', '-noout',
        '-out', "$dir/$name.key");
    openssl('req', '-new', '-key', "$dir/$name.key", '-subj', "/CN=$name",
        '-out', "$dir/$name.csr");

    # "x509 -days" refuses the past, "ca" does not

    my $signer = $ca ? $name : $opt{ca};
    write_file("$dir/index.txt", '') unless -f "$dir/index.txt";
    write_file("$dir/ca.conf", <<"CONF");
[ca]
default_ca = test
[test]
database = $dir/index.txt
rand_serial = yes
new_certs_dir = $dir
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
CONF

    my @now = map { my @t = gmtime(time() + $_ * 86400);
        sprintf '%04d%02d%02d%02d%02d%02dZ', $t[5] + 1900, $t[4] + 1,
            @t[3, 2, 1, 0] }
        $days < 0 ? (2 * $days, $days) : (-1, $days);

    openssl('ca', '-batch', '-notext', '-config', "$dir/ca.conf",
        '-startdate', $now[0], '-enddate', $now[1],
        $ca ? ('-selfsign') : ('-cert', "$dir/$signer.crt"),
        '-keyfile', "$dir/$signer.key", '-in', "$dir/$name.csr",
        '-extfile', $extensions, '-out', "$dir/$name.crt");

    return ("$dir/$name.crt", "$dir/$name.key");
}

###############################################################################

1;

###############################################################################
