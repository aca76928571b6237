package Bench::Measure::Manifest;

# Copyright (C) The ngx_registry_module authors

# The manifest of an image with ten layers, asked for as fast as it comes.

###############################################################################

use warnings;
use strict;

use Bench::Client qw/ first_bytes wrk /;

###############################################################################

sub run {
    my ($bench) = @_;

    my $results = $bench->results;

    for (['tag', 'by tag'], ['digest', 'by digest']) {
        my ($id, $title) = @$_;

        $results->table(id => "manifest-$id", more => 1, unit => 'requests/s',
            title => "Manifest $title, 32 connections");
        $results->table(id => "manifest-$id-p99", unit => 'ms',
            title => "Manifest $title, 32 connections: 99 of 100 are below");
    }

    $results->table(id => 'manifest-first', unit => 'ms',
        title => 'Manifest by tag: time to the first byte');

    $bench->image;
    $bench->interleave($bench->{rounds},
        [qw/ ours distribution debian plain /], sub { one($bench, @_) });
    return;
}


sub one {
    my ($bench, $name) = @_;

    my $image = $bench->image;
    my $size = length $image->manifest;
    my $system = $bench->start($name, 'direct');
    my %urls = (tag => $system->manifest_url('ten'),
        digest => $system->manifest_url($image->digest));

    first_bytes($size, values %urls);

    my @first = sort { $a <=> $b } first_bytes($size, ($urls{tag}) x 51);
    $bench->record('manifest-first', $name, $first[25] * 1000);

    for my $kind (sort keys %urls) {
        my ($rate, $p99) = wrk($urls{$kind}, connections => 32,
            seconds => $bench->size('seconds'));

        $bench->record("manifest-$kind", $name, $rate);
        $bench->record("manifest-$kind-p99", $name, $p99);
    }

    $system->stop();
    return;
}

###############################################################################

1;

###############################################################################
