package Bench::Measure::Cold;

# Copyright (C) The ngx_registry_module authors

# One client pulls a large blob that no cache has.

###############################################################################

use warnings;
use strict;

use Bench::Client qw/ download digest_of /;
use Bench::Process qw/ cpu /;

my @Peers = qw/ ours distribution redirect debian /;

###############################################################################

sub run {
    my ($bench) = @_;

    my $results = $bench->results;
    my $size = $bench->mib('blob');

    $results->table(id => 'cold-limited', more => 1, unit => 'MB/s',
        title => "Cold blob of $size, S3 limited to 50 MB/s for each "
            . 'connection');
    $results->table(id => 'cold-first', unit => 'ms', title => 'Cold blob: '
        . 'time to the first byte');
    $results->table(id => 'cold', more => 1, unit => 'MB/s',
        title => "Cold blob of $size, S3 unlimited", note => 'S3 is asked '
            . 'directly, without the front. What the registry keeps it '
            . 'verifies; distribution keeps nothing.');
    $results->table(id => 'cold-cpu', unit => 's', title => 'Cold blob, S3 '
        . 'unlimited: CPU seconds of the registry for each GB');

    for (['limited', @Peers], ['direct', @Peers, 'disk', 'plain']) {
        my ($how, @systems) = @$_;

        $bench->interleave($bench->{rounds}, \@systems, sub {
            one($bench, $how, @_) });
    }

    return;
}


sub one {
    my ($bench, $how, $name, $round) = @_;

    my $blob = $bench->blob;
    my $system = $bench->start($name, $how);
    my $url = $system->blob_url($blob->{digest});

    my $cpu = cpu($system->pids);
    my ($seconds, $first) = download($blob->{size}, $url);
    $cpu = cpu($system->pids) - $cpu;

    my $rate = $blob->{size} / 1e6 / $seconds;

    if ($how eq 'limited') {
        $bench->record('cold-limited', $name, $rate);
        $bench->record('cold-first', $name, $first * 1000);
    } else {
        $bench->record('cold', $name, $rate);
        $bench->record('cold-cpu', $name, $cpu * 1e9 / $blob->{size});
    }

    if ($round == 1) {
        my $digest = digest_of($url);
        die "$name gives $digest instead of $blob->{digest}\n"
            if $digest ne $blob->{digest};
    }

    $system->stop();
    return;
}

###############################################################################

1;

###############################################################################
