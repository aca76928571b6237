package Test::Registry::Engine;

# Copyright (C) The ngx_registry_module authors

# Docker Engine and containerd of the test's own, in namespaces of its own:
# there port 5000 is free, names are what the test says they are, and nothing
# outside can be reached.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;
use POSIX ();

use Test::Registry::Util qw/
    temp_dir find_tool need run_command spawn write_file read_file
    wait_for clean_env
/;

our @EXPORT_OK = qw/
    enter_namespaces enter_mounts host_name static_program architecture
/;

###############################################################################

# To be called first in a test file: runs it again inside, with its arguments.

sub enter_namespaces {
    return loopback_up() if $ENV{REGISTRY_TEST_INSIDE};

    need(qw/ root netns ip /);
    again_inside('-mn');
}


# The same with the network of the machine, for what has to fetch packages.

sub enter_mounts {
    return if $ENV{REGISTRY_TEST_INSIDE};

    need(qw/ root netns /);
    again_inside('-m');
}


sub again_inside {
    my ($namespaces) = @_;

    $ENV{REGISTRY_TEST_INSIDE} = 1;
    Test::Registry::Util::clean_up();
    exec find_tool('unshare'), $namespaces, '--', $^X,
        (map { "-I$_" } @INC), $0, @ARGV or die "unshare: $!\n";
}


sub loopback_up {
    run_command([find_tool('ip'), qw/ link set lo up /]) == 0
        or die "no loopback\n";
    return;
}


# Names for 127.0.0.1, in a hosts file that only this test sees; no DNS.

sub host_name {
    my (@names) = @_;

    my $dir = temp_dir('etc');

    write_file("$dir/hosts", "127.0.0.1 localhost @names\n");
    write_file("$dir/resolv.conf", "nameserver 127.0.0.1\n");

    for (qw/ hosts resolv.conf /) {
        run_command([find_tool('mount'), '--bind', "$dir/$_", "/etc/$_"]) == 0
            or die "no /etc/$_ of our own\n";
    }

    return;
}

###############################################################################

# A running engine; insecure => [ names of registries ]; timeout: seconds that
# a command may take; data: a folder for its images instead of one that is
# removed

sub new {
    my ($class, %opt) = @_;

    need(qw/ dockerd docker ctr /);

    my $dir = temp_dir('engine');
    my $self = bless {
        dir => $dir, timeout => $opt{timeout} // 180
    }, $class;

    write_file("$dir/daemon.json", '{}');

    $self->{process} = spawn([find_tool('dockerd'),
        '-H', "unix://$dir/docker.sock", '--data-root',
        $opt{data} // "$dir/data",
        '--exec-root', "$dir/exec", '--pidfile', "$dir/pid",
        '--config-file', "$dir/daemon.json", '--bridge=none',
        '--iptables=false', '--ip-forward=false', '--ip-masq=false',
        map { "--insecure-registry=$_" } @{$opt{insecure} // []}],
        log => "$dir/log", env => clean_env());

    wait_for(sub { -S "$dir/docker.sock" && ($self->docker('version'))[0] == 0
        }, 30) or die 'dockerd does not start: ' . read_file("$dir/log");

    return $self;
}


# Exit status and output.

sub docker {
    my ($self, @args) = @_;
    return $self->docker_within($self->{timeout} // 180, @args);
}


sub docker_within {
    my ($self, $timeout, @args) = @_;

    # the builder that needs nothing beside the engine
    return run_command([find_tool('docker'), '-H',
        "unix://$self->{dir}/docker.sock", @args],
        env => clean_env(DOCKER_BUILDKIT => 0), timeout => $timeout);
}


# containerd is the one that the engine runs.

sub ctr {
    my ($self, @args) = @_;

    return run_command([find_tool('ctr'), '--address',
        "$self->{dir}/exec/containerd/containerd.sock",
        '--namespace', 'test', @args], env => clean_env(), timeout => 180);
}


# Pulls by the client itself, and one platform only, as kubelet's does: newer
# ones leave it to the daemon, where images are not unpacked for every
# snapshotter.

sub ctr_pull {
    my ($self, $hosts, $reference) = @_;

    my (undef, $help) = $self->ctr(qw/ images pull --help /);

    my @flags = grep { $help =~ /$_\b/ } qw/ --local --skip-metadata /;

    return $self->ctr('images', 'pull', @flags, '--hosts-dir', $hosts, '--snapshotter', 'native', $reference);
}


# A directory for --hosts-dir: pulls of $name go to $url first.

sub hosts_dir {
    my ($self, $name, $url) = @_;

    write_file("$self->{dir}/certs.d/$name/hosts.toml", <<"TOML");
server = "https://$name"

[host."$url"]
  capabilities = ["pull", "resolve"]
TOML

    return "$self->{dir}/certs.d";
}


sub stop {
    my ($self) = @_;

    (delete $self->{process})->stop('TERM', 20) if $self->{process};

    # of containers with the network of the host
    run_command([find_tool('umount'), '-l', $_], env => clean_env())
        for glob "$self->{dir}/exec/netns/*";
    return;
}

###############################################################################

# A program that needs nothing of its image: it prints a line.

sub static_program {
    my ($text) = @_;

    need('gcc');

    my $dir = temp_dir('program');
    write_file("$dir/main.c", qq(#include <stdio.h>\n)
        . qq(int main(void) { return puts("$text") < 0; }\n));

    my ($status, $output) = run_command([find_tool('gcc'), '-static', '-O1',
        '-s', '-o', "$dir/main", "$dir/main.c"], env => clean_env());
    die "gcc: $output\n" if $status;

    return read_file("$dir/main");
}


sub architecture {
    my (undef, undef, undef, undef, $machine) = POSIX::uname();
    return { x86_64 => 'amd64', aarch64 => 'arm64' }->{$machine} // $machine;
}

###############################################################################

1;

###############################################################################
