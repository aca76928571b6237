#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# A node beside distribution, both in front of the same bucket of a local
# versitygw: seconds, requests to S3, memory.  What is worth something is the
# ratio, distribution to node, since both ran in the same minute:
#
#     make bench
#     BENCH_ROUNDS=5 BENCH_LAYER=1000 make bench      (rounds, MB)
#
# Each figure is the median of the rounds; in each round both begin anew, and
# the one that is second in a round is first in the next.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../t/lib";

use List::Util qw/ sum /;
use Time::HiRes qw/ time /;

use Test::More ();

use Test::Registry ();
use Test::Registry::Distribution;
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Tools qw/ skopeo_push skopeo_pull /;
use Test::Registry::Util qw/ need read_file remove_dir run_command temp_dir /;

###############################################################################

need(qw/ skopeo curl docker-registry /);

my $rounds = $ENV{BENCH_ROUNDS} // 3;
my $large = ($ENV{BENCH_LAYER} // 300) * 1_000_000;
my $repository = 'team/bench';

my $s3 = Test::Registry::Gateway->new(local => 1);
my $image = Test::Registry::Image->new(
    layers => [ map { 2_000_000 * $_ } 1 .. 10 ]);
my $single = Test::Registry::Image->new(layers => [ $large ], seed => 'large');
my ($layer) = $single->layers;

fill();

my %kinds = (node => \&node, distribution => \&distribution);
my (@names, %figures);

for my $round (1 .. $rounds) {
    measure($_) for $round % 2 ? sort keys %kinds : reverse sort keys %kinds;
}

printf "%-44s %12s %12s %8s\n", '', 'distribution', 'node', 'ratio';

for my $name (@names) {
    my ($theirs, $ours) = map { median(@{$figures{$name}{$_}}) }
        qw/ distribution node /;

    printf "%-44s %12s %12s %8s\n", $name, (map { figure($_) } $theirs, $ours),
        $ours ? sprintf '%.2f', $theirs / $ours : '-';
}

###############################################################################

sub fill {
    my $distribution = Test::Registry::Distribution->new($s3);

    for (['ten', $image], ['one', $single]) {
        my ($tag, $what) = @$_;
        my ($status, $output) = skopeo_push($what->write_dir(temp_dir('push')),
            $distribution->port, "$repository:$tag");

        die "push of $tag failed: $output\n" if $status;
        remove_dir('push');
    }

    $distribution->stop();
    return;
}


# Each returns port, a function for the memory in kB, and one that stops it.

sub node {
    my $t = Test::Registry->node($s3, workers => 2);

    return ($t->port, sub { sum map { memory($_) } $t->workers() },
        sub { $t->stop() });
}


sub distribution {
    my $d = Test::Registry::Distribution->new($s3);

    return ($d->port, sub { memory($d->{process}{pid}) }, sub { $d->stop() });
}


sub measure {
    my ($kind) = @_;

    my ($port, $memory, $stop) = $kinds{$kind}->();
    my $url = "http://127.0.0.1:$port/v2/$repository";

    my $pull = sub {
        my ($status, $output) = skopeo_pull($port, "$repository:ten",
            temp_dir('pull'));

        die "pull failed: $output\n" if $status;
        remove_dir('pull');
    };

    my $blob = sub { curl("$url/blobs/$layer->{digest}") };

    timed($kind, 'pull of ten layers, first', 1, $pull);
    timed($kind, 'pull of ten layers, again', 1, $pull);
    timed($kind, 'one large layer, first', 0, $blob);
    timed($kind, 'one large layer, again', 0, $blob);
    timed($kind, '2000 HEADs of a tag, 32 at a time', 1, sub {
        curl('-I', '-Z', '--parallel-max', 32,
            '-H', 'Accept: application/vnd.oci.image.manifest.v1+json',
            "$url/manifests/ten?n=[1-2000]") });

    record($kind, 'memory afterwards, kB', $memory->());
    $stop->();

    return;
}


sub timed {
    my ($kind, $name, $requests, $code) = @_;

    $s3->forget();
    my $begun = time();
    $code->();

    record($kind, "$name, s", time() - $begun);
    record($kind, "$name, S3 requests", $s3->count()) if $requests;

    return;
}


sub record {
    my ($kind, $name, $value) = @_;

    push @names, $name unless $figures{$name};
    push @{$figures{$name}{$kind}}, $value;
    return;
}


sub curl {
    my ($status, $output) = run_command(['curl', '-sSf', '-o', '/dev/null',
        @_]);

    die "curl @_: $output\n" if $status;
    return;
}


sub memory {
    my ($pid) = @_;

    return read_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
}


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return $sorted[$#sorted / 2];
}


sub figure {
    my ($value) = @_;

    return $value == int $value ? $value : sprintf '%.3f', $value;
}

###############################################################################
