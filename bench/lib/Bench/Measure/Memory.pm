package Bench::Measure::Memory;

# Copyright (C) The ngx_registry_module authors

# Memory of a registry that has nothing to do.

###############################################################################

use warnings;
use strict;

use Time::HiRes qw/ sleep /;

use Bench::Process qw/ memory /;

###############################################################################

sub run {
    my ($bench) = @_;

    my $results = $bench->results;

    $results->table(id => 'memory-idle', unit => 'MiB', title => 'Memory '
        . '(PSS), idle', note => 'Of nginx: master and two workers.');
    $results->table(id => 'memory-idle-all', unit => 'MiB', title => 'Memory '
        . '(PSS), idle, with the manager of the caches');

    $bench->interleave($bench->{rounds},
        [qw/ ours distribution debian plain /], sub {
            my ($name) = @_;

            my $system = $bench->start($name, 'direct');

            # the loader of the caches ends after a minute at the earliest;
            # it is no part of either

            sleep 2;
            $bench->record('memory-idle', $name, memory($system->pids));
            $bench->record('memory-idle-all', $name,
                memory($system->all_pids)) if $name ne 'plain';
            $system->stop();
        });

    return;
}

###############################################################################

1;

###############################################################################
