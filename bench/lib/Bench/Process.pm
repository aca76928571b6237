package Bench::Process;

# Copyright (C) The ngx_registry_module authors

# What processes cost: memory as the kernel shares it out, CPU seconds.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;
use POSIX ();

use Test::Registry::Util qw/ read_file /;

our @EXPORT_OK = qw/ memory cpu /;

my $Ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());

###############################################################################

# MiB: PSS, so that what processes share is counted once.

sub memory {
    my (@pids) = @_;

    my $kb = 0;

    for (@pids) {
        $kb += $1 if read_file("/proc/$_/smaps_rollup") =~ /^Pss:\s+(\d+)/m;
    }

    return $kb / 1024;
}


# Seconds of CPU, user and system, of processes that are running.

sub cpu {
    my (@pids) = @_;

    my $ticks = 0;

    for (@pids) {
        my ($rest) = read_file("/proc/$_/stat") =~ /^\d+ \(.*\) (.*)/s
            or next;
        my @fields = split ' ', $rest;
        $ticks += $fields[11] + $fields[12];
    }

    return $ticks / $Ticks;
}

###############################################################################

1;

###############################################################################
