#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for long downloads: reload and upgrade in the middle, slow clients,
# clients that go away.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Time::HiRes qw/ time /;

use Test::Registry qw/ finish sanitized /;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

# 1 GiB, while nginx is reloaded and then replaced

my $size = 1 << 30;
my $large = $layout->generated('team/app', $size, 'one GiB');
my ($got, $reloaded, $upgraded, $old) = (0, 0, 0);
my @workers = $t->workers();

my $r = $t->request('GET', "/v2/team/app/blobs/$large", digest => 1,
    on_data => sub {
        $got += length $_[0];

        if ($got > 200_000_000 && !$reloaded++) {
            $t->reload();
        }

        if ($got > 500_000_000 && !$upgraded++) {
            $old = $t->upgrade();
        }
    });

is($r->error, '', 'reload and upgrade in the middle - whole');
is($r->length, $size, 'reload and upgrade in the middle - length');
is('sha256:' . $r->sha256, $large,
    'reload and upgrade in the middle - bytes');
ok($reloaded && $upgraded, 'reload and upgrade took place');
ok(wait_for(sub { Test::Registry::gone($old) }, 10),
    'the old nginx ends after its last answer');

$s3->forget();
$r = $t->request('GET', "/v2/team/app/blobs/$large", digest => 1);

is('sha256:' . $r->sha256, $large, 'from the cache, by the new nginx');
is($s3->count(key => qr/data$/), 0, 'from the cache - S3 is not asked');

# a client that reads slowly; S3 is fast

my $slow = $layout->generated('team/app', 200_000_000, 'slow');
my ($worker) = $t->workers();

# stacks of threads and what malloc() keeps are there once and for all

$t->request('GET', '/v2/team/app/blobs/' . $layout->generated('team/app',
    200_000_000, 'before'), digest => 1, rate => 2_000_000,
    abort_after => 250_000);

for my $name ('miss', 'hit') {
    my $before = $t->worker_memory($worker);
    my $most = 0;

    $t->request('GET', "/v2/team/app/blobs/$slow", digest => 1,
        rate => 100_000, abort_after => 250_000, on_data => sub {
            my $now = $t->worker_memory($worker);
            $most = $now if $now > $most;
        });

    SKIP: {
        skip('memory with sanitizers', 1) if sanitized();
        cmp_ok($most - $before, '<', 4096,
            "slow client, $name - memory in kB");
    }
}

# a client that goes away: S3 stops sending

for (['FIN', {}], ['RST', { reset => 1 }]) {
    my ($name, $how) = @$_;

    my $blob = $layout->generated('team/app', 100_000_000, "gone $name");
    my $key = qr/\Q@{[ $layout->blob_key($blob) ]}\E/;

    $s3->forget();
    $s3->fault(key => $key, times => 1, rate => 4_000_000);
    $t->request('GET', "/v2/team/app/blobs/$blob", digest => 1,
        abort_after => 1_000_000, %$how);
    my $left = time();

    ok($s3->wait_request(1, key => $key, end => 'aborted'),
        "client gone, $name - S3 is told");

    my ($request) = $s3->requests(key => $key);
    cmp_ok($request->{end_time} - $left, '<', 1,
        "client gone, $name - within a second");
    cmp_ok($request->{sent}, '<', 10_000_000, "client gone, $name - bytes");

    $s3->clear_faults();
    $r = $t->request('GET', "/v2/team/app/blobs/$blob", digest => 1);
    is('sha256:' . $r->sha256, $blob, "client gone, $name - next client");
}

# others who wait for the same blob get it all the same

my $shared = $layout->generated('team/app', 10_000_000, 'shared');
$s3->fault(key => qr/\Q@{[ $layout->blob_key($shared) ]}\E/, times => 1,
    rate => 4_000_000);

my $others;
$t->request('GET', "/v2/team/app/blobs/$shared", digest => 1,
    abort_after => 2_000_000, on_data => sub {
        $others //= start("/v2/team/app/blobs/$shared");
    });

my ($whole, $hex) = finish_started($others);
is($whole, 10_000_000, 'another client of the same blob - length');
is("sha256:$hex", $shared, 'another client of the same blob - bytes');

# gone while S3 has not answered yet

$s3->clear_faults();
$s3->fault(key => qr/never/, hang => 1);

for my $path ('never/manifests/v1', 'never/manifests/sha256:' . '2' x 64,
    'never/blobs/sha256:' . '2' x 64)
{
    my $c = $t->client(timeout => 0.2);
    is($c->get("/v2/team/$path")->error, 'timeout', "left early, $path");
}

$s3->clear_faults();

# many who leave at any moment

my @blobs = map { $layout->generated('team/many', 3_000_000, "many $_") }
    1 .. 4;
srand 7;

for my $i (1 .. 120) {
    $t->request('GET', '/v2/team/many/blobs/' . $blobs[$i % @blobs],
        digest => 1, abort_after => int(rand 2_000_000),
        reset => $i % 2);
}

for my $blob (@blobs) {
    $r = $t->request('GET', "/v2/team/many/blobs/$blob", digest => 1);
    is('sha256:' . $r->sha256, $blob, 'after many that left');
}

is(scalar($s3->unsigned()), 0, 'all requests to S3 rightly signed');

finish();

###############################################################################

# A download in another process.

sub start {
    my ($path) = @_;

    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork() // die "fork: $!";

    if ($pid == 0) {
        my $r = $t->request('GET', $path, digest => 1);
        print {$write} $r->length, ' ', $r->sha256, "\n";
        close $write;
        POSIX::_exit(0);
    }

    close $write;
    return [ $pid, $read ];
}


sub finish_started {
    my ($started) = @_;

    my ($pid, $read) = @$started;
    my $line = <$read> // '';
    waitpid $pid, 0;

    return split ' ', $line;
}

###############################################################################
