package Bench::Measure::Requests;

# Copyright (C) The ngx_registry_module authors

# An image of ten layers pulled and pushed by skopeo: seconds, and what S3 is
# asked for.

###############################################################################

use warnings;
use strict;

use Test::Registry::Image;
use Test::Registry::Tools qw/ skopeo_pull skopeo_push /;
use Test::Registry::Util qw/ temp_dir remove_dir /;

use Bench::Client qw/ timed /;
use Bench::Content;

my $Pushed = 0;

###############################################################################

sub run {
    my ($bench) = @_;

    my $results = $bench->results;

    for (['pull-first', 'pulled for the first time'],
        ['pull-again', 'pulled again'], ['push-image', 'pushed'])
    {
        my ($id, $title) = @$_;

        $results->table(id => $id, unit => 's',
            title => "Image of ten layers, $title by skopeo");
        $results->table(id => "$id-requests", unit => 'requests',
            title => "Image of ten layers, $title: requests to S3");
    }

    $bench->image;

    my @systems = qw/ ours distribution redirect debian /;

    $bench->interleave($bench->{rounds}, \@systems, sub { pull($bench, @_) });
    $bench->interleave($bench->{rounds},
        [ grep { $_ ne 'redirect' } @systems ], sub { push_one($bench, @_) });

    return;
}


sub pull {
    my ($bench, $name) = @_;

    my $system = $bench->start($name, 'counted');

    for my $id ('pull-first', 'pull-again') {
        my $dir = temp_dir('pull');

        count($bench, $id, $name, sub { skopeo_pull($system->port,
            "$Bench::Content::REPOSITORY:ten", $dir) });
        remove_dir('pull');
    }

    $system->stop();
    return;
}


# Each push is of an image that the bucket does not have.

sub push_one {
    my ($bench, $name) = @_;

    my $n = ++$Pushed;
    my $system = $bench->start($name, 'counted', push => 1);
    my $image = Test::Registry::Image->new(seed => "push $n",
        layers => [ map { $_ * $bench->size('layer') } 1 .. 10 ]);
    my $from = $image->write_dir(temp_dir('push'));

    count($bench, 'push-image', $name, sub { skopeo_push($from,
        $system->port, "$Bench::Content::REPOSITORY:push$n") });

    remove_dir('push');
    unlink $_->{file} for $image->blobs;
    $system->stop();
    return;
}


sub count {
    my ($bench, $id, $name, $code) = @_;

    $bench->front->forget();
    $bench->record($id, $name, timed($code));
    $bench->record("$id-requests", $name, scalar(() =
        $bench->front->requests()));
    return;
}

###############################################################################

1;

###############################################################################
