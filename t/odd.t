#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for requests that no client sends: each gets one whole answer of a
# kind that clients understand, and leaves nothing alarming in the error log.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ temp_dir /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $uploads = temp_dir('uploads');
my $t = Test::Registry->node($s3, workers => 2, location => "
    registry_push on;
    registry_upload_path $uploads;");

my $digest = $layout->blob('team/app', 'content');
my $session = '00000000-0000-4000-8000-000000000000';

$layout->manifest('team/app', '{"schemaVersion":2}', 'v1');

my @endpoints = map { "/v2/$_" } '', '_catalog', 'team/app/tags/list',
    'team/app/manifests/v1', "team/app/manifests/$digest",
    "team/app/blobs/$digest", "team/app/referrers/$digest",
    'team/app/blobs/uploads/', "team/app/blobs/uploads/$session";

# arguments that are not encoded, or make no sense

my @args = ('%', '%zz', 'n=%', 'n=-1', 'n=' . '9' x 40, 'n=0', 'n=1&n=2',
    'last=%', 'last=%00', 'last=%ff', 'last=../x&n=2', 'artifactType=%',
    'artifactType=a&artifactType=%2', 'artifactType=%00', 'digest=%',
    'digest=sha256:x', 'mount=%&from=%', "mount=$digest&from=..", 'tag=%',
    '&=&&=', 'a=b&' x 1000);

for my $endpoint (@endpoints) {
    for my $method (qw/ GET HEAD POST PUT PATCH DELETE /) {

        # not what would remove what is asked for
        next if $method eq 'DELETE' && $endpoint !~ /uploads/;

        my @wrong = grep { !answered($method, "$endpoint?$_") } @args;

        is(join(' ', map { substr $_, 0, 40 } @wrong), '',
            "$method $endpoint - arguments");
    }
}

# what is refused has ended with that

my $c = $t->client(keepalive => 1);

$s3->forget();

my $r = $c->get("/v2/team/app/referrers/$digest?artifactType=%");

is($r->status, 400, 'filter of referrers that is not encoded');
is($r->code, 'UNSUPPORTED', 'filter of referrers - code');
is($c->get('/v2/')->status, 200, 'filter of referrers - connection goes on');
is($s3->count(), 0, 'filter of referrers - S3 is not asked');

finish();

###############################################################################

sub answered {
    my ($method, $path) = @_;

    my $r = $t->request($method, $path,
        $method =~ /^P/ ? (body => 'x') : ());

    return $r->complete && $r->extra eq '' && $r->status < 500
        && ($r->status < 400 || $method eq 'HEAD' || $r->code);
}

###############################################################################
