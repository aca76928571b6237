#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for pushes to a store that fails in between: what the client repeats
# succeeds, and nothing is left on disk that nobody can ask for.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::S3;
use Test::Registry::Util qw/ temp_dir random_bytes /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $uploads = temp_dir('uploads');
my $t = Test::Registry->node($s3, workers => 1, location => "
    registry_push on;
    registry_upload_path $uploads;
    client_max_body_size 0;");

sub digest { 'sha256:' . sha256_hex($_[0]) }
sub sessions { my @files = grep { -f && !m{/lock-} } glob "$uploads/*";
    return @files }

sub session {
    return $t->request('POST', '/v2/team/app/blobs/uploads/', body => '')
        ->header('Location') =~ s{^https?://[^/]+}{}r;
}

sub failing {
    my (%fault) = @_;

    $s3->fault(method => 'PUT', key => qr{/data$}, error => 'InternalError',
        times => 100, %fault);
}

###############################################################################

# small ones by one PUT, large ones by parts; the closing request brings all
# of it, the end of it, or nothing

for my $size (1000, 20 << 20) {
    my $blob = random_bytes($size, "blob $size");

    for my $before (0, $size / 2, $size) {
        my $at = session();
        my $name = "$size bytes, $before before the closing request";

        is($t->request('PATCH', $at, body => substr $blob, 0, $before)
            ->status, 202, $name) if $before;

        failing();
        my $r = $t->request('PUT', "$at?digest=" . digest($blob),
            body => substr($blob, $before), timeout => 60);

        is($r->status, 503, "$name - S3 fails");
        ok($r->header('Retry-After'), "$name - Retry-After");
        is($t->get($at)->header('Range'), '0-' . ($size - 1),
            "$name - all is here");

        $s3->clear_faults();
        $r = $t->request('PUT', "$at?digest=" . digest($blob),
            body => substr($blob, $before), timeout => 60);

        is($r->status, 201, "$name - the same request again") or diag $r->body;
        ok($t->get('/v2/team/app/blobs/' . digest($blob))->body eq $blob,
            "$name - the right bytes");
        $s3->delete($_) for $s3->keys();
        $t->reload();
    }

    # in one request: nobody has the name of its session

    failing();
    is($t->request('POST', '/v2/team/app/blobs/uploads/?digest='
        . digest($blob), body => $blob, timeout => 60)->status, 503,
        "$size bytes at once - S3 fails");
    is(scalar(sessions()), 0, "$size bytes at once - nothing stays");
    is(scalar($s3->uploads), 0,
        "$size bytes at once - not even in the bucket");
    $s3->clear_faults();
}

finish();

###############################################################################
