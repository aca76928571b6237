package Bench::Network;

# Copyright (C) The ngx_registry_module authors

# Hosts as network namespaces on one bridge, each behind a link of its own that
# is limited both ways.  This side of the bridge, where S3 is, has no limit.

###############################################################################

use warnings;
use strict;

use File::Path qw/ make_path /;

use Test::Registry::Util qw/ find_tool run_command clean_env /;

our $GATEWAY = '10.77.0.1';

###############################################################################

# In a network namespace of the caller's own.

sub new {
    my ($class) = @_;

    my $self = bless { n => 0 }, $class;

    # names of namespaces are files: these are nobody else's business

    make_path('/run/netns');
    command('mount', '-t', 'tmpfs', 'none', '/run/netns');

    ip(qw/ link add bench0 type bridge /);
    ip('address', 'add', "$GATEWAY/16", 'dev', 'bench0');
    ip(qw/ link set bench0 up /);

    return $self;
}


# A host: its name, its address.  mbit: rate of its link

sub host {
    my ($self, $mbit) = @_;

    my $n = ++$self->{n};
    my ($name, $port, $address) = ("host$n", "port$n", "10.77.1.$n");

    ip('netns', 'add', $name);
    ip('link', 'add', $port, 'type', 'veth', 'peer', 'name', 'up0', 'netns',
        $name);
    ip('link', 'set', $port, 'master', 'bench0');
    ip('link', 'set', $port, 'up');

    for (['lo'], ['up0']) {
        ip('-n', $name, 'link', 'set', $_->[0], 'up');
    }

    ip('-n', $name, 'address', 'add', "$address/16", 'dev', 'up0');

    my @limit = ('root', 'tbf', 'rate', "${mbit}mbit", 'burst', '128k',
        'latency', '100ms');

    command('tc', 'qdisc', 'add', 'dev', $port, @limit);
    command('tc', '-n', $name, 'qdisc', 'add', 'dev', 'up0', @limit);

    return { name => $name, address => $address, wrap => wrap($name) };
}


# In front of a command it makes it run on that host.

sub wrap {
    my ($name) = @_;

    return [find_tool('ip'), 'netns', 'exec', $name];
}


sub remove {
    my ($self) = @_;

    ip('netns', 'delete', "host$_") for 1 .. $self->{n};
    ip(qw/ link delete bench0 /);
    command('umount', '/run/netns');
    return;
}


sub ip { return command('ip', @_) }


sub command {
    my ($program, @args) = @_;

    my ($status, $output) = run_command([find_tool($program), @args],
        env => clean_env());

    die "$program @args: $output\n" if $status;
    return;
}

###############################################################################

1;

###############################################################################
