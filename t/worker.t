#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for those who wait for a blob that another one fetches: as long as it
# comes, but not for a worker that was killed.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ wait_for /;

###############################################################################

# time limits, and the age of a lock, of two seconds

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3, workers => 1, timeout => 2);

# a download that takes longer than the age of a lock

my $blob = $layout->generated('team/app', 5_000_000, 'slow');
my $key = qr/\Q@{[ $layout->blob_key($blob) ]}\E/;

$s3->fault(key => $key, rate => 1_000_000);

my @r = $t->client->parallel([ ([ 'GET', "/v2/team/app/blobs/$blob",
    digest => 1 ]) x 3 ]);

is(join(' ', map { $_->status . ($_->complete ? '' : ' cut') } @r),
    '200 200 200', 'a slow S3');
is(join(' ', map { 'sha256:' . $_->sha256 } @r), "$blob $blob $blob",
    'a slow S3 - bytes');
is($s3->count(key => $key), 1, 'a slow S3 - asked once');

# the one that fetches has a client that takes nothing any more

$s3->clear_faults();
$blob = $layout->generated('team/app', 100_000_000, 'client');

my ($other, $took);
my $stalled = $t->request('GET', "/v2/team/app/blobs/$blob", digest => 1,
    on_data => sub {
        return if $other;

        my $begun = time;
        $other = $t->request('GET', "/v2/team/app/blobs/$blob", digest => 1);
        $took = time - $begun;
    });

is('sha256:' . $other->sha256, $blob, 'a client that waits - the other one');
cmp_ok($took, '<', 10, 'a client that waits - the other one does not');
is('sha256:' . $stalled->sha256, $blob, 'a client that waits - it goes on');

# the one that fetches is killed

# where there are sanitizers a SEGV is a report

for my $signal ('KILL', Test::Registry::sanitized() ? () : 'SEGV') {
    $blob = $layout->generated('team/app', 5_000_000, $signal);
    $key = qr/\Q@{[ $layout->blob_key($blob) ]}\E/;

    $s3->fault(key => $key, times => 1, rate => 500_000);

    my $pid = fork() // die "fork: $!";

    if ($pid == 0) {
        $t->get("/v2/team/app/blobs/$blob");
        POSIX::_exit(0);
    }

    ok($s3->wait_request(1, key => $key), "$signal - begun");
    select undef, undef, undef, 1;

    my ($worker) = $t->workers();

    $t->expect_log(qr/worker process $worker exited on signal/);
    kill $signal, $worker;
    ok(wait_for(sub { my ($new) = $t->workers(); $new && $new != $worker },
        10), "$signal - another worker");

    my $r = $t->request('GET', "/v2/team/app/blobs/$blob", digest => 1);

    is($r->status, 200, "$signal - fetched again");
    is('sha256:' . $r->sha256, $blob, "$signal - bytes");

    kill 'KILL', $pid;
    waitpid $pid, 0;
}

finish();

###############################################################################
