#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for ranges of blobs: the same answer on a miss and on a hit.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

my $size = 100_000;

# what is asked for; status; first and last byte of the answer

my @ranges = (
    [ 'bytes=0-0', 206, 0, 0 ],
    [ 'bytes=0-99', 206, 0, 99 ],
    [ 'bytes=5-', 206, 5, 99_999 ],
    [ 'bytes=0-', 206, 0, 99_999 ],
    [ 'bytes=-5', 206, 99_995, 99_999 ],
    [ 'bytes=-200000', 206, 0, 99_999 ],
    [ 'bytes=50000-79999', 206, 50_000, 79_999 ],
    [ 'bytes=99999-99999', 206, 99_999, 99_999 ],
    [ 'bytes=99000-200000', 206, 99_000, 99_999 ],
    [ 'bytes=0-99,200-299', 200, 0, 99_999 ],
    [ 'bytes=0-0,-1', 200, 0, 99_999 ],
    [ 'bytes=100000-', 416 ],
    [ 'bytes=100000-100001', 416 ],
    [ 'bytes=-0', 416 ],
    [ 'bytes=99999999999999999999-', 416 ],
    [ 'bytes=', 200, 0, 99_999 ],
    [ 'bytes=-', 200, 0, 99_999 ],
    [ 'bytes=a-b', 200, 0, 99_999 ],
    [ 'bytes=1-2x', 200, 0, 99_999 ],
    [ 'bytes 0-1', 200, 0, 99_999 ],
    [ 'lines=0-1', 200, 0, 99_999 ],
);

for (@ranges) {
    my ($range, $status, $first, $last) = @$_;

    my $bytes = random_bytes($size, $range);
    my $digest = $layout->blob('team/app', $bytes);
    my $path = "/v2/team/app/blobs/$digest";

    my $miss = $t->get($path, Range => $range);
    ok($t->get($path)->body eq $bytes, "$range - whole");
    my $hit = $t->get($path, Range => $range);

    for (['miss', $miss], ['hit', $hit]) {
        my ($name, $r) = @$_;

        is($r->status, $status, "$range, $name - $status");
        ok($r->complete && $r->extra eq '', "$range, $name - as announced");
        check($r, "$range, $name", $bytes, $digest, $first, $last);
    }

    is($hit->stable_headers, $miss->stable_headers,
        "$range - headers are the same");
    ok($hit->body eq $miss->body, "$range - bytes are the same");
}

# the end before the beginning: nginx, and so we, call it unsatisfiable

is($t->get('/v2/team/app/blobs/' . $layout->blob('team/app', 'inverted'),
    Range => 'bytes=5-2')->status, 416, 'inverted');

# validators

my $bytes = random_bytes($size, 'validators');
my $digest = $layout->blob('team/app', $bytes);
my $path = "/v2/team/app/blobs/$digest";

for my $name ('miss', 'hit') {
    for ([ 'If-Range', qq("$digest"), 206 ],
        [ 'If-Range', '"other"', 200 ],
        [ 'If-Range', qq(W/"$digest"), 200 ],
        [ 'If-Range', 'Tue, 05 Nov 2024 10:11:12 GMT', 200 ],
        [ 'If-None-Match', qq("$digest"), 304 ],
        [ 'If-None-Match', '"other"', 206 ])
    {
        my ($header, $value, $status) = @$_;

        # each miss needs a blob that was never asked for whole
        my $b = $name eq 'miss'
            ? random_bytes($size, "$header $value") : $bytes;
        my $d = $layout->blob('team/app', $b);
        $value =~ s/\Q$digest\E/$d/;

        my $r = $t->get("/v2/team/app/blobs/$d", Range => 'bytes=10-19',
            $header => $value);

        is($r->status, $status, "$header: $value, $name - $status");
        is($r->body, substr($b, 10, 10), "$header, $name - bytes")
            if $status == 206;
        ok($r->body eq $b, "$header, $name - whole") if $status == 200;
    }

    $t->get($path);
}

# nothing to take a part of

$digest = $layout->blob('team/app', '');

for my $name ('miss', 'hit') {
    my $r = $t->get("/v2/team/app/blobs/$digest", Range => 'bytes=0-');

    is($r->status, 200, "empty, $name - 200");
    is($r->header('Content-Length'), 0, "empty, $name - length");
    $t->get("/v2/team/app/blobs/$digest");
}

# a part of something large, without fetching all of it

my $large = $layout->generated('team/app', 50_000_000, 'large');
my $r = $t->get("/v2/team/app/blobs/$large",
    Range => 'bytes=40000000-40000999');

is($r->status, 206, 'part of a large blob');
is($r->body, $s3->generated_bytes('large', 40_000_000, 1000),
    'part of a large blob - bytes');

is(scalar($s3->unsigned()), 0, 'all requests to S3 rightly signed');

finish();

###############################################################################

sub check {
    my ($r, $name, $bytes, $digest, $first, $last) = @_;

    if ($r->status == 416) {
        is($r->header('Content-Range'), "bytes */$size",
            "$name - Content-Range");
        ok($r->code, "$name - error document");
        return;
    }

    is($r->header('Content-Range'), $r->status == 206
        ? "bytes $first-$last/$size" : undef, "$name - Content-Range");
    is($r->header('Content-Length'), $last - $first + 1, "$name - length");
    ok($r->body eq substr($bytes, $first, $last - $first + 1),
        "$name - bytes");
    is($r->header('Docker-Content-Digest'), $digest, "$name - digest");
    is($r->header('ETag'), qq("$digest"), "$name - ETag");
    is($r->header('Accept-Ranges'), 'bytes', "$name - Accept-Ranges");
    is($r->header('Content-Type'), 'application/octet-stream',
        "$name - type");
}

###############################################################################
