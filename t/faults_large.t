#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for a blob of 1 GiB, eight slices at a time, from an S3 where one
# request in a hundred, and one in five, fails: the client notices nothing.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry qw/ finish /;
use Test::Registry::Layout;
use Test::Registry::S3;

###############################################################################

my $size = 1 << 30;
my $slice = 8 << 20;

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $blob = $layout->generated('team/app', $size, 'faults');

my @faults = (
    [ 'connection reset', close => 1, reset => 1 ],
    [ 'reset in the body', cut_body => 3_000_000, reset => 1 ],
    [ 'no answer', hang => 1 ],
    [ 'silence in the body', stall => 3_000_000 ],
    [ '500', error => 'InternalError' ],
    [ '503', error => 'SlowDown' ],
);

for my $every (100, 5) {
    for (@faults) {
        my ($name, %fault) = @$_;

        # with a cache of its own: all of it comes from S3

        my $t = Test::Registry->node($s3, timeout => 2, location => "
            registry_slice_size $slice;
            registry_parallel 8;");

        $s3->forget();
        $s3->fault(key => qr/data$/, every => $every, %fault);

        my $r = $t->request('GET', "/v2/team/app/blobs/$blob", digest => 1);

        $name .= ", one in $every";
        is($r->error, '', "$name - whole");
        is('sha256:' . $r->sha256, $blob, "$name - bytes");

        # what has arrived is not fetched again, but for the blocks in which
        # the cache and the sockets hold it

        my $asked = $s3->count(key => qr/data$/);
        my $slices = $size / $slice;

        cmp_ok($asked, '>', $slices, "$name - there were some");
        cmp_ok($asked, '<=', $slices * ($every == 5 ? 1.5 : 1.1),
            "$name - requests");

        $s3->clear_faults();
        $t->stop();
    }
}

finish();
