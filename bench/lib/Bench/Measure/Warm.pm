package Bench::Measure::Warm;

# Copyright (C) The ngx_registry_module authors

# One client pulls a large blob again and again.

###############################################################################

use warnings;
use strict;

use Bench::Client qw/ download first_bytes /;
use Bench::Process qw/ cpu /;

###############################################################################

sub run {
    my ($bench) = @_;

    my $results = $bench->results;

    $results->table(id => 'warm', more => 1, unit => 'MB/s',
        title => 'Warm blob of ' . $bench->mib('blob'));
    $results->table(id => 'warm-cpu', unit => 's', title => 'Warm blob: CPU '
        . 'seconds of the registry for each GB');
    $results->table(id => 'warm-first', unit => 'ms', title => 'Warm blob: '
        . 'time to the first byte');

    $bench->interleave($bench->{rounds},
        [qw/ ours distribution redirect debian plain /],
        sub { one($bench, @_) });
    return;
}


sub one {
    my ($bench, $name) = @_;

    my $blob = $bench->blob;
    my $n = $bench->size('warm');
    my $system = $bench->start($name, 'direct');
    my $url = $system->blob_url($blob->{digest});

    download($blob->{size}, $url);

    my $cpu = cpu($system->pids);
    my ($seconds) = download($blob->{size}, ($url) x $n);
    $cpu = cpu($system->pids) - $cpu;

    my $bytes = $n * $blob->{size};

    $bench->record('warm', $name, $bytes / 1e6 / $seconds);
    $bench->record('warm-cpu', $name, $cpu * 1e9 / $bytes);

    my @first = sort { $a <=> $b } first_bytes($blob->{size}, ($url) x 3);
    $bench->record('warm-first', $name, $first[1] * 1000);

    $system->stop();
    return;
}

###############################################################################

1;

###############################################################################
