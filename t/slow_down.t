#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Fifty nodes start the same image at the same moment, and S3 answers 503
# SlowDown above 500 requests a second: no client sees it, and S3 is not
# asked for much more than it has to be.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw/ sleep time /;

use Test::Registry;
use Test::Registry::Front;
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Layout;
use Test::Registry::Util qw/ need spawn temp_dir read_lines /;

###############################################################################

# what is refused depends on how fast the machine is, so this is no test for
# every day

plan(skip_all => 'fifty nodes take a machine of their own: '
    . 'REGISTRY_TEST_FLEET=1') unless $ENV{REGISTRY_TEST_FLEET};

need(qw/ versitygw /);

my $NODES = 50;
my $RATE = 500;

my $s3 = Test::Registry::Gateway->new(local => 1);
my $front = Test::Registry::Front->new($s3, rates => { any => 0 },
    slow_down => $RATE);
my $layout = Test::Registry::Layout->new($s3);
my $image = Test::Registry::Image->new(
    layers => [ map { 2000 * $_ } 1 .. 10 ]);
my %sizes = map { $_->{digest} => $_->{size} } $image->blobs;

$layout->image('team/app', $image, 'v1');

my @nodes = map { Test::Registry->node($front->endpoint('any'),
    probe => 0) } 1 .. $NODES;

# what one node needs: the tag, the manifest, config and layers

my $needed = $NODES * (2 + keys %sizes);

# the questions at start are over, and S3 is rested

sleep 1;
$front->forget();

my $start = time() + 1;
my @pulls = map { my $n = $_; spawn(sub { pull($n) },
    log => temp_dir() . "/pull.$n.log") } 0 .. $#nodes;

sleep 0.1 while grep { $_->alive } @pulls;

my @lines = map { read_lines(temp_dir() . "/pull.$_.log") } 0 .. $#nodes;

is(join("\n", grep { $_ ne 'right' } @lines), '', 'no client sees an error');
is(scalar(@lines), $NODES * (1 + keys %sizes), 'all answers');

my @requests = $front->requests();
my $refused = grep { $_->{status} == 503 } @requests;

cmp_ok($refused, '>', 0, 'S3 has refused some');
cmp_ok(scalar(@requests), '<=', 1.2 * $needed, 'requests to S3')
    or diag("$needed needed, $refused refused");
note(scalar(@requests), " requests, $needed needed, $refused refused");

finish();

###############################################################################

# One client: the manifest, then what it names, all at once.  Prints "right" or
# what was wrong, for each.

sub pull {
    my ($n) = @_;

    my $client = $nodes[$n]->client();
    my @digests = sort keys %sizes;

    sleep $start - time() if $start > time();

    my $manifest = $client->get('/v2/team/app/manifests/v1');
    my @blobs = $client->parallel([ map { [ 'GET', "/v2/team/app/blobs/$_",
        digest => 1 ] } @digests ]);

    STDOUT->autoflush(1);
    print $manifest->status == 200 && $manifest->body eq $image->manifest
        ? "right\n" : 'manifest: ' . $manifest->status . "\n";

    for my $i (0 .. $#digests) {
        my $r = $blobs[$i];

        print $r->status == 200 && 'sha256:' . $r->sha256 eq $digests[$i]
            ? "right\n" : "$digests[$i]: " . $r->status . ', '
            . $r->length . " bytes\n";
    }

    return;
}

###############################################################################
