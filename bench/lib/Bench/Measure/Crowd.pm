package Bench::Measure::Crowd;

# Copyright (C) The ngx_registry_module authors

# Many clients at once: on one blob that no cache has, on one each.

###############################################################################

use warnings;
use strict;

use Bench::Client qw/ crowd /;
use Bench::Content qw/ put_blob remove_blob /;
use Bench::Process qw/ memory cpu /;

###############################################################################

sub run {
    my ($bench) = @_;

    my $results = $bench->results;
    my $n = $bench->size('clients');
    my $rate = $bench->size('rate') / 1e6;
    my ($size, $small) = ($bench->mib('blob'), $bench->mib('small'));

    $results->table(id => 'crowd', more => 1, unit => 'MB/s',
        title => "$n clients pull one cold blob of $size, together");
    $results->table(id => 'crowd-bytes', unit => 'copies', title => "$n "
        . 'clients pull one cold blob: bytes that S3 sends, in copies of it');
    $results->table(id => 'crowd-requests', unit => 'requests',
        title => "$n clients pull one cold blob: requests to S3");
    $results->table(id => 'crowd-cpu', unit => 's', title => "$n clients pull "
        . 'one cold blob: CPU seconds of the registry for each GB');
    $results->table(id => 'memory-one', unit => 'MiB', title => "Memory (PSS) "
        . "at most, $n clients of $rate MB/s pull one cold blob");
    $results->table(id => 'distinct', more => 1, unit => 'MB/s',
        title => "$n clients pull cold blobs of $small, one each, together");
    $results->table(id => 'memory-distinct', unit => 'MiB', title => 'Memory '
        . "(PSS) at most, $n clients pull cold blobs, one each");

    my $rounds = $bench->some(3);
    my @systems = qw/ ours distribution plain /;

    $bench->interleave($rounds, \@systems, sub { one_blob($bench, @_) });
    $bench->interleave($bench->some(2), [qw/ ours distribution /],
        sub { slowly($bench, @_) });

    my @blobs = map { put_blob($bench->gateway, $bench->size('small')) }
        1 .. $n;

    $bench->interleave($rounds, \@systems,
        sub { distinct($bench, \@blobs, @_) });
    remove_blob($bench->gateway, $_) for @blobs;

    return;
}


sub one_blob {
    my ($bench, $name) = @_;

    my $n = $bench->size('clients');
    my $blob = $bench->blob;
    my $system = $bench->start($name, 'counted');

    $bench->front->forget();

    my $cpu = cpu($system->pids);
    my $seconds = crowd($blob->{size},
        [ ($system->blob_url($blob->{digest})) x $n ]);
    $cpu = cpu($system->pids) - $cpu;

    my $bytes = $n * $blob->{size};

    $bench->record('crowd', $name, $bytes / 1e6 / $seconds);
    $bench->record('crowd-cpu', $name, $cpu * 1e9 / $bytes);

    if ($name ne 'plain') {
        my @requests = $bench->front->requests();
        my $sent = 0;
        $sent += $_->{bytes} for @requests;

        $bench->record('crowd-bytes', $name, $sent / $blob->{size});
        $bench->record('crowd-requests', $name, scalar @requests);
    }

    $system->stop();
    return;
}


sub slowly {
    my ($bench, $name) = @_;

    my $blob = $bench->blob;
    my $system = $bench->start($name, 'counted');

    $bench->record('memory-one', $name, most($system, $blob->{size},
        [ ($system->blob_url($blob->{digest})) x $bench->size('clients') ],
        rate => $bench->size('rate')));
    $system->stop();
    return;
}


sub distinct {
    my ($bench, $blobs, $name) = @_;

    my $size = $blobs->[0]{size};
    my $system = $bench->start($name, 'counted');
    my $seconds;

    my $memory = most($system, $size,
        [ map { $system->blob_url($_->{digest}) } @$blobs ],
        seconds => \$seconds);

    $bench->record('distinct', $name, @$blobs * $size / 1e6 / $seconds);
    $bench->record('memory-distinct', $name, $memory);
    $system->stop();
    return;
}


# The most memory that the system had meanwhile.

sub most {
    my ($system, $size, $urls, %opt) = @_;

    my $most = 0;
    my $seconds = crowd($size, $urls, rate => $opt{rate}, sample => sub {
        my $now = memory($system->pids);
        $most = $now if $now > $most;
    });

    ${$opt{seconds}} = $seconds if $opt{seconds};
    return $most;
}

###############################################################################

1;

###############################################################################
